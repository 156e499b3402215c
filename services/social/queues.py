"""What waits in social media, for its figures: posts by where they stand, and why."""

from sqlalchemy import func, true

from services.social.domain.deliveries import State
from services.social.store.tables import deliveries, pictures
from shared import tasks
from shared.queues import queue

_scheduled = deliveries.c.state == State.SCHEDULED.value
_by_network = deliveries.c.network

QUEUES = (
    queue("posts", deliveries, _scheduled & (deliveries.c.not_before > func.now()), state="planned", kind=_by_network, since=None),
    queue(
        "posts",
        deliveries,
        _scheduled & (deliveries.c.not_before <= func.now()),
        state="due",
        kind=_by_network,
        since=deliveries.c.not_before,
    ),
    *(
        queue("posts", deliveries, deliveries.c.state == state.value, state=state.value, kind=_by_network, since=deliveries.c.updated_at)
        for state in (State.SENDING, State.UNKNOWN)
    ),
    queue(
        "posts",
        deliveries,
        deliveries.c.state == State.WAITING.value,
        state=State.WAITING.value,
        kind=deliveries.c.waiting_for,
        since=deliveries.c.updated_at,
    ),
    queue("files", pictures, true(), state="kept", since=None),
    tasks.WAITING,
)
