"""What a colleague enters of a date, as strict as what comes in at the door."""

from typing import Annotated, Any, Self

from annotated_types import MaxLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.calendar.domain.dates import Description
from shared.events.base import Objectives, Principles, Regions, Source
from shared.events.codes import DateKind, Language, SourceKind
from shared.events.kinds.parts import Countries, Link, Original
from shared.events.texts import Line, LocalLine, LocalSummary
from shared.reference import thematic

BY_HAND = tuple(kind for kind in DateKind if kind not in {DateKind.TALK, DateKind.PLEDGE_DUE})
"""Kinds that people enter; the dates of Talks and pledges follow from those."""

EMBARGOED = (SourceKind.PRACTICE, SourceKind.TALK, SourceKind.NEWS, SourceKind.PLEDGE, SourceKind.CONTRIBUTION, SourceKind.PROMOTION)
"""What an embargo may be on."""

MOST_DAYS_BEFORE = 366


def _offered(codes: frozenset[str]) -> AfterValidator:
    def check(code: str | None) -> str | None:
        if code is not None and code not in codes:
            raise PydanticCustomError("fault.not-offered", "is none of those that are offered")
        return code

    return AfterValidator(check)


AREAS = frozenset(str(one.n) for one in thematic.areas())
PRIORITIES = frozenset(one.code for one in thematic.priorities())


class EnteredWords(BaseModel):
    """What a date is, all but when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    title: Annotated[LocalLine, Original]
    summary: LocalSummary | None = None
    place: Line | None = None
    entity: Line | None = None
    regions: Regions = ()
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    theme: Annotated[str | None, _offered(AREAS)] = None
    priority: Annotated[str | None, _offered(PRIORITIES)] = None
    lead: Annotated[tuple[Line, ...], MaxLen(60)] = ()
    participants: Annotated[tuple[Line, ...], MaxLen(60)] = ()
    links: Annotated[tuple[Link, ...], MaxLen(10)] = ()

    def description(self) -> Description:
        """Return what was entered."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in EnteredWords.model_fields}
        links = tuple({"address": link.address, "label": link.label} for link in self.links)
        return Description(**fields | {"links": links, "summary": self.summary or {}})


class EnteredDate(EnteredWords):
    """A new date, all but when."""

    kind: DateKind
    public: bool = True
    source_kind: SourceKind | None = None
    source_id: Line | None = Field(default=None, max_length=100)

    @field_validator("kind")
    @classmethod
    def _by_hand(cls, kind: DateKind) -> DateKind:
        if kind not in BY_HAND:
            raise PydanticCustomError("fault.not-offered", "follows from another thing and is not entered by hand")
        return kind

    @model_validator(mode="after")
    def _embargo_has_source(self) -> Self:
        if self.kind is DateKind.EMBARGO and (self.source_kind not in EMBARGOED or self.source_id is None):
            raise PydanticCustomError("fault.embargo-without-source", "an embargo names what nobody may speak of")
        return self

    @property
    def source(self) -> Source | None:
        """What an embargo is on; None for other dates."""
        if self.kind is not DateKind.EMBARGO or self.source_kind is None or self.source_id is None:
            return None
        return Source(kind=self.source_kind, id=self.source_id)


class EnteredReason(BaseModel):
    """Why something is moved or cancelled, in words for the public."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    because: LocalLine


class EnteredDeadline(BaseModel):
    """A deadline that moves with a meeting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    title: Annotated[LocalLine, Original]
    days_before: Annotated[int, Field(ge=0, le=MOST_DAYS_BEFORE)]
