"""The rows of the two lists that the calendar takes in, each read as what it says: no day is made of a quarter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from annotated_types import MaxLen, MinLen
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.calendar.domain.dates import Description, NewDate
from shared.events.base import Objectives
from shared.events.codes import DateKind
from shared.events.texts import Line, Text
from shared.events.times import ApproximateDate, Day, Days, When, Window
from shared.reference import thematic

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
RoughPrecision = Literal["month", "quarter", "half", "year", "ongoing"]


def _empty(value: object) -> object:
    return None if value == "" else value


def _list(value: object) -> object:
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value


def _periods(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = [part.strip().partition("/") for part in value.split(";") if part.strip()]
    if not all(slash for _, slash, _ in found):
        raise PydanticCustomError("not-periods", "must be periods written as 2021-01-01/2021-03-31, several with ; between them")
    return [{"first": first, "last": last or None} for first, _, last in found]


Maybe = BeforeValidator(_empty)
Names = Annotated[tuple[Line, ...], BeforeValidator(_list), MaxLen(60)]


class SheetRow(BaseModel):
    """A row of a list, by the names of its columns."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    columns: ClassVar[Sequence[str]]  # the first is needed to know the list by

    id: Key = Field(description="Key of the row; the same row is known by it when it comes again.")

    @model_validator(mode="after")
    def _periods_are_whole(self) -> Self:
        try:
            self.when()
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise PydanticCustomError("not-a-when", "{why}", {"why": wrong["msg"]}) from error
        return self

    def description(self) -> Description:
        """Return what the row says that the date is."""
        raise NotImplementedError

    def when(self) -> When:
        """Return when the row says that it is."""
        raise NotImplementedError

    def as_new(self, *, id_: UUID, historic: bool, trace_id: str) -> NewDate:
        """Return the date that the row is, where there is none yet."""
        raise NotImplementedError


class Activity(SheetRow):
    """An activity of the work plan, with its deadline as printed and as read."""

    columns: ClassVar[Sequence[str]] = (
        *("id", "priority", "activity_no", "title_fr", "title_en", "deadline_text", "precision", "start", "end", "windows"),
        *("continues_until", "lead", "participants", "org_scope", "objectives", "thematic_area", "observance_id"),
        *("source_line", "deadline_line", "note"),
    )

    priority: str
    activity_no: str = ""
    title_fr: Line
    title_en: Line
    deadline_text: Line
    precision: Literal["day"] | RoughPrecision
    start: Day
    end: Annotated[Day | None, Maybe] = None
    windows: Annotated[tuple[Window, ...], BeforeValidator(_periods), MinLen(1), MaxLen(12)]
    continues_until: Annotated[Day | Literal["open"] | None, Maybe] = None
    lead: Names = ()
    participants: Names = ()
    org_scope: Literal["section", "activity", "none"] = "none"
    objectives: Annotated[Objectives, BeforeValidator(_list)] = ()
    thematic_area: Annotated[int | None, Maybe] = None
    observance_id: Annotated[Key | None, Maybe] = None
    source_line: str = ""
    deadline_line: str = ""
    note: Annotated[Text | None, Maybe] = None

    @field_validator("priority")
    @classmethod
    def _known_priority(cls, code: str) -> str:
        if code not in {one.code for one in thematic.priorities()}:
            raise PydanticCustomError("unknown-priority", "{code} is no priority of the work plan", {"code": code})
        return code

    @field_validator("thematic_area")
    @classmethod
    def _known_area(cls, number: int | None) -> int | None:
        if number is not None and number not in {one.n for one in thematic.areas()}:
            raise PydanticCustomError("unknown-area", "{number} is no thematic area; they are numbered 1 to 5", {"number": number})
        return number

    @field_validator("end")
    @classmethod
    def _end_after_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start, precision = info.data.get("start"), info.data.get("precision")
        if end is None and precision not in {None, "ongoing"}:
            raise PydanticCustomError("missing", "is missing; only what is ongoing has no end")
        if end is not None and start is not None and end < start:
            raise PydanticCustomError("end-before-start", "ends before it begins, {start}", {"start": start.isoformat()})
        return end

    def description(self) -> Description:
        """Return what the plan says that the activity is; its titles are our own short wording."""
        return Description(
            language="fr",
            title={"en": self.title_en, "fr": self.title_fr},
            objectives=self.objectives,
            theme=None if self.thematic_area is None else str(self.thematic_area),
            priority=self.priority,
            lead=self.lead,
            participants=self.participants,
        )

    def when(self) -> When:
        """Return the periods that are printed: all of them, where they follow one another.

        Where a second deadline is printed over the first, the first counts; both stand in `plan`. What is ongoing goes on after the
        periods that are named.
        """
        if self.precision == "day":
            return Days(precision="day", first=self.windows[0].first, last=self.windows[-1].last or self.windows[-1].first)
        windows = list(self.windows)
        if any(after.first <= (before.last or date.max) for before, after in pairwise(windows)):
            windows = windows[:1]
        if self.precision == "ongoing" and windows[-1].last is not None:
            windows.append(Window(first=windows[-1].last + timedelta(days=1), last=None))
        return ApproximateDate(precision=self.precision, windows=tuple(windows))

    def plan(self) -> Mapping[str, Any]:
        """Return what the plan says beyond the date, as printed."""
        until = self.continues_until
        return {
            "id": self.id,
            "activity_no": self.activity_no,
            "deadline_text": self.deadline_text,
            "precision": self.precision,
            "start": self.start.isoformat(),
            "end": self.end.isoformat() if self.end else None,
            "windows": [one.model_dump(mode="json") for one in self.windows],
            "continues_until": until.isoformat() if isinstance(until, date) else until,
            "org_scope": self.org_scope,
            "observance_id": self.observance_id,
            "source_line": self.source_line,
            "deadline_line": self.deadline_line,
            "note": self.note,
        }

    def as_new(self, *, id_: UUID, historic: bool, trace_id: str) -> NewDate:
        """Return the activity as a date."""
        return NewDate(
            id=id_,
            kind=DateKind.ACTIVITY,
            description=self.description(),
            when=self.when(),
            import_key=self.id,
            plan=self.plan(),
            historic=historic,
            trace_id=trace_id,
        )


