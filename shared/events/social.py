"""What social tells of posts."""

from typing import Annotated, ClassVar

from annotated_types import MinLen
from pydantic import Field

from shared.events.base import Audience, EventData, Internal, Languages, Part, Public, Source, services
from shared.events.codes import Language, Network, Service
from shared.events.texts import Text, WebAddress
from shared.events.times import Moment

_SOCIAL = services(Service.SOCIAL)

Networks = Annotated[tuple[Network, ...], MinLen(1)]


class Post(EventData):
    """What every event about a post says."""

    tellers: ClassVar[frozenset[Service]] = _SOCIAL
    listeners: ClassVar[frozenset[Service]] = services(Service.DESK)
    key: ClassVar[str] = "post"
    audience: ClassVar[Audience] = Internal

    source: Source | None = Field(default=None, description="What it came from; empty when a colleague wrote it freely.")
    networks: Networks = Field(description="Networks that this is about.")
    languages: Languages = Field(min_length=1, description="Languages of its variants.")


class PostApproved(Post):
    """A post was approved; what was approved is what will go out. The subject is the post."""

    type: ClassVar[str] = "post.approved.v1"

    planned: Moment | None = Field(default=None, description="When it is to go out; empty while no time is set.")


class PostPlace(Part):
    """Where one variant of a post stands."""

    network: Network = Field(description="The network.")
    language: Language = Field(description="The variant's language.")
    address: WebAddress = Field(description="Its address there.")


class PostPublished(Post):
    """A post stands on the networks named. The subject is the post."""

    type: ClassVar[str] = "post.published.v1"
    listeners: ClassVar[frozenset[Service]] = services(Service.DESK, Service.INTAKE)
    audience: ClassVar[Audience] = Public

    places: tuple[PostPlace, ...] = Field(min_length=1, description="Where it stands.")
    published: Moment = Field(description="When the last of them took it.")


class PostFailed(Post):
    """A post did not go out, or nobody knows whether it did, on the networks named. The subject is the post."""

    type: ClassVar[str] = "post.failed.v1"

    uncertain: bool = Field(default=False, description="Whether it may stand there all the same; then it is never sent again by itself.")
    reason: Text = Field(description="Why, in plain words, with what to do.")
