"""What other services made of what was accepted here: noted by the id that they name, found by the submission."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, String, cast, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from services.intake.store.tables import contributions, followed, news, practices, promotions, submissions, talks
from shared.db import Transaction

WITHDRAWAL = "withdrawal"
"""What follows last from something: its service has withdrawn it, and says why."""
_RECORDS = (practices, talks, news, contributions, promotions)


async def note(
    tx: Transaction, source_id: str, kind: str, thing_id: str, *, revision: int, words: str, address: str, stands: bool, at: datetime
) -> None:
    """Note that something followed from `source_id`, without an address where nobody is to see it; an older word changes nothing."""
    new = insert(followed).values(
        source_id=source_id, kind=kind, thing_id=thing_id, revision=revision, words=words, address=address, stands=stands, at=at
    )
    changed = {name: new.excluded[name] for name in ("revision", "words", "address", "stands", "at")}
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["source_id", "kind", "thing_id"], set_=changed, where=followed.c.revision < new.excluded.revision
        )
    )


async def hold(tx: Transaction, source_id: str) -> None:
    """Let nobody else write down what became of `source_id` until the transaction ends: that it was made, or that it was withdrawn.

    Neither could see the other's row, and it would then stand for ever.
    """
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('intake:followed:' || :name, 0))"), {"name": source_id})


async def withdrawal_of(tx: Transaction, source_id: str | None) -> Row[Any, Any] | None:
    """Return when and why something was withdrawn, or None."""
    wanted = select(followed.c.at, followed.c.words).where(followed.c.source_id == source_id, followed.c.kind == WITHDRAWAL)
    return (await tx.execute(wanted)).one_or_none()


async def of(tx: Transaction, submission_id: UUID) -> Sequence[Row[Any]]:
    """Return what followed from a submission and has an address, the newest first."""
    became = [
        followed.c.source_id.in_(select(cast(table.c.id, String)).where(table.c.submission_id == submission_id)) for table in _RECORDS
    ]
    elsewhere = followed.c.source_id.in_(select(submissions.c.became).where(submissions.c.id == submission_id))
    shown = select(followed).where(or_(*became, elsewhere), followed.c.address != "")
    return (await tx.execute(shown.order_by(followed.c.at.desc(), followed.c.thing_id))).all()
