"""A date as its readers see it: on pages, in feeds, in the frame on another site."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from shared.events.codes import DateStatus
from shared.events.times import ApproximateDate, Days, TimeWithZone, When, Window

CANCELLED_KEPT = timedelta(days=90)
"""How long feeds say that a date is cancelled before they drop it: every program that asks at all has asked by then."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A public date, flat as it is kept: a feed takes thousands of them."""

    id: UUID
    slug: str
    kind: str  # a DateKind
    language: str
    title: Mapping[str, str]
    summary: Mapping[str, str]  # empty where nobody has written one
    place: str | None
    entity: str | None
    precision: str
    starts_at: datetime | None  # of a time, as its end and zone
    ends_at: datetime | None
    zone: str | None
    first_day: date  # by the clock of its zone; of an approximate date, of its first period
    last_day: date | None  # itself included; empty for what goes on
    windows: tuple[tuple[date, date | None], ...]  # of an approximate date
    status: str  # a DateStatus
    sequence: int
    regions: tuple[str, ...]
    countries: tuple[str, ...]
    objectives: tuple[int, ...]
    principles: tuple[str, ...]
    theme: str | None
    priority: str | None
    lead: tuple[str, ...]
    participants: tuple[str, ...]
    links: tuple[Mapping[str, Any], ...]
    source_kind: str | None
    source_address: str | None
    follows: UUID | None
    days_before: int | None
    plan: Mapping[str, Any] | None  # what the work plan says of an activity
    done_on: date | None
    done_note: Mapping[str, str] | None
    synthetic: bool  # of invented sample data, which is said wherever it is shown
    cancelled_at: datetime | None
    cancelled_because: Mapping[str, str] | None
    created_at: datetime
    updated_at: datetime
    moved_from: When | None = None  # when it was before its last move, if it ever moved

    @property
    def is_exact(self) -> bool:
        """Whether it has a day or an hour."""
        return self.precision in {"time", "day"}

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.status == DateStatus.CANCELLED

    @cached_property
    def when(self) -> When:
        """When it is."""
        if self.precision == "time":
            assert self.starts_at is not None
            assert self.zone is not None
            return TimeWithZone.model_construct(precision="time", starts=self.starts_at, ends=self.ends_at, zone=self.zone)
        if self.precision == "day":
            return Days.model_construct(precision="day", first=self.first_day, last=self.last_day or self.first_day)
        windows = tuple(Window.model_construct(first=first, last=last) for first, last in self.windows)
        return ApproximateDate.model_construct(precision=self.precision, windows=windows)  # type: ignore[arg-type]  # one of the others
