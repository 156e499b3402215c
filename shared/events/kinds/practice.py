"""A practice: a measure that carries out the Global Compact and that others could repeat."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen
from pydantic import AfterValidator, Field

from shared.events.base import Objectives, Principles, Public
from shared.events.codes import EntityType, Service
from shared.events.kinds.parts import AsTitle, Countries, Link, Original, Submission, advances_the_compact
from shared.events.texts import Line, LocalLine, LocalSummary, LocalText


class PracticeSubmission(Submission):
    """A practice for the Network's public repository: what was done, by whom, and what others can learn from it."""

    kind_name: ClassVar[str] = "practice"
    type: ClassVar[str] = "practice.submitted"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What the practice is called, per language; at least in yours.",
        examples=[{"en": "One-stop office for newcomers"}],
    )
    summary: Annotated[LocalSummary, AsTitle, Public] = Field(
        title="Summary",
        description="What it does and what came of it, in a few sentences per language; the newsletter prints it.",
        examples=[{"en": "One office brings registration, language classes and advice on work together under one roof."}],
    )
    text: Annotated[LocalText | None, AsTitle, Public] = Field(
        default=None,
        title="Description",
        description="The whole story per language: the need, the steps, the partners, the cost, the result, what you would do otherwise.",
        examples=[{"en": "In 2024 newcomers had to visit five offices in their first week. The city moved the five into one building."}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Organisation", description="The body whose practice it is, by its full name.", examples=["Example City"]
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["local-authority"]
    )
    countries: Annotated[Countries, Public] = Field(
        default=(),
        title="Countries",
        description="Countries in which it is done, by ISO 3166-1 alpha-2 code; none when it is worldwide.",
        examples=[["PT"]],
    )
    objectives: Annotated[Objectives, Public] = Field(
        default=(), title="Objectives", description="Objectives of the Global Compact that it serves, by number.", examples=[[15, 16]]
    )
    principles: Annotated[Principles, AfterValidator(advances_the_compact), Public] = Field(
        default=(),
        validate_default=True,
        title="Guiding principles",
        description="Guiding principles of the Global Compact that it follows. At least one objective or one principle is needed.",
        examples=[["people-centred", "whole-of-society"]],
    )
    links: Annotated[tuple[Link, ...], MaxLen(10), Public] = Field(
        default=(),
        title="Links",
        description="Where to read more: web pages, reports, films.",
        examples=[[{"address": "https://example.org/one-stop-office", "label": "The office's own page"}]],
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "One-stop office for newcomers", "fr": "Guichet unique pour les nouveaux arrivants"},
        "summary": {
            "en": "One office brings registration, language classes and advice on work under one roof. Waiting fell to four days.",
            "fr": "Un seul bureau réunit enregistrement, cours de langue et conseil sur l’emploi. L’attente est tombée à quatre jours.",
        },
        "entity": "Example City",
        "entity_type": "local-authority",
        "countries": ["PT"],
        "objectives": [15, 16],
        "principles": ["people-centred", "whole-of-society"],
        "links": [{"address": "https://example.org/one-stop-office", "label": "The office’s own page"}],
        "remarks": "Photographs can be sent on request.",
        "contact": {"name": "Amina Example", "mail": "amina@example.org"},
    }
