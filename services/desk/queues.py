"""What waits in the desk, for its figures: what awaits people in every service, as it has heard, and mails that services want."""

from services.desk.awaiting.store import awaited, mails_wanted
from shared.mail.queue import store as mails
from shared.queues import queue

QUEUES = (
    # Heard of, where the services count what they have opened: the two differ while events are on their way.
    queue(
        "awaited",
        awaited,
        awaited.c.closed_at.is_(None) & awaited.c.role.is_not(None),
        state="open",
        kind=awaited.c.kind,
        since=awaited.c.opened_at,
    ),
    queue("mails-wanted", mails_wanted, mails_wanted.c.done_at.is_(None), since=mails_wanted.c.heard_at),
    *mails.QUEUES,
)
