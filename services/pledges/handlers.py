"""Events in: who works here."""

from shared.auth import people
from shared.listening import listeners

LISTENS = listeners(people.LISTENER)
