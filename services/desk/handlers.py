"""Events in: what people decided anywhere becomes the audit trail."""

from services.desk.trail import add_decisions
from shared.events.every import DecisionMade
from shared.listening import batch, listeners

LISTENS = listeners(batch(DecisionMade, add_decisions))
