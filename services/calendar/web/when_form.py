"""When a date is, as a form asks for it: how exactly it is known, and days out of which whole months, quarters or years are made."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared.events.kinds.faults import fault_key
from shared.events.times import YEARS, ApproximateDate, Days, TimeWithZone, When, is_zone
from shared.wall_clock import plan
from shared.web.forms import Fault, faults_of

PRECISIONS = ("time", "day", "month", "quarter", "half", "year", "ongoing")
ROWS = 4
"""How many periods a form offers; the work plan has two at most."""

_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_WHEN: TypeAdapter[When] = TypeAdapter(When)
_FIELDS = {"precision": "precision", "starts": "starts", "ends": "ends", "zone": "zone", "first": "first-1", "last": "last-1"}
NAMES = ("precision", "starts", "ends", "zone", *(f"{end}-{row}" for row in range(1, ROWS + 1) for end in ("first", "last")))
"""Names of the form's fields."""


def filled(when: When | None, *, zone: str) -> Mapping[str, str]:
    """Return what the form's fields hold for a When; empty for None."""
    values = dict.fromkeys(NAMES, "") | {"zone": zone, "precision": "day"}
    match when:
        case None:
            pass
        case TimeWithZone():
            starts, ends = (None if one is None else one.astimezone(ZoneInfo(when.zone)) for one in (when.starts, when.ends))
            assert starts is not None
            values |= {"first-1": starts.date().isoformat(), "starts": f"{starts:%H:%M}", "zone": when.zone, "precision": "time"}
            if ends is not None:
                values |= {"last-1": ends.date().isoformat(), "ends": f"{ends:%H:%M}"}
        case Days():
            values |= {"first-1": when.first.isoformat(), "last-1": when.last.isoformat()}
        case ApproximateDate():
            values["precision"] = when.precision
            for row, window in enumerate(when.windows[:ROWS], start=1):
                values |= {f"first-{row}": window.first.isoformat(), f"last-{row}": window.last.isoformat() if window.last else ""}
    return values


def read(posted: Mapping[str, str]) -> tuple[When | None, Sequence[Fault]]:
    """Return the When that was filled in, or None and what is wrong with it."""
    precision = posted.get("precision", "")
    if precision not in PRECISIONS:
        return None, [_fault("precision", "not-offered" if precision else "missing")]
    rows, faults = _rows(posted)
    if not rows and not faults:
        faults = [_fault("first-1", "missing")]
    if faults:
        return None, faults
    if precision == "time":
        return _time(posted, *rows[0])
    try:
        return _WHEN.validate_python(_days(rows) if precision == "day" else _periods(precision, rows)), ()
    except ValidationError as error:
        return None, _named(error)


def _rows(posted: Mapping[str, str]) -> tuple[list[tuple[date, date | None]], list[Fault]]:
    rows: list[tuple[date, date | None]] = []
    faults: list[Fault] = []
    for row in range(1, ROWS + 1):
        days = []
        for name in (f"first-{row}", f"last-{row}"):
            text = posted.get(name, "").strip()
            day = _day(text)
            if text and day is None:
                faults.append(_fault(name, "not-a-day"))
            days.append(day)
        first, last = days
        if first is not None:
            rows.append((first, last))
        elif last is not None:
            faults.append(_fault(f"first-{row}", "missing"))
    return rows, faults


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None
    return day if day is not None and day.year in YEARS else None


def _days(rows: Sequence[tuple[date, date | None]]) -> Mapping[str, Any]:
    first, last = rows[0]
    return {"precision": "day", "first": first, "last": last or first}


def _periods(precision: str, rows: Sequence[tuple[date, date | None]]) -> Mapping[str, Any]:
    if precision == "ongoing":
        windows = [{"first": first, "last": last} for first, last in rows]
        return {"precision": precision, "windows": [*windows[:-1], {**windows[-1], "last": None}]}
    months = _MONTHS[precision]
    return {
        "precision": precision,
        "windows": [{"first": _first_of(first, months), "last": _last_of(last or first, months)} for first, last in rows],
    }


def _first_of(day: date, months: int) -> date:
    """Return the first day of the whole period that a day lies in."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _last_of(day: date, months: int) -> date:
    month = ((day.month - 1) // months + 1) * months
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


def _time(posted: Mapping[str, str], first: date, last: date | None) -> tuple[When | None, Sequence[Fault]]:
    zone = posted.get("zone", "").strip()
    starts, ends = (posted.get(name, "").strip() for name in ("starts", "ends"))
    faults = [] if is_zone(zone) else [_fault("zone", "unknown-zone" if zone else "missing")]
    if not starts:
        faults.append(_fault("starts", "missing"))
    elif _hour(starts) is None:
        faults.append(_fault("starts", "not-a-moment"))
    if ends and _hour(ends) is None:
        faults.append(_fault("ends", "not-a-moment"))
    if faults:
        return None, faults
    given: dict[str, Any] = {"precision": "time", "zone": zone, "starts": _instant(first, starts, zone)}
    if ends:
        given["ends"] = _instant(last or first, ends, zone)
    try:
        return _WHEN.validate_python(given), ()
    except ValidationError as error:
        return None, _named(error)


def _hour(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%H:%M")  # noqa: DTZ007  # an hour alone has no zone
    except ValueError:
        return None


def _instant(day: date, text: str, zone: str) -> datetime:
    hour = _hour(text)
    assert hour is not None  # looked at before
    return plan(datetime.combine(day, hour.time()), zone).instant


def _named(error: ValidationError) -> Sequence[Fault]:
    """Return the faults under the names of the form's fields."""
    found = []
    for fault in faults_of(error):
        steps = fault.field.split(".")
        row = next((int(step) + 1 for step in steps if step.isdigit()), 1)
        name = _FIELDS.get(steps[-1], "first-1")
        found.append(_fault(f"{name[:-1]}{row}" if name.endswith("-1") else name, fault.code, fault.params))
    return found


def _fault(field: str, code: str, params: Mapping[str, Any] | None = None) -> Fault:
    return Fault(field=field, pointer=f"/{field}", part="body", code=code, key=fault_key(code), params=params or {})
