"""Dates that tests begin with."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.calendar.domain.dates import Description, NewDate, StoredDate
from services.calendar.store import dates
from shared import clock
from shared.db import Database
from shared.events.codes import DateKind
from shared.events.times import ApproximateDate, Days, When, Window
from shared.ids import new_id


def days(first: str, last: str | None = None) -> Days:
    """Whole days."""
    return Days(precision="day", first=date.fromisoformat(first), last=date.fromisoformat(last or first))


def rough(precision: Any, *windows: tuple[str, str | None]) -> ApproximateDate:
    """What is only roughly known: its periods by first and last day."""
    periods = [Window(first=date.fromisoformat(first), last=last and date.fromisoformat(last)) for first, last in windows]
    return ApproximateDate(precision=precision, windows=tuple(periods))


def new_date(title: str | Mapping[str, str] = "Meeting on remittances", when: When | None = None, **more: Any) -> NewDate:
    """A date about to be added."""
    words = {name: more.pop(name) for name in list(more) if name in Description.__dataclass_fields__}
    described = Description(**{"language": "en", "title": {"en": title} if isinstance(title, str) else title, **words})
    id_ = new_id()
    return NewDate(
        **{"id": id_, "kind": DateKind.MEETING, "description": described, "when": when or days("2027-06-16"), "trace_id": id_.hex, **more}
    )


async def stored(database: Database, new: NewDate | None = None) -> StoredDate:
    """A date that stands in the calendar, of which nobody was told."""
    async with database.transaction() as tx:
        return await dates.add(tx, new or new_date(), at=clock.now())
