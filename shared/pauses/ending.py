"""The clock: a pause with an end ends by itself, lists what waited, and desk is told."""

from collections.abc import Sequence

from shared import clock
from shared.db import Database, Transaction
from shared.pauses import store
from shared.pauses.sender import Sender, confirm
from shared.service import Job
from shared.sweeps import LATE, Promise, Stuck, Sweep

# Well within the grace that a pause has after its end, in which nothing leaves until what waited is listed.
EVERY_SECONDS = 5.0


async def end_due(database: Database, sender: Sender) -> int:
    """End the pauses whose time is over, and return how many; several processes may do it at once."""
    async with database.transaction() as tx:
        if not await store.over(tx, clock.now()):
            return 0  # almost always, and then nobody who claims is held up
        return await _end_over(tx, sender)


async def _end_over(tx: Transaction, sender: Sender) -> int:
    await store.hold(tx)
    ended = await store.over(tx, clock.now())
    for pause in ended:
        await store.end_by_itself(tx, pause, waited=await sender.waiting(tx, pause.scope))
        await confirm(tx, sender, pause.scope, cause=pause.cause)
    return len(ended)


def job_of(sender: Sender) -> Job:
    """Return the job that ends a sender's pauses."""

    async def run(database: Database) -> int:
        return await end_due(database, sender)

    return Job(name="pauses", every_seconds=EVERY_SECONDS, run=run)


def over(sender: Sender, promise: Promise) -> Sweep:
    """Return the sweep over pauses that did not end by themselves: things leave again, and desk still shows them as paused."""

    async def find(tx: Transaction) -> Sequence[Stuck]:
        late = await store.over(tx, clock.now() - LATE)
        return [Stuck(id=pause.scope, why="pause-over", since=pause.until) for pause in late if pause.until is not None]

    async def mend(tx: Transaction, one: Stuck) -> bool:
        del one  # all at once
        return await _end_over(tx, sender) > 0

    return Sweep(promise=promise, find=find, mend=mend)
