"""How every change of an issue begins and ends: one at a time, never once it leaves, and no approval outlives what it stood for.

Locks are taken in one order everywhere: the pool, the approval, the issue, its sending. Two orders would make two transactions wait for
each other.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from services.newsletter.issues.rules import UnderWayError, UnknownIssueError
from services.newsletter.issues.tables import issues
from services.newsletter.sending import issues as sending
from services.newsletter.sending.rules import ABOUT
from services.newsletter.sending.tables import sends
from shared import tasks
from shared.actors import Actor
from shared.approval import editing, store
from shared.approval.rules import Standing, State
from shared.approval.things import Thing
from shared.db import Transaction
from shared.events.codes import TaskEnd
from shared.trace import Cause

FINISH = "finish-issue"
"""The task that asks drafters to write what is cut, and submit it."""
SCHEDULE = "schedule-issue"
"""The task that asks for the hour of an approved issue."""


async def find(tx: Transaction, issue_id: UUID) -> Row[Any]:
    """Return an issue; raises UnknownIssueError."""
    row = (await tx.execute(select(issues).where(issues.c.id == issue_id))).one_or_none()
    if row is None:
        raise UnknownIssueError
    return row


async def hold(tx: Transaction, issue_id: UUID) -> Row[Any]:
    """Return an issue that nobody else can change or decide on until `tx` ends.

    Raises UnknownIssueError, and UnderWayError once it leaves.
    """
    await find(tx, issue_id)  # before anything is written about an id that is none
    await store.hold(tx, ABOUT, issue_id)
    row = (await tx.execute(select(issues).where(issues.c.id == issue_id).with_for_update())).one()
    if await has_begun(tx, issue_id):
        raise UnderWayError
    return row


async def has_begun(tx: Transaction, issue_id: UUID) -> bool:
    """Say whether the sending of an issue has begun: from then on it stays as it is."""
    begun = select(sends.c.issue_id).where(sends.c.issue_id == issue_id, sends.c.frozen_at.is_not(None))
    return (await tx.execute(begun)).first() is not None


async def may_have_left(tx: Transaction, issue_id: UUID) -> bool:
    """Say whether an issue comes out of a backup, may have left since, and nobody has yet let it go on or ended it."""
    here = select(sends.c.issue_id).where(sends.c.issue_id == issue_id, sending.RESTORED)
    return (await tx.execute(here)).first() is not None


async def was_ended(tx: Transaction, issue_id: UUID) -> bool:
    """Say whether an issue came out of a backup and was ended, and has had no other approval since."""
    here = select(sends.c.issue_id).where(sends.c.issue_id == issue_id, sending.ENDED)
    return (await tx.execute(here)).first() is not None


async def changed(tx: Transaction, thing: Thing, issue_id: UUID, *, by: Actor | None, cause: Cause, wrote: bool = False) -> Standing:
    """Return where an issue stands after what was written on `tx`: whatever voids its approval takes it from the plan as well.

    Call it in every transaction that writes an issue, after the write; `by` is None for the machine. `wrote` says that a person has put
    words down, be it in a block that is dropped or a language that the issue does not have: once they come in, others approve them.
    """
    after = await editing.edited(tx, thing, issue_id, by=by, cause=cause, wrote=wrote)
    if after.state is not State.APPROVED:
        await stop(tx, issue_id, by=by.id if by else None, cause=cause)
    return after


async def stop(tx: Transaction, issue_id: UUID, *, by: str | None, cause: Cause) -> None:
    """Let nothing leave of an issue that is not approved, or no longer, and ask nobody for its hour."""
    await sending.unschedule(tx, issue_id)
    await tasks.close_task(tx, SCHEDULE, str(issue_id), end=TaskEnd.WITHDRAWN, by=by, cause=cause)
