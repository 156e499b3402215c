"""A contribution to the newsletter: news on the Global Compact that the next issue may print."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.base import Public
from shared.events.codes import EntityType, Level, Service
from shared.events.kinds.parts import AsTitle, Original, Submission
from shared.events.texts import Line, LocalLine, LocalText, WebAddress


class ContributionSubmission(Submission):
    """A contribution to the newsletter: news that the next issue may print."""

    kind_name: ClassVar[str] = "contribution"
    type: ClassVar[str] = "contribution.submitted"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What it is called, per language; at least in yours.",
        examples=[{"en": "Sixty interpreters trained in Example City"}],
    )
    text: Annotated[LocalText, AsTitle, Public] = Field(
        title="Text",
        description="What the newsletter is to print, per language; two or three paragraphs are best.",
        examples=[{"en": "Sixty people who came as migrants themselves now interpret at the city’s hospitals."}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Organisation", description="The body that contributes, by its full name.", examples=["Example City"]
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["local-authority"]
    )
    level: Annotated[Level, Public] = Field(
        title="Level", description="How far it reaches; the newsletter is sorted by it.", examples=["national"]
    )
    link: Annotated[WebAddress | None, Public] = Field(
        default=None, title="Link", description="Where to read on.", examples=["https://example.org/interpreters"]
    )
    credit: Annotated[Line | None, Public] = Field(
        default=None, title="Credit", description="Whom to name for text and pictures.", examples=["Example City, press office"]
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "Sixty interpreters trained in Example City"},
        "text": {
            "en": "Sixty people who came as migrants themselves now interpret at the city’s hospitals.\n\n"
            "The training took three months and is open to other cities."
        },
        "entity": "Example City",
        "entity_type": "local-authority",
        "level": "national",
        "link": "https://example.org/interpreters",
        "credit": "Example City, press office",
        "contact": {"name": "Ines Example", "mail": "ines@example.org"},
    }
