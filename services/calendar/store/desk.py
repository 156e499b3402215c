"""Every date as the team lists them, public or not."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true

from services.calendar.domain.dates import StoredDate
from services.calendar.store.dates import date_of
from services.calendar.store.tables import dates
from shared.db import Transaction
from shared.events.codes import DateKind, DateStatus


class Shown(StrEnum):
    """Which dates the team looks at."""

    AHEAD = "ahead"  # today and later, and what goes on
    OPEN = "open"  # activities and deadlines that are over and that nobody has marked as done
    PAST = "past"
    CANCELLED = "cancelled"
    ALL = "all"


TO_DO = (DateKind.ACTIVITY.value, DateKind.DEADLINE.value)
"""What can be done, so that somebody marks it."""


def _which(shown: Shown, today: date) -> ColumnElement[bool]:
    stands = dates.c.status != DateStatus.CANCELLED.value
    match shown:
        case Shown.AHEAD:
            return and_(stands, or_(dates.c.last_day.is_(None), dates.c.last_day >= today))
        case Shown.OPEN:
            return and_(stands, dates.c.kind.in_(TO_DO), dates.c.done_on.is_(None), dates.c.last_day < today)
        case Shown.PAST:
            return and_(stands, dates.c.last_day < today)
        case Shown.CANCELLED:
            return ~stands
        case Shown.ALL:
            return true()


async def listing(
    tx: Transaction, *, shown: Shown, kind: str, words: str, today: date, limit: int, offset: int
) -> tuple[Sequence[StoredDate], int]:
    """Return dates, earliest first (of the past latest first), and how many there are in all; `kind` and `words` narrow where not empty."""
    chosen = select(dates).where(_which(shown, today))
    if kind:
        chosen = chosen.where(dates.c.kind == kind)
    if words:
        chosen = chosen.where(cast(dates.c.title, Text).icontains(words, autoescape=True))
    total = (await tx.execute(select(func.count()).select_from(chosen.subquery()))).scalar_one()
    order = (dates.c.first_day.desc(), dates.c.id.desc()) if shown in {Shown.PAST, Shown.CANCELLED} else (dates.c.first_day, dates.c.id)
    rows = await tx.execute(chosen.order_by(*order).limit(limit).offset(offset))
    return [date_of(row) for row in rows], total
