"""What waits in the calendar, for its figures: dates that were suggested."""

from services.calendar.domain.suggestions import OPEN
from services.calendar.store.tables import suggestions
from shared import tasks
from shared.mail.queue import store as mails
from shared.queues import queue

QUEUES = (
    queue(
        "submissions",
        suggestions,
        suggestions.c.state.in_([state.value for state in OPEN]),
        state=suggestions.c.state,
        kind="date",
        since=suggestions.c.received_at,
    ),
    tasks.WAITING,
    *mails.QUEUES,
)
