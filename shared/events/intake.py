"""What intake tells: what came in, and what it has reviewed and published."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

from shared.events.base import (
    Audience,
    ContactOnly,
    Countries,
    EventData,
    FileByHash,
    Internal,
    Languages,
    Link,
    Objectives,
    Part,
    Principles,
    Regions,
    Withdrawn,
    services,
)
from shared.events.codes import Channel, EntityType, Language, Level, Network, NewsKind, Service, TalkFormat
from shared.events.texts import Identifier, Line, LocalArticle, LocalLine, LocalSummary, LocalText, Text, WebAddress, Word
from shared.events.times import Days, Due, Moment, When

_INTAKE = services(Service.INTAKE)


def _without_contact(fields: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    if "contact" in fields:
        raise PydanticCustomError("contact-in-clear", "a contact travels encrypted or not at all")
    return fields


Fields = Annotated[Mapping[str, JsonValue], AfterValidator(_without_contact)]

EncryptedContact = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=r"^[A-Za-z0-9_=.:+/-]+$")]
"""A contact encrypted with the data keys. A mail address in the clear has an @ and does not fit."""


class Answer(Part):
    """What reviewers asked about a submission, and what its sender answered."""

    question: Text = Field(description="What was asked.")
    text: Text = Field(description="What was answered.")
    answered_at: Moment = Field(description="When.")


class SubmissionReceived(EventData):
    """Something was submitted, by whatever door, and is durable. The subject is the submission."""

    type: ClassVar[str] = "submission.received.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.PLEDGES, Service.CALENDAR, Service.DESK)
    key: ClassVar[str] = "submission"
    audience: ClassVar[Audience] = Internal

    kind: Word = Field(
        description="Kind of submission: `practice`, `talk`, `pledge`, `date`, `news`, `contribution`, `promotion`, `enquiry`. "
        "Its model says what the fields below may hold."
    )
    reference: Line = Field(description="Reference that its sender was given and quotes when writing to us.")
    language: Language = Field(description="Language in which it was written, and in which its sender is answered.")
    channel: Channel = Field(description="How it came in.")
    partner: Identifier | None = Field(
        default=None, description="Id of the partner that sent it; empty where the public or a colleague did."
    )
    entered_by: Annotated[Identifier | None, Internal] = Field(
        default=None,
        description="Id of the colleague who entered what came by mail, note verbale or telephone, and who may not accept it; "
        "empty for other channels.",
    )
    public: Fields = Field(description="The kind's fields that are meant for publication once accepted.")
    internal: Fields = Field(default={}, description="The kind's fields for the reviewers alone.")
    contact: Annotated[EncryptedContact | None, ContactOnly] = Field(
        default=None,
        description="The kind's contact fields, encrypted; only for a kind that another service reviews, because that service mails it. "
        "Empty too where a colleague entered it and knew of nobody to write to.",
    )
    files: tuple[FileByHash, ...] = Field(default=(), description="Files that came with it.")
    answers: tuple[Answer, ...] = Field(
        default=(), description="What its sender answered to the reviewers' questions, oldest first; told again with a higher revision."
    )


class PracticePublished(EventData):
    """A practice was accepted and stands on the public pages. The subject is the practice."""

    type: ClassVar[str] = "practice.published.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.DESK)
    key: ClassVar[str] = "practice"

    language: Language = Field(description="Language in which it was written; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    summary: LocalSummary = Field(description="Summary per language, as a newsletter prints it.")
    entity: Line = Field(description="The body whose practice it is.")
    entity_type: EntityType = Field(description="What kind of body that is.")
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    address: WebAddress = Field(description="Its public page.")


class PracticeWithdrawn(Withdrawn):
    """A practice no longer stands on the public pages. The subject is the practice."""

    type: ClassVar[str] = "practice.withdrawn.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.DESK)
    key: ClassVar[str] = "practice"


class Talk(EventData):
    """What every event about a GCM Talk says: all of it each time, so that no listener needs the earlier ones."""

    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.CALENDAR, Service.NEWSLETTER, Service.SOCIAL, Service.DESK)
    key: ClassVar[str] = "talk"

    language: Language = Field(description="Language in which it was asked for; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    summary: LocalSummary = Field(description="What it is about, per language.")
    entity: Line = Field(description="The body that holds it.")
    entity_type: EntityType = Field(description="What kind of body that is.")
    partners: tuple[Line, ...] = Field(default=(), description="Bodies that hold it together with that one.")
    format: TalkFormat = Field(description="How it is attended.")
    level: Level = Field(description="How far it reaches.")
    when: When = Field(description="When it is held.")
    place: Line | None = Field(default=None, description="Where people meet; empty when online or not yet known.")
    spoken: Languages = Field(default=(), description="Languages spoken or interpreted.")
    regions: Regions = ()
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    address: WebAddress = Field(description="Its public page.")
    registration: WebAddress | None = Field(default=None, description="Where to register.")


class TalkAccepted(Talk):
    """A GCM Talk was accepted and is announced. The subject is the Talk."""

    type: ClassVar[str] = "talk.accepted.v1"


class TalkMoved(Talk):
    """A GCM Talk is held at another time than announced. The subject is the Talk."""

    type: ClassVar[str] = "talk.moved.v1"

    was: When = Field(description="When it was to be held before.")


class TalkCancelled(Talk):
    """A GCM Talk that was announced is not held. The subject is the Talk."""

    type: ClassVar[str] = "talk.cancelled.v1"

    reason: LocalLine | None = Field(default=None, description="Why, in words for the public.")


class Outcome(Part):
    """What came of a GCM Talk."""

    summary: LocalText = Field(description="What was said and agreed, per language.")
    pledges: tuple[Identifier, ...] = Field(default=(), description="Ids of the pledges born there.")
    practices: tuple[Identifier, ...] = Field(default=(), description="Ids of the practices that became known there.")
    links: tuple[Link, ...] = Field(default=(), description="Recordings, reports.")


class TalkHeld(Talk):
    """A GCM Talk was held and its outcome stands on its page. The subject is the Talk."""

    type: ClassVar[str] = "talk.held.v1"

    outcome: Outcome = Field(description="What came of it.")


class Occasion(Part):
    """What a statement or article was made for."""

    name: LocalLine = Field(description="Its name per language.")
    days: Days | None = Field(default=None, description="The day or days it is kept on; the calendar shows the item there.")


class NewsPublished(EventData):
    """A statement, press release, blog article or news item stands on the public pages. The subject is the item."""

    type: ClassVar[str] = "news.published.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.CALENDAR, Service.DESK)
    key: ClassVar[str] = "item"

    kind: NewsKind = Field(description="What kind of item it is.")
    level: Level = Field(description="How far it reaches.")
    language: Language = Field(description="Language in which it was written; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    text: LocalArticle = Field(description="Text per language.")
    entity: Line = Field(description="Who speaks: the Network, a national or regional network, a champion country, an organisation.")
    regions: Regions = ()
    countries: Countries = ()
    objectives: Objectives = ()
    principles: Principles = ()
    occasion: Occasion | None = Field(default=None, description="What it was made for, such as an international day.")
    address: WebAddress = Field(description="Its public page.")


class NewsWithdrawn(Withdrawn):
    """A statement, press release, blog article or news item no longer stands on the public pages. The subject is the item."""

    type: ClassVar[str] = "news.withdrawn.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL, Service.CALENDAR, Service.DESK)
    key: ClassVar[str] = "item"


class PromotionRequested(EventData):
    """A request to promote something on the Network's social media was reviewed and taken up. The subject is the request."""

    type: ClassVar[str] = "promotion.requested.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.SOCIAL)
    key: ClassVar[str] = "request"

    language: Language = Field(description="Language in which it was written.")
    text: LocalText = Field(description="Text wished for, per language; the people who draft the post may change it.")
    entity: Line = Field(description="The body that asks.")
    link: WebAddress | None = Field(default=None, description="Where the post should lead.")
    networks: Annotated[tuple[Network, ...], Internal] = Field(default=(), description="Networks wished for; empty means any.")
    wished: Annotated[Due | None, Internal] = Field(default=None, description="When the post should appear: an hour or a day.")
    files: tuple[FileByHash, ...] = Field(default=(), description="Pictures or films to post.")
    credit: Line | None = Field(default=None, description="Whom to name for the pictures.")


