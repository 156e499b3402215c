"""Times as they travel: an instant is aware and UTC, a day without an hour stays a day, and what is only roughly known stays rough."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from annotated_types import MaxLen, MinLen
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

# Far enough for every commitment and archive; a year beyond is a slip of the hand.
YEARS = range(1900, 2201)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# "Europe/Zurich", "UTC". Abbreviations and "Etc/GMT+1" have no rules of their own or the wrong sign; calendars disagree on them.
_ZONE = re.compile(r"UTC|(?!Etc/)[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]*){1,2}")

Precision = Literal["time", "day", "month", "quarter", "half", "year", "ongoing"]
"""How exactly something is known: to the instant, to the day, or only to the month, quarter, half-year or year; `ongoing` has no end."""

_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}


def _within_years(moment: date) -> None:
    if moment.year not in YEARS:
        raise PydanticCustomError("year-out-of-range", "lies outside {first} to {last}", {"first": YEARS[0], "last": YEARS[-1]})


def _day(value: object) -> object:
    # Python's own reading takes numbers and midnights for days; a day on the wire is written as a day.
    if isinstance(value, datetime) or not isinstance(value, date | str) or (isinstance(value, str) and not _DAY.fullmatch(value.strip())):
        raise PydanticCustomError("not-a-day", "must be a day written as 2026-06-16")
    return value.strip() if isinstance(value, str) else value


def _check_day(value: date) -> date:
    _within_years(value)
    return value


def _moment(value: object) -> object:
    if not isinstance(value, datetime | str):
        raise PydanticCustomError("not-a-moment", "must be a time with its offset, written as 2026-06-16T09:00:00+02:00")
    return value


def _check_moment(value: datetime) -> datetime:
    _within_years(value)
    return value.astimezone(UTC)


Day = Annotated[date, BeforeValidator(_day), AfterValidator(_check_day)]
"""A day without an hour."""

Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_check_moment)]
"""An instant; given with any offset, held in UTC."""


@lru_cache(maxsize=1_000)  # more than there are zones; names from outside must not pile up
def is_zone(name: str) -> bool:
    """Return whether `name` is a time zone of the IANA database that calendars everywhere understand."""
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a folder of the database, or no name at all
        return False
    return True


def _check_zone(name: str) -> str:
    if not is_zone(name):
        raise PydanticCustomError("unknown-zone", "is not a time zone of the IANA database, such as Europe/Zurich or UTC")
    return name


Zone = Annotated[
    str,
    StringConstraints(max_length=60),
    AfterValidator(_check_zone),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]", "maxLength": 60, "examples": ["Europe/Zurich"]}),
]


def _check_order(end: date | None, start: date | None) -> None:
    if end is not None and start is not None and end < start:
        raise PydanticCustomError("end-before-start", "ends before it begins, {start}", {"start": start.isoformat()})


class TimeWithZone(BaseModel):
    """A time of day in a place: instants, and the zone whose clock people there read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    precision: Literal["time"] = Field(title="Precision", description="Always `time`.")
    starts: Moment = Field(title="Begins", description="When it begins.", examples=["2026-06-16T09:00:00+02:00"])
    ends: Moment | None = Field(default=None, title="Ends", description="When it ends; empty where nobody has said.")
    zone: Zone = Field(title="Time zone", description="IANA name of the zone it takes place in.", examples=["Europe/Zurich"])

    @field_validator("ends")
    @classmethod
    def _ends_after_start(cls, ends: datetime | None, info: ValidationInfo) -> datetime | None:
        _check_order(ends, info.data.get("starts"))
        return ends

    @property
    def first_day(self) -> date:
        """The day on which it begins, by the clock of its zone."""
        return self.starts.astimezone(ZoneInfo(self.zone)).date()

    @property
    def last_day(self) -> date:
        """The day on which it ends, by the clock of its zone."""
        return (self.ends or self.starts).astimezone(ZoneInfo(self.zone)).date()


class Days(BaseModel):
    """Whole days, wherever one is: 16 June, or 6 to 15 July."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    precision: Literal["day"] = Field(title="Precision", description="Always `day`.")
    first: Day = Field(title="First day", description="The first day.", examples=["2026-06-16"])
    last: Day = Field(title="Last day", description="The last day, itself included; the first day again for a single day.")

    @field_validator("last")
    @classmethod
    def _last_after_first(cls, last: date, info: ValidationInfo) -> date:
        _check_order(last, info.data.get("first"))
        return last

    @property
    def first_day(self) -> date:
        """The first day."""
        return self.first

    @property
    def last_day(self) -> date:
        """The last day."""
        return self.last


class Window(BaseModel):
    """A stretch of time within which something falls."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    first: Day = Field(title="First day", description="The first day of the stretch.", examples=["2026-04-01"])
    last: Day | None = Field(
        default=None, title="Last day", description="Its last day, itself included; empty only where it goes on without end."
    )

    @field_validator("last")
    @classmethod
    def _last_after_first(cls, last: date | None, info: ValidationInfo) -> date | None:
        _check_order(last, info.data.get("first"))
        return last


class ApproximateDate(BaseModel):
    """What is known only to the month, quarter, half-year or year, or goes on; never to be shown as a day."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    precision: Literal["month", "quarter", "half", "year", "ongoing"] = Field(
        title="Precision", description="How exactly the end is known."
    )
    windows: Annotated[tuple[Window, ...], MinLen(1), MaxLen(12)] = Field(
        title="Periods",
        description="One period, or several that lie apart, in order. From the first day of a month to the end of what `precision` says.",
    )

    @field_validator("windows")
    @classmethod
    def _whole_periods(cls, windows: tuple[Window, ...], info: ValidationInfo) -> tuple[Window, ...]:
        precision = info.data.get("precision")
        for before, after in pairwise(windows):
            if before.last is None or after.first <= before.last:
                raise PydanticCustomError("periods-out-of-order", "periods must follow one another without overlap")
        if precision in _MONTHS and not all(_is_whole(window, _MONTHS[precision]) for window in windows):
            raise PydanticCustomError(
                "not-a-whole-period",
                "must begin with the first day of a month and end with the last day of a {precision}",
                {"precision": precision},
            )
        return windows

    @property
    def first_day(self) -> date:
        """The first day of the first period."""
        return self.windows[0].first

    @property
    def last_day(self) -> date | None:
        """The last day of the last period; None where it goes on."""
        return self.windows[-1].last


def _is_whole(window: Window, months: int) -> bool:
    last = window.last
    return window.first.day == 1 and last is not None and last.month % months == 0 and last.day == monthrange(last.year, last.month)[1]


When = Annotated[TimeWithZone | Days | ApproximateDate, Field(discriminator="precision")]
"""When something is, as exactly as it is known."""

Due = Annotated[TimeWithZone | Days, Field(discriminator="precision")]
"""By when something must be done: an hour or a day."""
