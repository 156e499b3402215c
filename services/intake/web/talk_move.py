"""The form that asks for another time of a Talk: whole days, or hours by the clock of a place."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared.events.times import ApproximateDate, Days, When, is_zone
from shared.wall_clock import plan
from shared.web.forms import Fault, faults_of

_WHEN: TypeAdapter[When] = TypeAdapter(When)
# Which field of the form something is wrong with, by the last step of the model's path.
_FIELDS = {"starts": "hour", "ends": "until", "first": "first", "last": "last", "zone": "zone"}


EMPTY: Mapping[str, str] = {"first": "", "last": "", "hour": "", "until": "", "zone": "UTC"}


def filled_from(when: When) -> Mapping[str, str]:
    """Return the form filled with a time; of what is only roughly known there is no day to fill in."""
    if isinstance(when, ApproximateDate):
        return EMPTY
    days = {"first": when.first_day.isoformat(), "last": when.last_day.isoformat()}
    if isinstance(when, Days):
        return {**EMPTY, **days}
    place = ZoneInfo(when.zone)
    until = when.ends.astimezone(place).strftime("%H:%M") if when.ends else ""
    return days | {"hour": when.starts.astimezone(place).strftime("%H:%M"), "until": until, "zone": when.zone}


def when_in(filled: Mapping[str, str]) -> When:
    """Return the time that a form holds; raises pydantic's ValidationError for what is none."""
    first, hour = filled.get("first", "").strip(), filled.get("hour", "").strip()
    last = filled.get("last", "").strip() or first
    if not hour:
        return _WHEN.validate_python({"precision": "day", "first": first, "last": last})
    until, zone = filled.get("until", "").strip(), filled.get("zone", "").strip()
    ends = _instant(last, until, zone) if until else None
    return _WHEN.validate_python({"precision": "time", "starts": _instant(first, hour, zone), "ends": ends, "zone": zone})


def _instant(day: str, hour: str, zone: str) -> Any:
    """Return the instant of a time on the wall, or what was written where it makes none: the model says what is wrong with it."""
    try:
        return plan(datetime.fromisoformat(f"{day}T{hour}"), zone if is_zone(zone) else "UTC").instant
    except ValueError:
        return f"{day} {hour}"


def faults_in(error: ValidationError) -> Sequence[Fault]:
    """Return what is wrong under the names of the form's fields."""
    return [replace(fault, field=_FIELDS.get(fault.field.rpartition(".")[2], "first")) for fault in faults_of(error)]
