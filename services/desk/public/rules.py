"""What of an event the front page shows, what it keeps to itself, and in which order. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from shared.events.base import Source
from shared.events.calendar import CalendarDate, DateCancelled, DateMoved, DatePublished
from shared.events.codes import DateKind, PledgeState
from shared.events.intake import (
    NewsPublished,
    NewsWithdrawn,
    PracticePublished,
    PracticeWithdrawn,
    Talk,
    TalkCancelled,
    TalkHeld,
    TalkMoved,
)
from shared.events.newsletter import IssueSent
from shared.events.pledges import Pledge, PledgeWithdrawn
from shared.events.social import PostPublished
from shared.events.times import Days, TimeWithZone, When
from shared.listening import Received

_WHEN: TypeAdapter[When] = TypeAdapter(When)

NEVER_SHOWN = frozenset({DateKind.BLACKOUT, DateKind.EMBARGO})
"""Kinds of dates that are for the people who send, never for the public."""
GIVEN_UP = frozenset({PledgeState.DISCONTINUED, PledgeState.SUPERSEDED})
"""States of pledges that are no news any more."""


class Kind(StrEnum):
    """What a thing is."""

    PRACTICE = "practice"
    PLEDGE = "pledge"
    TALK = "talk"
    NEWS = "news"
    DATE = "date"
    ISSUE = "issue"
    POST = "post"  # one variant on one network


class State(StrEnum):
    """What the front page does with a thing."""

    SHOWN = "shown"
    CANCELLED = "cancelled"  # shown, and marked so
    HIDDEN = "hidden"  # not for the public; nothing but its id is kept
    WITHDRAWN = "withdrawn"  # nothing but its id is kept, so that an older word does not bring it back


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One public thing, as its service told of it last."""

    kind: Kind
    id: str  # subject of its events; of a post, with network and language behind it
    revision: int
    state: State
    told_at: datetime
    published_at: datetime | None = None  # when it was news; None for what was imported as the past, or is only known by later words
    title: Mapping[str, str] | None = None  # per language; None where nothing is kept, and of posts
    address: str = ""  # as it was told, absolute
    entity: str = ""
    word: str = ""  # kind of news or date; how far a pledge has come; network of a post
    number: str = ""  # of a pledge or issue
    language: str = ""  # of a post
    when: Mapping[str, object] | None = None  # of Talks and dates, as exactly as it is known
    first_day: date | None = None  # only of what is known to the day
    last_day: date | None = None
    moved: bool = False
    synthetic: bool = False
    about: str = ""  # what a post is about, as `kind:id`

    @property
    def time(self) -> When | None:
        """When it is, of Talks and dates."""
        return _WHEN.validate_python(self.when) if self.when else None


def _bare(kind: Kind, event: Received[Any], state: State) -> Thing:
    return Thing(kind=kind, id=event.subject, revision=event.revision, state=state, told_at=event.time)


def _news_at(event: Received[Any]) -> datetime | None:
    return None if event.historic else event.time


def practice(event: Received[PracticePublished] | Received[PracticeWithdrawn]) -> Thing:
    """Return what is shown of a practice."""
    said = event.data
    if isinstance(said, PracticeWithdrawn):
        return _bare(Kind.PRACTICE, event, State.WITHDRAWN)
    return replace(
        _bare(Kind.PRACTICE, event, State.SHOWN),
        published_at=_news_at(event),
        title=texts(said.title),
        address=said.address,
        entity=said.entity,
    )


def pledge(event: Received[Pledge] | Received[PledgeWithdrawn]) -> Thing:
    """Return what is shown of a pledge; one that was given up, or that another replaced, stays in the register alone."""
    said = event.data
    if isinstance(said, PledgeWithdrawn):
        return _bare(Kind.PLEDGE, event, State.WITHDRAWN)
    first = event.type.startswith("pledge.published.")
    return replace(
        _bare(Kind.PLEDGE, event, State.HIDDEN if said.state in GIVEN_UP else State.SHOWN),
        published_at=_news_at(event) if first else None,
        title=texts(said.title),
        address=said.address,
        entity=said.entity,
        word=said.state.value,
        number=said.number,
        synthetic=said.synthetic,
    )


def talk(event: Received[Talk]) -> Thing:
    """Return what is shown of a GCM Talk."""
    said = event.data
    bare = _bare(Kind.TALK, event, State.CANCELLED if isinstance(said, TalkCancelled) else State.SHOWN)
    return replace(
        _timed(bare, said.when),
        published_at=None if isinstance(said, TalkMoved | TalkCancelled) else _news_at(event),
        title=texts(said.title),
        address=said.address,
        entity=said.entity,
        word="held" if isinstance(said, TalkHeld) else "",
        moved=isinstance(said, TalkMoved),
    )


def news(event: Received[NewsPublished] | Received[NewsWithdrawn]) -> Thing:
    """Return what is shown of a statement, press release, blog article or news item."""
    said = event.data
    if isinstance(said, NewsWithdrawn):
        return _bare(Kind.NEWS, event, State.WITHDRAWN)
    return replace(
        _bare(Kind.NEWS, event, State.SHOWN),
        published_at=_news_at(event),
        title=texts(said.title),
        address=said.address,
        entity=said.entity,
        word=said.kind.value,
    )


def calendar_date(event: Received[CalendarDate]) -> Thing:
    """Return what is shown of a date; of what is not for the public nothing is kept but its id.

    Nor of the date of a Talk, a pledge or a news item, which stands there itself: nothing is shown twice.
    """
    said = event.data
    if said.kind in NEVER_SHOWN or said.source is not None:
        return _bare(Kind.DATE, event, State.HIDDEN)
    bare = _bare(Kind.DATE, event, State.CANCELLED if isinstance(said, DateCancelled) else State.SHOWN)
    return replace(
        _timed(bare, said.when),
        published_at=_news_at(event) if isinstance(said, DatePublished) else None,
        title=texts(said.title),
        address=said.address,
        word=said.kind.value,
        moved=isinstance(said, DateMoved),
    )


def issue(event: Received[IssueSent]) -> Thing:
    """Return what is shown of an issue of the bulletin."""
    said = event.data
    return replace(
        _bare(Kind.ISSUE, event, State.SHOWN),
        published_at=said.sent,
        title=texts(said.title),
        address=said.address,
        number=said.number,
    )


def posts(event: Received[PostPublished]) -> Sequence[Thing]:
    """Return what is shown of a post: a thing for each place where it stands, for its languages come one after the other."""
    said = event.data
    return [
        replace(
            _bare(Kind.POST, event, State.SHOWN),
            id=place_of(event.subject, place.network, place.language),
            published_at=_news_at(event) and said.published,
            address=place.address,
            word=place.network.value,
            language=place.language,
            about=about(said.source),
        )
        for place in said.places
    ]


def place_of(post: str, network: str, language: str) -> str:
    """Return the id of one variant of a post on one network."""
    return f"{post}/{network}/{language}"


def texts(told: Mapping[Any, str]) -> Mapping[str, str]:
    """Return a text per language as it is kept."""
    return dict(told)


def about(source: Source | None) -> str:
    """Return what something came from, as things name each other; empty where it came from nothing."""
    return f"{source.kind.value}:{source.id}" if source else ""


def _timed(thing: Thing, when: When) -> Thing:
    # What is only known to the quarter or the year has no day here: it is for the calendar to show.
    known = isinstance(when, TimeWithZone | Days)
    said = when.model_dump(mode="json")
    return replace(thing, when=said, first_day=when.first_day if known else None, last_day=when.last_day if known else None)
