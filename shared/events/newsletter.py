"""What newsletter tells of the monthly issue."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import Audience, EventData, Internal, Languages, Part, Public, Source, services
from shared.events.codes import Service
from shared.events.texts import Line, LocalLine, WebAddress
from shared.events.times import Moment

_NEWSLETTER = services(Service.NEWSLETTER)


class Issue(EventData):
    """What every event about an issue says."""

    tellers: ClassVar[frozenset[Service]] = _NEWSLETTER
    listeners: ClassVar[frozenset[Service]] = services(Service.SOCIAL, Service.CALENDAR, Service.DESK)
    key: ClassVar[str] = "issue"

    number: Line = Field(description="Its number, such as 2026-06.")
    title: LocalLine = Field(description="Title per language, as in the subject of its mail.")
    languages: Languages = Field(min_length=1, description="Languages in which it appears.")
    items: int = Field(ge=0, description="How many items it holds.")
    sources: tuple[Source, ...] = Field(default=(), description="What its items came from.")
    address: WebAddress = Field(description="Its page in the archive, which opens when sending begins.")


class IssueApproved(Issue):
    """An issue was approved; what was approved is what will be sent. The subject is the issue."""

    type: ClassVar[str] = "issue.approved.v1"
    audience: ClassVar[Audience] = Internal  # until it is sent

    planned: Moment | None = Field(default=None, description="When sending is to begin; empty while no time is set.")


class Counts(Part):
    """What became of an issue's mails: audience = accepted + refused + excluded + uncertain + waiting."""

    audience: int = Field(ge=0, description="Subscribers for whom the issue was meant when sending began.")
    accepted: int = Field(ge=0, description="Mails that a server took.")
    refused: int = Field(ge=0, description="Mails that a server refused for good.")
    excluded: int = Field(ge=0, description="Subscribers left out, each with a reason.")
    uncertain: int = Field(ge=0, description="Mails whose end is not known; never sent again by themselves.")
    waiting: int = Field(ge=0, description="Mails still to be sent or tried again.")


class IssueSent(Issue):
    """An issue was sent and stands in the archive. Told again with a higher revision when late mails settle. The subject is the issue."""

    type: ClassVar[str] = "issue.sent.v1"
    listeners: ClassVar[frozenset[Service]] = services(Service.SOCIAL, Service.CALENDAR, Service.DESK, Service.INTAKE)
    audience: ClassVar[Audience] = Public

    sent: Moment = Field(description="When sending began.")
    counts: Annotated[Counts, Internal] = Field(description="What became of its mails.")