class Observance(SheetRow):
    """A named day or meeting."""

    columns: ClassVar[Sequence[str]] = (
        *("id", "kind", "title_en", "title_fr", "start", "end", "precision", "recurring", "source", "verified", "note"),
    )

    kind: Literal[DateKind.INTERNATIONAL_DAY, DateKind.MEETING, DateKind.REPORT, DateKind.REGIONAL_REVIEW]
    title_en: Line
    title_fr: Line
    start: Day
    end: Day
    precision: Literal["day", "month", "quarter", "half", "year"]
    recurring: Literal["yearly", "no"] = "no"
    source: str = ""
    verified: str = ""
    note: Annotated[Text | None, Maybe] = None

    @property
    def is_yearly(self) -> bool:
        """Whether it comes again each year; its days are then those of the first one."""
        return self.recurring == "yearly"

    def description(self) -> Description:
        """Return what the day or meeting is."""
        return Description(language="en", title={"en": self.title_en, "fr": self.title_fr})

    def when(self) -> When:
        """Return the days, or the month, half-year or year that is all that is known."""
        if self.precision == "day":
            return Days(precision="day", first=self.start, last=self.end)
        return ApproximateDate(precision=self.precision, windows=(Window(first=self.start, last=self.end),))

    def as_new(self, *, id_: UUID, historic: bool, trace_id: str) -> NewDate:
        """Return the day or meeting as a date."""
        return NewDate(
            id=id_,
            kind=self.kind,
            description=self.description(),
            when=self.when(),
            import_key=self.id,
            yearly=self.id if self.is_yearly else None,
            historic=historic,
            trace_id=trace_id,
        )


class Verdict(StrEnum):
    """What becomes of a row."""

    ADDED = "added"
    MOVED = "moved"  # it is known, and says another time
    CORRECTED = "corrected"  # it is known, and says other words
    UNCHANGED = "unchanged"  # known as the list has it, whatever people have changed since
    CANCELLED = "cancelled"  # somebody cancelled it here, so that what the list says of it changes nothing
    REFUSED = "refused"  # wrong; a list with such a row is not taken in at all


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A row and what becomes of it."""

    line: int  # as a person counts: the head stands on line 1
    key: str  # of the row, empty where it has none
    verdict: Verdict
    field: str = ""  # of a refused row: the column that is wrong
    code: str = ""
    reason: str = ""
