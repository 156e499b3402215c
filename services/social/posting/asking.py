"""What a post asks of people besides decisions: its time once it is approved, and a word where it waits for a person."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from services.social.domain.deliveries import State, WaitingFor
from services.social.domain.posts import ABOUT
from services.social.store.tables import deliveries, posts
from shared import tasks
from shared.approval import rules
from shared.approval.store import approvals
from shared.approval.things import Thing
from shared.db import Database, Transaction
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause

SCHEDULE = f"schedule-{ABOUT}"
"""The task that asks for the time of a post that is approved and has none, or none at which it may leave."""
SETTLE = f"settle-{ABOUT}"
"""The task that asks what is to become of a post that did not leave, or that nobody knows of."""


class Asking:
    """Looks what posts ask of people, by the clock: whatever brought a post there, a network or a person, it is found here."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing

    async def run(self, database: Database) -> None:
        """Open the tasks that lack and close those whose matter is over; however often and wherever this runs, each is asked once."""
        async with database.transaction() as tx:
            asked = {(task.kind, UUID(task.subject)) for task in await tasks.open_tasks(tx) if task.kind in (SCHEDULE, SETTLE)}
            another = set(await _waiting(tx, WaitingFor.QUIET))
            timeless = {*await _without_time(tx), *another}
            wanted = {(SCHEDULE, post) for post in timeless} | {(SETTLE, post) for post in {*await _waiting(tx)} - another}
        # One transaction each: a post that somebody works on holds up no other.
        for kind, post in sorted(wanted - asked):
            async with database.transaction() as tx:
                matter = await self._thing.read(tx, post)
                if matter is not None:
                    task = Task(kind=kind, subject=str(post), role=Role.DRAFTER, title=matter.title, address=matter.address)
                    await tasks.open_task(tx, task, cause=Cause.start(post))
        for kind, post in sorted(asked - wanted):
            async with database.transaction() as tx:
                await tasks.close_task(tx, kind, str(post), end=TaskEnd.DONE, by=None, cause=Cause.start(post))


async def _without_time(tx: Transaction) -> Collection[UUID]:
    """Return the posts that are approved, and leave at no time."""
    here = (approvals.c.about == ABOUT) & (approvals.c.item == posts.c.id) & (approvals.c.state == rules.State.APPROVED.value)
    return (await tx.execute(select(posts.c.id).join(approvals, here).where(posts.c.local_time.is_(None)))).scalars().all()


async def _waiting(tx: Transaction, why: WaitingFor | None = None) -> Collection[UUID]:
    """Return the posts of which something waits for a person; with `why`, for that reason."""
    query = select(deliveries.c.post_id).where(deliveries.c.state == State.WAITING.value).distinct()
    query = query if why is None else query.where(deliveries.c.waiting_for == why.value)
    return (await tx.execute(query)).scalars().all()
