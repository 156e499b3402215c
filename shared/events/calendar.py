"""What calendar tells: dates, and deadlines that come near."""

from typing import ClassVar

from pydantic import Field

from shared.events.base import Countries, EventData, Objectives, Principles, Regions, Source, services
from shared.events.codes import DateKind, DateStatus, Language, Service
from shared.events.texts import Identifier, Line, LocalLine, LocalSummary, WebAddress
from shared.events.times import Due, When

_CALENDAR = services(Service.CALENDAR)


class CalendarDate(EventData):
    """What every event about a date says: all of it each time, so that no listener needs the earlier ones."""

    tellers: ClassVar[frozenset[Service]] = _CALENDAR
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.INTAKE, Service.DESK)
    key: ClassVar[str] = "date"

    kind: DateKind = Field(
        description="What the date is. Newsletter and social also heed `blackout` and `embargo`, intake `steering-committee`."
    )
    language: Language = Field(description="Language in which it was written; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    summary: LocalSummary | None = Field(default=None, description="What it is about, per language.")
    when: When = Field(description="When it is, as exactly as it is known.")
    place: Line | None = Field(default=None, description="Where it is; empty when online or not yet known.")
    status: DateStatus = Field(description="Whether it holds.")
    sequence: int = Field(ge=0, description="How often its time was changed (SEQUENCE in RFC 5546).")
    regions: Regions = ()
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    source: Source | None = Field(
        default=None,
        description="The Talk, pledge or other thing that it is the date of; who has heard of that already makes nothing new of this. "
        "For an embargo, what may not be spoken of.",
    )
    address: WebAddress = Field(description="Its public page.")
    synthetic: bool = Field(default=False, description="Whether it is invented sample data; every page that shows it says so.")


class DatePublished(CalendarDate):
    """A date stands in the calendar. The subject is the date."""

    type: ClassVar[str] = "date.published.v1"


class DateMoved(CalendarDate):
    """A date is at another time than published. The subject is the date."""

    type: ClassVar[str] = "date.moved.v1"

    was: When = Field(description="When it was before.")


class DateCancelled(CalendarDate):
    """A date that was published does not take place; it stays visible as cancelled. The subject is the date."""

    type: ClassVar[str] = "date.cancelled.v1"

    reason: LocalLine | None = Field(default=None, description="Why, in words for the public.")


class DeadlineNear(EventData):
    """A deadline is near; told some days before, and again as it comes nearer. The subject is the deadline."""

    type: ClassVar[str] = "deadline.near.v1"
    tellers: ClassVar[frozenset[Service]] = _CALENDAR
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.DESK)
    key: ClassVar[str] = "deadline"

    title: LocalLine = Field(description="What must be done, per language.")
    due: Due = Field(description="By when.")
    days_left: int = Field(ge=0, description="Days from the day on which this was told to the day it is due; 0 on that day.")
    follows: Identifier | None = Field(default=None, description="Id of the date that it moves with, such as a committee's meeting.")
    address: WebAddress = Field(description="Where to read what is asked for.")
