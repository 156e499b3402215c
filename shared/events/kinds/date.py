"""A date for the Network's calendar."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.events.base import Objectives, Principles, Public, Regions
from shared.events.codes import DateKind, EntityType, Service
from shared.events.kinds.parts import AsTitle, Countries, Link, Original, Submission, When
from shared.events.texts import Line, LocalLine, LocalSummary

SUGGESTED = (DateKind.MEETING, DateKind.INTERNATIONAL_DAY, DateKind.REGIONAL_REVIEW, DateKind.REPORT, DateKind.TRAINING, DateKind.OTHER)
"""What outsiders may suggest; the other kinds of date follow from other things or are entered by the Network itself."""


def _suggested(kind: DateKind) -> DateKind:
    if kind not in SUGGESTED:
        raise PydanticCustomError("not-suggested", "cannot be suggested; what can is {kinds}", {"kinds": ", ".join(SUGGESTED)})
    return kind


SuggestedKind = Annotated[
    DateKind, AfterValidator(_suggested), WithJsonSchema({"type": "string", "enum": [str(kind) for kind in SUGGESTED]})
]


class DateSuggestion(Submission):
    """A date for the calendar: something about migration and the Global Compact that others should know of."""

    kind_name: ClassVar[str] = "date"
    type: ClassVar[str] = "date.suggested"
    reviewed_by: ClassVar[Service] = Service.CALENDAR

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What the date is called, per language; at least in yours.",
        examples=[{"en": "Regional meeting on remittances"}],
    )
    summary: Annotated[LocalSummary | None, AsTitle, Public] = Field(
        default=None,
        title="Summary",
        description="What it is about, in a few sentences per language.",
        examples=[{"en": "Central banks and diaspora groups look for cheaper ways of sending money home."}],
    )
    kind: Annotated[SuggestedKind, Public] = Field(title="Kind of date", description="What the date is.", examples=["meeting"])
    when: Annotated[When, Public] = Field(
        title="When",
        description="When it is: an hour in a time zone, or whole days; "
        "as long as nothing is fixed, a month, a quarter, half a year or a year.",
        examples=[{"precision": "day", "first": "2026-06-16", "last": "2026-06-17"}],
    )
    place: Annotated[Line | None, Public] = Field(
        default=None,
        title="Place",
        description="Where it is; leave empty when online or not yet known.",
        examples=["Example City, Town Hall"],
    )
    entity: Annotated[Line, Public] = Field(
        title="Organisation", description="The body that holds it, by its full name.", examples=["Example University"]
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["academia"]
    )
    regions: Annotated[Regions, Public] = Field(
        default=(),
        title="Regions",
        description="Review regions it is about, where they do not follow from the countries.",
        examples=[["asia-pacific"]],
    )
    countries: Annotated[Countries, Public] = Field(
        default=(), title="Countries", description="Countries it is about, by ISO 3166-1 alpha-2 code.", examples=[["NP"]]
    )
    objectives: Annotated[Objectives, Public] = Field(
        default=(), title="Objectives", description="Objectives of the Global Compact that it is about, by number.", examples=[[20]]
    )
    principles: Annotated[Principles, Public] = Field(
        default=(),
        title="Guiding principles",
        description="Guiding principles of the Global Compact that it is about.",
        examples=[["whole-of-society"]],
    )
    links: Annotated[tuple[Link, ...], MaxLen(10), Public] = Field(
        default=(),
        title="Links",
        description="Where to read more or register.",
        examples=[[{"address": "https://example.org/remittances-2026", "label": "Programme"}]],
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "Regional meeting on remittances"},
        "summary": {"en": "Central banks and diaspora groups look for cheaper ways of sending money home."},
        "kind": "meeting",
        "when": {"precision": "day", "first": "2026-06-16", "last": "2026-06-17"},
        "place": "Example City, Town Hall",
        "entity": "Example University",
        "entity_type": "academia",
        "regions": ["asia-pacific"],
        "countries": ["NP"],
        "objectives": [20],
        "principles": ["whole-of-society"],
        "links": [{"address": "https://example.org/remittances-2026", "label": "Programme"}],
        "contact": {"name": "Dana Example", "mail": "dana@example.org"},
    }