class PromotionWithdrawn(Withdrawn):
    """A request for promotion no longer stands. The subject is the request."""

    type: ClassVar[str] = "promotion.withdrawn.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.SOCIAL)
    key: ClassVar[str] = "request"


class ContributionAccepted(EventData):
    """A contribution to the newsletter was reviewed and accepted. The subject is the contribution."""

    type: ClassVar[str] = "contribution.accepted.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER)
    key: ClassVar[str] = "contribution"

    language: Language = Field(description="Language in which it was written; the others are translations.")
    title: LocalLine = Field(description="Title per language.")
    text: LocalText = Field(description="Text per language.")
    entity: Line = Field(description="The body that contributes.")
    level: Level = Field(description="How far it reaches; the newsletter is sorted by it.")
    link: WebAddress | None = Field(default=None, description="Where to read on.")
    files: tuple[FileByHash, ...] = Field(default=(), description="Pictures to print.")
    credit: Line | None = Field(default=None, description="Whom to name for text and pictures.")


class ContributionWithdrawn(Withdrawn):
    """A contribution to the newsletter no longer stands. The subject is the contribution."""

    type: ClassVar[str] = "contribution.withdrawn.v1"
    tellers: ClassVar[frozenset[Service]] = _INTAKE
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER)
    key: ClassVar[str] = "contribution"
