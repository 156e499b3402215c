"""When something is, said in the reader's language: a day with its weekday, an hour with its zone, a quarter as a quarter."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from services.calendar.domain.periods import Stretch, stretches
from shared import clock, i18n
from shared.events.times import ApproximateDate, Days, TimeWithZone, When

_IN_ONE: Mapping[str, Callable[[date, str], str]] = {"month": i18n.month, "quarter": i18n.quarter, "year": i18n.year}


def when_said(when: When, reader: str) -> str:
    """Return the whole of it in one line."""
    if isinstance(when, ApproximateDate):
        return listed([stretch_said(stretch, reader) for stretch in stretches(when)], reader)
    if isinstance(when, TimeWithZone):
        return i18n.translate(reader, "agenda.day-and-hour", day=days_said(when, reader), hour=hours_said(when, reader))
    return days_said(when, reader)


def days_said(when: TimeWithZone | Days, reader: str) -> str:
    """Return the day, or the first and the last of several."""
    return _from_to(*(i18n.full_day(day, reader) for day in _days(when)), reader=reader)


def days_marked(when: TimeWithZone | Days, reader: str) -> str:
    """Return the same for a page, each day in an element that programs can read."""
    first, last = (_marked(day, i18n.full_day(day, reader)) for day in _days(when))
    return _from_to(first, last, reader=reader)


def hours_said(when: TimeWithZone, reader: str, *, zone: str | None = None) -> str:
    """Return from when to when by the clock of its place, or of another zone, with that zone's name."""
    shown = zone or when.zone
    hours = _hours(when, reader, shown)
    if shown == "UTC":
        return i18n.translate(reader, "agenda.hours-utc", hours=hours)
    return i18n.translate(reader, "agenda.hours", hours=hours, zone=shown, offset=_offset(when.starts, shown))


def _hours(when: TimeWithZone, reader: str, zone: str) -> str:
    starts = i18n.hour(when.starts, reader, zone)
    if when.ends is None or when.ends == when.starts:
        return starts
    ends = i18n.hour(when.ends, reader, zone)
    place = ZoneInfo(zone)
    last = when.ends.astimezone(place).date()
    if zone == "UTC" and last != when.starts.astimezone(place).date():
        ends = i18n.translate(reader, "agenda.day-and-hour", day=i18n.day(last, reader), hour=ends)
    return _from_to(starts, ends, reader=reader)


def utc_day(when: TimeWithZone, reader: str) -> str:
    """Return the day on which it begins in UTC, where that is another than in its place; else nothing."""
    day = clock.check_aware(when.starts).date()
    return "" if day == when.first_day else i18n.full_day(day, reader)


def stretch_said(stretch: Stretch, reader: str) -> str:
    """Return how a stretch of time is called."""
    first, last = stretch.first, stretch.last
    if last is None:
        return i18n.translate(reader, "agenda.since", month=i18n.month(first, reader))
    if stretch.kind == "half":
        return i18n.translate(reader, "agenda.half-1" if first.month == 1 else "agenda.half-2", year=i18n.year(first, reader))
    if stretch.kind in _IN_ONE:
        return _IN_ONE[stretch.kind](first, reader)
    said = i18n.year if stretch.kind == "years" else i18n.month
    return _from_to(said(first, reader), said(last, reader), reader=reader)


def listed(parts: list[str], reader: str) -> str:
    """Return several in one line."""
    said = parts[0]
    for part in parts[1:]:
        said = i18n.translate(reader, "agenda.and", one=said, other=part)
    return said


def _days(when: TimeWithZone | Days) -> tuple[date, date]:
    return when.first_day, when.last_day


def _marked(day: date, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), words)


def _from_to(first: str, last: str, *, reader: str) -> str:
    return first if first == last else i18n.translate(reader, "agenda.from-to", first=first, last=last)


def _offset(moment: datetime, zone: str) -> str:
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    sign, minutes = ("-", -offset) if offset < timedelta() else ("+", offset)
    hours, rest = divmod(int(minutes.total_seconds()) // 60, 60)
    return f"UTC{sign}{hours}{f':{rest:02}' if rest else ''}"
