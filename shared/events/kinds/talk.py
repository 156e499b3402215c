"""A GCM Talk: an exchange of ideas on the Global Compact, mostly regional or global, national where needed."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen
from pydantic import AfterValidator, Field

from shared.events.base import Internal, Languages, Objectives, Principles, Public, Regions
from shared.events.codes import EntityType, Level, Service, TalkFormat
from shared.events.kinds.parts import (
    AsTitle,
    Countries,
    Original,
    Submission,
    When,
    advances_the_compact,
    country_where_national,
    region_where_regional,
)
from shared.events.texts import Line, LocalLine, LocalSummary, WebAddress


class TalkRequest(Submission):
    """A request to hold a GCM Talk: what it is about, who holds it, when and how."""

    kind_name: ClassVar[str] = "talk"
    type: ClassVar[str] = "talk.requested"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What the Talk is called, per language; at least in yours.",
        examples=[{"en": "Fair recruitment across one border"}],
    )
    summary: Annotated[LocalSummary, AsTitle, Public] = Field(
        title="Summary",
        description="What it is about and what should come of it, in a few sentences per language.",
        examples=[{"en": "Employers, unions and consulates of two countries compare how recruitment fees were ended."}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Organisation", description="The body that holds it, by its full name.", examples=["Example State A"]
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["state"]
    )
    partners: Annotated[tuple[Line, ...], MaxLen(20), Public] = Field(
        default=(), title="Partners", description="Bodies that hold it together with yours.", examples=[["Example Employers’ Federation"]]
    )
    format: Annotated[TalkFormat, Public] = Field(title="Format", description="How people attend.", examples=["hybrid"])
    level: Annotated[Level, Public] = Field(
        title="Level",
        description="How far it reaches. A regional Talk names its region, a national one its country.",
        examples=["regional"],
    )
    regions: Annotated[Regions, AfterValidator(region_where_regional), Public] = Field(
        default=(), validate_default=True, title="Regions", description="Review regions it is about.", examples=[["africa", "arab-states"]]
    )
    countries: Annotated[Countries, AfterValidator(country_where_national), Public] = Field(
        default=(),
        validate_default=True,
        title="Countries",
        description="Countries it is about, by ISO 3166-1 alpha-2 code.",
        examples=[["MA"]],
    )
    when: Annotated[When, Public] = Field(
        title="When",
        description="When it should be held: an hour in a time zone, or whole days; "
        "as long as nothing is fixed, a month, a quarter, half a year or a year.",
        examples=[
            {"precision": "time", "starts": "2026-06-16T09:00:00+01:00", "ends": "2026-06-16T12:00:00+01:00", "zone": "Africa/Casablanca"}
        ],
    )
    place: Annotated[Line | None, Public] = Field(
        default=None,
        title="Place",
        description="Where people meet; leave empty when online or not yet known.",
        examples=["Rabat, Example Hall"],
    )
    spoken: Annotated[Languages, Public] = Field(
        default=(), title="Languages spoken", description="Languages spoken or interpreted.", examples=[["en", "fr", "ar"]]
    )
    objectives: Annotated[Objectives, Public] = Field(
        default=(), title="Objectives", description="Objectives of the Global Compact that it is about, by number.", examples=[[6]]
    )
    principles: Annotated[Principles, AfterValidator(advances_the_compact), Public] = Field(
        default=(),
        validate_default=True,
        title="Guiding principles",
        description="Guiding principles of the Global Compact that it is about. At least one objective or one principle is needed.",
        examples=[["whole-of-society"]],
    )
    registration: Annotated[WebAddress | None, Public] = Field(
        default=None,
        title="Registration",
        description="Where people register, if there is such a page.",
        examples=["https://example.org/register"],
    )
    concept_note: Annotated[WebAddress | None, Internal] = Field(
        default=None,
        title="Concept note",
        description="Where the reviewers can read the concept note, which explains aim, format and speakers.",
        examples=["https://example.org/concept-note.pdf"],
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "Fair recruitment across one border"},
        "summary": {
            "en": "Employers, unions and consulates of two countries compare how recruitment fees were ended, and what is still paid."
        },
        "entity": "Example State A",
        "entity_type": "state",
        "partners": ["Example Employers’ Federation"],
        "format": "hybrid",
        "level": "regional",
        "regions": ["africa", "arab-states"],
        "countries": ["MA"],
        "when": {
            "precision": "time",
            "starts": "2026-06-16T09:00:00+01:00",
            "ends": "2026-06-16T12:00:00+01:00",
            "zone": "Africa/Casablanca",
        },
        "place": "Rabat, Example Hall",
        "spoken": ["en", "fr", "ar"],
        "objectives": [6],
        "concept_note": "https://example.org/concept-note.pdf",
        "contact": {"name": "Karim Example", "mail": "karim@example.org"},
    }
