"""What pledges tells: pledges on the public register, and how far they have come."""

from typing import ClassVar

from pydantic import Field

from shared.events.base import Countries, EventData, Money, Objectives, Principles, Regions, Withdrawn, services
from shared.events.codes import EntityType, Language, PledgeKind, PledgeState, PledgeWay, Scope, Service
from shared.events.texts import Line, LocalLine, LocalText, WebAddress
from shared.events.times import Day

_PLEDGES = services(Service.PLEDGES)
_LISTENERS = services(Service.NEWSLETTER, Service.SOCIAL, Service.CALENDAR, Service.DESK)


class Pledge(EventData):
    """What every event about a standing pledge says: all of it each time, so that no listener needs the earlier ones."""

    tellers: ClassVar[frozenset[Service]] = _PLEDGES
    listeners: ClassVar[frozenset[Service]] = _LISTENERS
    key: ClassVar[str] = "pledge"

    number: Line = Field(description="Public number, which stays.")
    language: Language = Field(description="Language in which it was written; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    text: LocalText = Field(description="What is promised, per language.")
    entity: Line = Field(description="The body that pledges.")
    entity_type: EntityType = Field(description="What kind of body that is.")
    participants: tuple[Line, ...] = Field(default=(), description="The other parties of a common pledge or a partnership.")
    kinds: tuple[PledgeKind, ...] = Field(min_length=1, description="What is promised.")
    way: PledgeWay = Field(description="How it is made.")
    scope: Scope = Field(description="How far it reaches.")
    money: Money | None = Field(default=None, description="The sum of a financial pledge.")
    regions: Regions = ()
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    start: Day | None = Field(default=None, description="The day on which work on it begins; empty where nobody has said.")
    due: Day = Field(description="The day by which it is to be fulfilled; the calendar shows it.")
    state: PledgeState = Field(description="How far it has come, as its owner says.")
    address: WebAddress = Field(description="Its public page.")
    synthetic: bool = Field(default=False, description="Whether it is invented sample data; every page that shows it says so.")


class PledgePublished(Pledge):
    """A pledge was accepted and stands on the public register. The subject is the pledge."""

    type: ClassVar[str] = "pledge.published.v1"


class PledgeUpdated(Pledge):
    """The owner of a pledge reported on it. The subject is the pledge."""

    type: ClassVar[str] = "pledge.updated.v1"

    was: PledgeState = Field(description="The state before this report.")
    note: LocalText | None = Field(default=None, description="What the owner reports, per language.")
    reported: Day = Field(description="The day of which the report speaks.")


class PledgeFulfilled(Pledge):
    """The owner of a pledge reported that it is fulfilled. The subject is the pledge."""

    type: ClassVar[str] = "pledge.fulfilled.v1"

    note: LocalText | None = Field(default=None, description="What the owner reports, per language.")
    fulfilled: Day = Field(description="The day on which it was fulfilled.")
    evidence: WebAddress | None = Field(default=None, description="Where it can be seen; empty while it is only said.")


class PledgeWithdrawn(Withdrawn):
    """A pledge no longer stands on the public register. The subject is the pledge."""

    type: ClassVar[str] = "pledge.withdrawn.v1"
    tellers: ClassVar[frozenset[Service]] = _PLEDGES
    listeners: ClassVar[frozenset[Service]] = _LISTENERS | services(Service.INTAKE)  # its sender follows it there
    key: ClassVar[str] = "pledge"

    number: Line = Field(description="Public number.")
