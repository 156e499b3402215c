"""A request to promote something on the Network's social media."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen
from pydantic import AfterValidator, Field

from shared.events.base import Internal, Public, in_order_of
from shared.events.codes import EntityType, Network, Service
from shared.events.kinds.parts import AsTitle, Due, Original, Submission
from shared.events.texts import Line, LocalLine, LocalText, WebAddress


class PromotionRequest(Submission):
    """A request to promote something on the Network's social media: an event, a report, a campaign."""

    kind_name: ClassVar[str] = "promotion"
    type: ClassVar[str] = "promotion.requested"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    title: Annotated[LocalLine, Original, Public] = Field(
        title="Title",
        description="What is to be promoted, in one line per language; at least in yours. It is not posted.",
        examples=[{"en": "Report on fair recruitment"}],
    )
    text: Annotated[LocalText, AsTitle, Public] = Field(
        title="Text wished for",
        description="What the post should say, per language; the people who draft it may change it.",
        examples=[{"en": "How three countries ended recruitment fees: our new report."}],
    )
    entity: Annotated[Line, Public] = Field(
        title="Organisation", description="The body that asks, by its full name.", examples=["Example Institute"]
    )
    entity_type: Annotated[EntityType, Public] = Field(
        title="Kind of organisation", description="What kind of body it is.", examples=["academia"]
    )
    link: Annotated[WebAddress | None, Public] = Field(
        default=None, title="Link", description="Where the post should lead.", examples=["https://example.org/report"]
    )
    networks: Annotated[tuple[Network, ...], MaxLen(4), AfterValidator(in_order_of(Network)), Internal] = Field(
        default=(), title="Networks", description="Networks wished for; none means any.", examples=[["x", "linkedin"]]
    )
    wished: Annotated[Due | None, Internal] = Field(
        default=None,
        title="When",
        description="When it should be posted: an hour in a time zone, or a day.",
        examples=[{"precision": "day", "first": "2026-06-16", "last": "2026-06-16"}],
    )
    credit: Annotated[Line | None, Public] = Field(
        default=None, title="Credit", description="Whom to name for the pictures.", examples=["Example Institute"]
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "title": {"en": "Report on fair recruitment"},
        "text": {"en": "How three countries ended recruitment fees: our new report."},
        "entity": "Example Institute",
        "entity_type": "academia",
        "link": "https://example.org/report",
        "networks": ["x", "linkedin"],
        "wished": {"precision": "day", "first": "2026-06-16", "last": "2026-06-16"},
        "credit": "Example Institute",
        "contact": {"name": "Noor Example", "mail": "noor@example.org"},
    }
