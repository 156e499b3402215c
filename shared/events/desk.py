"""What desk tells: who is who, and what must pause."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.events.base import EVERY_SERVICE, Audience, EventData, Internal, Languages, services
from shared.events.codes import Role, Service
from shared.events.texts import Identifier, Line
from shared.events.times import Moment

_DESK = services(Service.DESK)

SendingScope = Annotated[
    str,
    StringConstraints(pattern=r"^(all|newsletter|social(/[a-z]+)?)$", max_length=60),
    Field(description="What it covers: `all`, `newsletter`, `social` or one network such as `social/x`."),
]


class SendingPaused(EventData):
    """Somebody stopped what goes out. The subject is the scope."""

    type: ClassVar[str] = "sending.paused.v1"
    tellers: ClassVar[frozenset[Service]] = _DESK
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL)
    key: ClassVar[str] = "scope"
    audience: ClassVar[Audience] = Internal

    scope: SendingScope
    reason: Line = Field(description="Why.")
    until: Moment | None = Field(default=None, description="When it ends by itself; empty until somebody resumes it.")
    by: Identifier | None = Field(default=None, description="Id of the person; empty when the machine did it.")


class SendingResumed(EventData):
    """Somebody let what waits go out again. The subject is the scope."""

    type: ClassVar[str] = "sending.resumed.v1"
    tellers: ClassVar[frozenset[Service]] = _DESK
    listeners: ClassVar[frozenset[Service]] = services(Service.NEWSLETTER, Service.SOCIAL)
    key: ClassVar[str] = "scope"
    audience: ClassVar[Audience] = Internal

    scope: SendingScope
    reason: Line = Field(description="Why.")
    by: Identifier | None = Field(default=None, description="Id of the person; empty when the machine did it.")


class PersonChanged(EventData):
    """A person who works with Tidings was added or changed. The subject is the person's id.

    It never gives a right: roles come from the token alone. It tells who can be asked, and from when on older tokens are void.
    """

    type: ClassVar[str] = "person.changed.v1"
    tellers: ClassVar[frozenset[Service]] = _DESK
    listeners: ClassVar[frozenset[Service]] = EVERY_SERVICE - _DESK  # desk has the people themselves
    key: ClassVar[str] = "person"
    audience: ClassVar[Audience] = Internal

    id: Identifier = Field(description="The person's id.")
    name: Line = Field(description="Name to show.")
    roles: tuple[Role, ...] = Field(default=(), description="Roles held now.")
    languages: Languages = Field(default=(), description="Languages the person works in.")
    active: bool = Field(description="Whether the person may sign in.")
    tokens_valid_from: Moment = Field(description="Tokens made before this are void.")
