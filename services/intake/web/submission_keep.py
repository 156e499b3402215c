"""Keeping what came in and telling of it, in one transaction; and looking at a database that may be away."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from services.intake.domain import REFERENCE_DIGITS, NewSubmission, new_reference, received_event
from services.intake.store.submissions import ReferenceTakenError
from shared import outbox
from shared.db import Database, Transaction

T = TypeVar("T")

# Each try has one digit more, so that even with a million submissions of a kind in a year the last all but surely finds a free one.
REFERENCE_TRIES = 4

Write = Callable[[Transaction, str, UUID], Awaitable[None]]
"""Keeps the submission under a reference, with the id of the event that told of it."""


async def keep(database: Database, new: NewSubmission, write: Write) -> str:
    """Return the reference under which `new` is now kept and told; raises what `write` raises, with nothing kept.

    The event is put before the rows, because they name it; that breaks no order, since nobody else knows this subject yet.
    """

    async def tell_and_write(tx: Transaction, reference: str) -> None:
        told_as = await outbox.put(tx, received_event(new, reference), subject=str(new.id), cause=new.cause)
        await write(tx, reference, told_as)

    return await keep_untold(database, new, tell_and_write)


async def keep_untold(database: Database, new: NewSubmission, write: Callable[[Transaction, str], Awaitable[None]]) -> str:
    """Return the reference under which `new` is now kept, and told only where `write` tells; raises what `write` raises."""
    for extra in range(REFERENCE_TRIES):
        reference = new_reference(new.kind, new.received_at, digits=REFERENCE_DIGITS + extra)
        try:
            async with database.transaction() as tx:
                await write(tx, reference)
        except ReferenceTakenError:
            continue
        return reference
    raise ReferenceTakenError(ReferenceTakenError.__doc__)


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` gives; raises TimeoutError after so many seconds.

    Unlike asyncio.timeout it does not wait for the cancelled work to end: rolling back on a database that hangs takes as long as
    it hangs, and the asker must have an answer.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.add_done_callback(_forget)
        task.cancel()
        raise TimeoutError(f"no answer from the database within {seconds:.0f} s")
    return task.result()


def _forget(task: asyncio.Task[Any]) -> None:
    """Take the outcome of work that nobody waits for any more, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()
