"""What is stuck in the desk: mails that services want, or that tell people what awaits them, and nobody has written."""

from collections.abc import Sequence

from sqlalchemy import select

from services.desk.awaiting import store
from services.desk.awaiting.rules import mail_is_due
from services.desk.awaiting.store import mails_wanted
from shared import clock
from shared.db import Transaction
from shared.mail.queue import store as mails
from shared.sweeps import MOST, TELLS, VERY_LATE, Promise, Stuck, Sweep, before, listens, rows

_NOT_WRITTEN = rows(
    select(mails_wanted.c.event_id.label("id"), mails_wanted.c.heard_at.label("since"))
    .where(mails_wanted.c.done_at.is_(None), mails_wanted.c.heard_at < before(VERY_LATE))
    .order_by(mails_wanted.c.heard_at),
    "not-written",
)


def sweeps_of(zone: str, *, mails_staff: bool) -> Sequence[Sweep]:
    """Return the sweeps of the desk, which has no tasks of its own; `zone` is the team's, for who chose none.

    `mails_staff` is false without a mail server: then nobody is mailed of what awaits them, and that is no trouble.
    """

    async def not_mailed(tx: Transaction) -> Sequence[Stuck]:
        """Return a task for each person who should have been mailed a while ago: the one that has waited longest."""
        then, found = clock.now() - VERY_LATE, {}
        for person_id, (choice, unmailed) in (await store.unmailed(tx)).items():
            if mail_is_due(choice, unmailed, zone=zone, now=then):
                task = await store.first_unmailed(tx, person_id)
                found[task] = Stuck(id=task, why="not-written", since=unmailed.first_at)
        return list(found.values())[:MOST]

    about_tasks = (Sweep(promise=Promise.MAILED, find=not_mailed),) if mails_staff else ()
    return (
        TELLS,
        *listens(),
        Sweep(promise=Promise.MAILED, find=_NOT_WRITTEN),
        *about_tasks,
        *mails.SWEEPS,
    )
