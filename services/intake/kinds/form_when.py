"""A date as exactly as it is known, from the fields of a form: an hour in a zone, days, or a part of a year.

Without JavaScript all fields are there; which of them count follows from how exactly the sender says it is known.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.events.times import is_zone

One = Callable[[str], str]
"""Gives what was filled in under a name, empty where nothing was."""

WHOLE_YEAR = "year"
MONTHS, QUARTERS, HALVES = range(1, 13), range(1, 5), range(1, 3)
PARTS = (WHOLE_YEAR, *(f"m{number}" for number in MONTHS), *(f"q{number}" for number in QUARTERS), *(f"h{number}" for number in HALVES))
"""The parts of a year to choose from: the whole of it, a month, a quarter, a half."""
_LENGTHS = {"m": ("month", 1), "q": ("quarter", 3), "h": ("half", 6)}
_MAX_YEAR_DIGITS = 4


def when_value(one: One, name: str) -> Mapping[str, Any]:
    """Return the value for the model; what is missing or no date stays so, for the model to say."""
    match one(name):
        case "time":
            return _time(one, name)
        case "day":
            return days_value(one, name)
        case "rough":
            return _rough(one(f"{name}.year"), one(f"{name}.part"))
        case "":
            return {}
        case other:
            return {"precision": other}


def days_value(one: One, name: str) -> Mapping[str, Any]:
    """Return the value of one day or several; nothing where both are empty."""
    first, last = one(f"{name}.first"), one(f"{name}.last")
    # Days that are chosen as the way to say it need a first one; days by themselves may be left out.
    if not first and not last and one(name) != "day":
        return {}
    return {"precision": "day", **({"first": first} if first else {}), **({"last": last or first} if last or first else {})}


def _time(one: One, name: str) -> Mapping[str, Any]:
    zone, first = one(f"{name}.zone"), one(f"{name}.first")
    last = one(f"{name}.last")
    found: dict[str, Any] = {"precision": "time"}
    if first and (begins := one(f"{name}.from")):
        found["starts"] = _moment(first, begins, zone)
    if (until := one(f"{name}.until")) or last:
        # A last day without its hour is no moment, and the model says so; it is not dropped.
        found["ends"] = _moment(last or first, until, zone)
    if zone:
        found["zone"] = zone
    return found


def _moment(day: str, hour: str, zone: str) -> str:
    written = f"{day}T{hour}"
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    # Where the zone is wrong that is told of the zone; the hour is not called wrong for it.
    return (moment.replace(tzinfo=ZoneInfo(zone if is_zone(zone) else "UTC"))).isoformat() if moment.tzinfo is None else written


def _rough(year: str, part: str) -> Mapping[str, Any]:
    kind, months = _LENGTHS.get(part[:1], ("year", 12)) if part in PARTS else ("year", 12)
    if not year:
        return {"precision": kind}
    if not (year.isascii() and year.isdigit() and 0 < len(year) <= _MAX_YEAR_DIGITS and int(year)):
        return {"precision": kind, "windows": [{"first": year, "last": year}]}
    number = int(part[1:]) if part in PARTS and part != WHOLE_YEAR else 1
    first, last = (number - 1) * months + 1, number * months
    full = f"{int(year):04}"
    days = monthrange(int(year), last)[1]
    return {"precision": kind, "windows": [{"first": f"{full}-{first:02}-01", "last": f"{full}-{last:02}-{days:02}"}]}


def when_field(one: One, name: str, rest: str) -> str:
    """Return the field of the form that a fault is about; `rest` is where the model found it, within the date."""
    end = rest.rpartition(".")[2]
    if "windows" in rest:
        return f"{name}.year"
    if end == "starts":
        return f"{name}.from" if one(f"{name}.first") else f"{name}.first"
    by_end = {"ends": "until", "zone": "zone", "first": "first", "last": "last"}
    return f"{name}.{by_end[end]}" if end in by_end else name
