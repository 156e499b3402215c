"""Deadlines that may be near, and which were told of, kept."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.calendar.store.tables import dates, told_deadlines
from shared.db import Transaction
from shared.events.codes import DateKind, DateStatus


async def due_between(tx: Transaction, first: date, last: date) -> Sequence[UUID]:
    """Return the deadlines that are due on one of these days and that somebody waits for."""
    query = (
        select(dates.c.id)
        .where(
            dates.c.kind == DateKind.DEADLINE.value,
            dates.c.status != DateStatus.CANCELLED.value,
            dates.c.done_on.is_(None),
            dates.c.precision.in_(["day", "time"]),
            dates.c.historic.is_(False),
            dates.c.last_day.between(first, last),
        )
        .order_by(dates.c.last_day, dates.c.id)
    )
    return (await tx.execute(query)).scalars().all()


async def note_told(tx: Transaction, date_id: UUID, due_day: date, days: Sequence[int], *, at: datetime) -> Sequence[int]:
    """Return those of these thresholds of a deadline that were not told of before, and keep that they are now."""
    rows = [{"date_id": date_id, "due_day": due_day, "days": one, "told_at": at} for one in sorted(days)]
    if not rows:
        return []
    told = insert(told_deadlines).values(rows).on_conflict_do_nothing().returning(told_deadlines.c.days)
    new: Sequence[int] = (await tx.execute(told)).scalars().all()
    return new
