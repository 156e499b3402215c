"""An enquiry about one of the Network's initiatives: answered by mail, never published."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.base import Internal
from shared.events.codes import Initiative, Language, Service
from shared.events.kinds.parts import Submission
from shared.events.texts import Line, Text


class Enquiry(Submission):
    """An enquiry about one of the Network's initiatives: answered by mail, never published."""

    kind_name: ClassVar[str] = "enquiry"
    type: ClassVar[str] = "enquiry.asked"
    reviewed_by: ClassVar[Service] = Service.INTAKE

    language: Annotated[Language, Internal] = Field(
        title="Language", description="Language in which you write, and in which we answer.", examples=["en"]
    )
    initiative: Annotated[Initiative, Internal] = Field(
        title="Initiative", description="What you ask about; `general-enquiries` where nothing else fits.", examples=["pledging"]
    )
    subject: Annotated[Line, Internal] = Field(
        title="Subject", description="Your question in a few words.", examples=["How to update a pledge of 2022"]
    )
    question: Annotated[Text, Internal] = Field(
        title="Question",
        description="What you would like to know.",
        examples=["Our city pledged in 2022 and has gone further since. Where can we report this?"],
    )

    example: ClassVar[Mapping[str, Any]] = {
        "language": "en",
        "initiative": "pledging",
        "subject": "How to update a pledge of 2022",
        "question": "Our city pledged in 2022 and has gone further since. Where can we report this?",
        "contact": {"name": "Mei Example", "mail": "mei@example.org"},
    }
