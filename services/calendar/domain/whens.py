"""When something is, as it is kept and as it moves with something else."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.events.times import ApproximateDate, Days, TimeWithZone, When, Window

COLUMNS = ("precision", "starts_at", "ends_at", "zone", "first_day", "last_day", "windows")
"""What is kept of a When."""


def columns_of(when: When) -> dict[str, Any]:
    """Return what is kept of a When, by the names in COLUMNS."""
    timed = isinstance(when, TimeWithZone)
    return {
        "precision": when.precision,
        "starts_at": when.starts if isinstance(when, TimeWithZone) else None,
        "ends_at": when.ends if isinstance(when, TimeWithZone) else None,
        "zone": when.zone if isinstance(when, TimeWithZone) else None,
        "first_day": when.first_day,
        "last_day": when.last_day,
        "windows": [] if timed or not isinstance(when, ApproximateDate) else [one.model_dump(mode="json") for one in when.windows],
    }


def when_of(kept: Mapping[str, Any]) -> When:
    """Return the When that was kept; `kept` has the names in COLUMNS."""
    if kept["precision"] == "time":
        return TimeWithZone(precision="time", starts=kept["starts_at"], ends=kept["ends_at"], zone=kept["zone"])
    if kept["precision"] == "day":
        return Days(precision="day", first=kept["first_day"], last=kept["last_day"])
    return ApproximateDate(precision=kept["precision"], windows=tuple(Window.model_validate(one) for one in kept["windows"]))


def is_exact(when: When) -> bool:
    """Say whether it is known to the day or better."""
    return not isinstance(when, ApproximateDate)


def is_over(when: When, today: date) -> bool:
    """Say whether its last day lies before `today`; what goes on is never over."""
    return when.last_day is not None and when.last_day < today


def day_of(moment: datetime, zone: str) -> date:
    """Return the day on which a moment falls by the clock of a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def days_before(when: When, days: int, *, was: When | None = None) -> When:
    """Return when something falls that must be done so many days before the first day of `when`.

    It is a whole day, or the hour that `was` had; as long as `when` is only roughly known, it is the months within which that day may
    fall. Raises ValueError for what goes on without end.
    """
    if not is_exact(when):
        return _months_before(when, days)
    day = when.first_day - timedelta(days=days)
    if isinstance(was, TimeWithZone):
        return _at_same_hour(was, day)
    return Days(precision="day", first=day, last=day)


def _months_before(when: When, days: int) -> When:
    if when.last_day is None:
        raise ValueError("nothing can be due before what has no end")
    first, last = when.first_day - timedelta(days=days), when.last_day - timedelta(days=days)
    window = Window(first=first.replace(day=1), last=last.replace(day=monthrange(last.year, last.month)[1]))
    return ApproximateDate(precision="month", windows=(window,))


def _at_same_hour(was: TimeWithZone, day: date) -> TimeWithZone:
    zone = ZoneInfo(was.zone)
    starts = datetime.combine(day, was.starts.astimezone(zone).time(), zone).astimezone(UTC)
    return TimeWithZone(precision="time", starts=starts, ends=starts + (was.ends - was.starts) if was.ends else None, zone=was.zone)
