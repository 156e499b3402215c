"""VTIMEZONE (RFC 5545, section 3.6.5) for the years that a feed is about, and for no others: a zone of a hundred years has 4 kB."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.calendar.feeds.lines import clock_time, line

# No zone has changed its clocks and changed them back within a day.
_STEP = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=2_000)
def timezone(name: str, first_year: int, last_year: int) -> str:
    """Return the component for an IANA zone, right from the first day of one year to the last day of another."""
    zone = ZoneInfo(name)
    begins, ends = datetime(first_year, 1, 1, tzinfo=UTC) - _STEP, datetime(last_year, 12, 31, tzinfo=UTC) + 2 * _STEP
    lines = [line("BEGIN:VTIMEZONE"), line(f"TZID:{name}"), *_standing(zone, begins)]
    changes: dict[tuple[timedelta, timedelta, str], list[datetime]] = defaultdict(list)
    for instant in _changes(zone, begins, ends):
        before, after = _offset(zone, instant - _SECOND), _offset(zone, instant)
        # An onset is written by the clock that goes until then.
        onset = (instant + before).replace(tzinfo=None)
        changes[before, after, _name(zone, instant)].append(onset)
    for (before, after, called), onsets in changes.items():
        # Which of the two is summer time no two sources say alike (Morocco, Ireland); the higher offset is taken for it.
        lines.extend(_observance("DAYLIGHT" if after > before else "STANDARD", before, after, called, onsets))
    return "".join([*lines, line("END:VTIMEZONE")])


def _standing(zone: ZoneInfo, begins: datetime) -> list[str]:
    offset = _offset(zone, begins)
    return _observance("STANDARD", offset, offset, _name(zone, begins), [(begins + offset).replace(tzinfo=None)])


def _observance(kind: str, before: timedelta, after: timedelta, called: str, onsets: list[datetime]) -> list[str]:
    return [
        line(f"BEGIN:{kind}"),
        line(f"DTSTART:{clock_time(onsets[0])}"),
        *(line(f"RDATE:{clock_time(onset)}") for onset in onsets[1:]),
        line(f"TZOFFSETFROM:{_written(before)}"),
        line(f"TZOFFSETTO:{_written(after)}"),
        line(f"TZNAME:{called}"),
        line(f"END:{kind}"),
    ]


def _changes(zone: ZoneInfo, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Give the instants at which clocks change, to the second."""
    low = begins
    while low < ends:
        high = low + _STEP
        if _offset(zone, low) != _offset(zone, high):
            before, after = low, high
            while after - before > _SECOND:
                middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
                before, after = (middle, after) if _offset(zone, middle) == _offset(zone, low) else (before, middle)
            yield after
        low = high


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _name(zone: ZoneInfo, instant: datetime) -> str:
    return instant.astimezone(zone).tzname() or "UTC"


def _written(offset: timedelta) -> str:
    seconds = offset // _SECOND
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    # Before zones were agreed, clocks went by the sun, to the second.
    return f"{sign}{hours:02}{minutes:02}{f'{seconds:02}' if seconds else ''}"
