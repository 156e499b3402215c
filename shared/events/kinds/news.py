"""A statement, press release, blog article or news item: what is said about the Global Compact, to be published as a page."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from shared.events import intake
from shared.events.base import Objectives, Principles, Public, Regions
from shared.events.codes import EntityType, Level, NewsKind, Service
from shared.events.kinds.parts import (
    STRICT,
    AsTitle,
    Countries,
    Days,
    Original,
    Submission,
    country_where_national,
    region_where_regional,
)
from shared.events.texts import Line, LocalArticle, LocalLine, WebAddress


class Occasion(intake.Occasion):
    """What it is made for, such as an international day."""

    model_config = STRICT

    name: LocalLine = Field(title="Name", description="Its name per language.", examples=[{"en": "International Migrants Day"}])
    days: Days | None = Field(
        default=None,
        title="Days",
        description="The day or days it is kept on.",
        examples=[{"precision": "day", "first": "2026-12-18", "last": "2026-12-18"}],
    )


class NewsSubmission(Submission):
    """A statement, press release, blog article or news item: published as a page, and printed in the newsletter."""

    kind_name: ClassVar[str] = "news"
    type: ClassVar[str] = "news.submitted"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    kind: Annotated[NewsKind, Public] = Field(
        title="Kind of text",
        description="A statement, a press release, an article for the blog, or a piece of news.",
        examples=["statement"],
    )
    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What it is called, per language; at least in yours.",
        examples=[{"en": "Statement on International Migrants Day"}],
    )
    text: Annotated[LocalArticle, AsTitle, Public] = Field(
        title="Text",
        description="The whole text per language, as it is to be published.",
        examples=[{"en": "On International Migrants Day the regional network thanks the cities that opened their services to everybody."}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Who speaks",
        description="The body in whose name it is said, by its full name: a national or regional network, a champion country, "
        "an organisation.",
        examples=["Example Regional Network"],
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["un-entity"]
    )
    level: Annotated[Level, Public] = Field(
        title="Level",
        description="How far it reaches. A regional text names its region, a national one its country.",
        examples=["regional"],
    )
    regions: Annotated[Regions, AfterValidator(region_where_regional), Public] = Field(
        default=(), validate_default=True, title="Regions", description="Review regions it is about.", examples=[["africa"]]
    )
    countries: Annotated[Countries, AfterValidator(country_where_national), Public] = Field(
        default=(),
        validate_default=True,
        title="Countries",
        description="Countries it is about, by ISO 3166-1 alpha-2 code.",
        examples=[["GH"]],
    )
    objectives: Annotated[Objectives, Public] = Field(
        default=(), title="Objectives", description="Objectives of the Global Compact that it is about, by number.", examples=[[15]]
    )
    principles: Annotated[Principles, Public] = Field(
        default=(),
        title="Guiding principles",
        description="Guiding principles of the Global Compact that it is about.",
        examples=[["whole-of-society"]],
    )
    occasion: Annotated[Occasion | None, Public] = Field(
        default=None,
        title="Occasion",
        description="What it is made for, if anything: an international day, a meeting.",
        examples=[
            {"name": {"en": "International Migrants Day"}, "days": {"precision": "day", "first": "2026-12-18", "last": "2026-12-18"}}
        ],
    )
    link: Annotated[WebAddress | None, Public] = Field(
        default=None, title="Link", description="Where it stands already, if it does.", examples=["https://example.org/statement"]
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "kind": "statement",
        "title": {
            "en": "Statement on International Migrants Day",
            "fr": "Déclaration à l’occasion de la Journée internationale des migrants",
        },
        "text": {
            "en": "On International Migrants Day the regional network thanks the cities that opened their services to everybody.\n\n"
            "It asks all States to follow them.",
            "fr": "En cette Journée internationale des migrants, le réseau régional remercie les villes qui ont ouvert leurs services "
            "à tous.\n\n"
            "Il invite tous les États à les suivre.",
        },
        "entity": "Example Regional Network",
        "entity_type": "un-entity",
        "level": "regional",
        "regions": ["africa"],
        "countries": ["GH"],
        "objectives": [15],
        "principles": ["whole-of-society"],
        "occasion": {
            "name": {"en": "International Migrants Day", "fr": "Journée internationale des migrants"},
            "days": {"precision": "day", "first": "2026-12-18", "last": "2026-12-18"},
        },
        "link": "https://example.org/statement",
        "contact": {"name": "Kofi Example", "mail": "kofi@example.org"},
    }
