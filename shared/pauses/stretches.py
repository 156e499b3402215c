"""The stretch of time in which a date of the calendar forbids to post and to send. No I/O."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.events.codes import DateKind
from shared.events.times import TimeWithZone, When
from shared.wall_clock import plan

FORBIDDING = frozenset({DateKind.BLACKOUT, DateKind.EMBARGO})
"""The kinds of date that make nothing and forbid something."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """From when to when; aware."""

    begins: datetime | None  # None where it has always been so
    ends: datetime | None  # itself free again; None where it goes on without end


def stretch_of(kind: DateKind, when: When, zone: str) -> Stretch:
    """Return when a date forbids: a blackout on all its days by the clock of `zone`, an embargo until it begins.

    A blackout of an hour without an end lasts until midnight; one that is known only roughly covers every day that it may be on.
    """
    if kind is DateKind.EMBARGO:
        return Stretch(begins=None, ends=when.starts if isinstance(when, TimeWithZone) else _midnight(when.first_day, zone))
    if isinstance(when, TimeWithZone):
        return Stretch(begins=when.starts, ends=when.ends or _midnight(when.first_day + timedelta(days=1), when.zone))
    last = when.last_day
    return Stretch(begins=_midnight(when.first_day, zone), ends=_midnight(last + timedelta(days=1), zone) if last else None)


def _midnight(day: date, zone: str) -> datetime:
    return plan(datetime.combine(day, time()), zone).instant
