"""The clock: a pause with an end ends by itself, lists what waited, and desk is told."""

from shared import clock
from shared.db import Database
from shared.pauses import store
from shared.pauses.sender import Sender, confirm
from shared.service import Job

# Well within the grace that a pause has after its end, in which nothing leaves until what waited is listed.
EVERY_SECONDS = 5.0


async def end_due(database: Database, sender: Sender) -> int:
    """End the pauses whose time is over, and return how many; several processes may do it at once."""
    async with database.transaction() as tx:
        if not await store.over(tx, clock.now()):
            return 0  # almost always, and then nobody who claims is held up
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
