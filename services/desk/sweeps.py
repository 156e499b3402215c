"""What is stuck in the desk: mails that services want and nobody has written."""

from sqlalchemy import select

from services.desk.awaiting.store import mails_wanted
from shared.mail.queue import store as mails
from shared.sweeps import TELLS, VERY_LATE, Promise, Sweep, before, listens, rows

_NOT_WRITTEN = rows(
    select(mails_wanted.c.event_id.label("id"), mails_wanted.c.heard_at.label("since"))
    .where(mails_wanted.c.done_at.is_(None), mails_wanted.c.heard_at < before(VERY_LATE))
    .order_by(mails_wanted.c.heard_at),
    "not-written",
)


SWEEPS = (
    TELLS,
    *listens(),
    Sweep(promise=Promise.MAILED, find=_NOT_WRITTEN),
    *mails.SWEEPS,
)
"""The sweeps of the desk, which has no tasks of its own."""
