"""What senders are to be told of by mail: one row for each decision, written with it, and ended once its mail stands in the queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from services.intake.domain import Decision
from services.intake.store.tables import notices
from shared.db import Transaction
from shared.ids import new_id


async def want(tx: Transaction, submission_id: UUID, decision: Decision, at: datetime) -> None:
    """Let the sender of a submission be told what was decided, or is asked."""
    await tx.execute(
        insert(notices).values(
            id=new_id(),
            submission_id=submission_id,
            state=decision.state.value,
            reason=decision.reason,
            reason_language=decision.reason_language,
            address=decision.address,
            decided_at=at,
        )
    )


async def waiting(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Return notices of which nobody has been told, the oldest first, that no other process has in hand."""
    query = select(notices).where(notices.c.ended_at.is_(None)).order_by(notices.c.decided_at).limit(limit)
    return (await tx.execute(query.with_for_update(skip_locked=True))).all()


async def end(tx: Transaction, notice_id: UUID, *, at: datetime, was_mailed: bool) -> None:
    """Note that a notice stands in the queue of mails, or that there was nobody to write to."""
    await tx.execute(update(notices).where(notices.c.id == notice_id).values(ended_at=at, was_mailed=was_mailed))
