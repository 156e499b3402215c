"""What has a date here because something elsewhere has one: Talks, pledges, news with an occasion, issues of the newsletter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.calendar.domain.dates import Description, NewDate
from services.calendar.domain.whens import day_of
from shared.events.base import Source
from shared.events.codes import DateKind, DateStatus, Language, PledgeState, SourceKind
from shared.events.intake import NewsPublished, Talk, TalkCancelled, TalkHeld
from shared.events.newsletter import Issue, IssueSent
from shared.events.pledges import Pledge, PledgeFulfilled, PledgeUpdated
from shared.events.times import Days, When

_OVER = frozenset({PledgeState.DISCONTINUED, PledgeState.SUPERSEDED})
"""States of a pledge in which nobody waits for its due day any more."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How the date of a source is to stand, by the source's newest word; no reasons of withdrawal, which are not for the public."""

    source: Source
    kind: DateKind
    description: Description
    when: When
    address: str  # of the source's own page
    public: bool = True
    cancelled: bool = False
    because: Mapping[Language, str] | None = field(default=None)  # of a cancelling, for the public
    done_on: date | None = None
    synthetic: bool = False

    def as_new(self, *, id_: UUID, historic: bool, trace_id: str) -> NewDate:
        """Return the date that this is, where there is none yet."""
        return NewDate(
            id=id_,
            kind=self.kind,
            description=self.description,
            when=self.when,
            public=self.public,
            status=DateStatus.CANCELLED if self.cancelled else DateStatus.CONFIRMED,
            source=self.source,
            source_address=self.address,
            done_on=self.done_on,
            cancelled_because=self.because,
            historic=historic,
            synthetic=self.synthetic,
            trace_id=trace_id,
        )


def of_talk(subject: str, talk: Talk) -> Wanted:
    """Return the date of a GCM Talk."""
    cancelled = isinstance(talk, TalkCancelled)
    return Wanted(
        source=Source(kind=SourceKind.TALK, id=subject),
        kind=DateKind.TALK,
        description=Description(
            language=talk.language,
            title=talk.title,
            summary=talk.summary,
            place=talk.place,
            entity=talk.entity,
            regions=talk.regions,
            countries=talk.countries,
            objectives=talk.objectives,
            principles=talk.principles,
            participants=talk.partners,
            links=({"address": talk.registration, "label": None},) if talk.registration else (),
        ),
        when=talk.when,
        address=talk.address,
        cancelled=cancelled,
        because=talk.reason if isinstance(talk, TalkCancelled) else None,
        done_on=talk.when.last_day if isinstance(talk, TalkHeld) else None,
    )


def of_pledge(subject: str, pledge: Pledge) -> Wanted:
    """Return the day on which a pledge falls due."""
    return Wanted(
        source=Source(kind=SourceKind.PLEDGE, id=subject),
        kind=DateKind.PLEDGE_DUE,
        description=Description(
            language=pledge.language,
            title=pledge.title,
            entity=pledge.entity,
            regions=pledge.regions,
            countries=pledge.countries,
            objectives=pledge.objectives,
            principles=pledge.principles,
            participants=pledge.participants,
        ),
        when=Days(precision="day", first=pledge.due, last=pledge.due),
        address=pledge.address,
        cancelled=pledge.state in _OVER,
        done_on=_fulfilled(pledge),
        synthetic=pledge.synthetic,
    )


def _fulfilled(pledge: Pledge) -> date | None:
    if isinstance(pledge, PledgeFulfilled):
        return pledge.fulfilled
    if pledge.state is not PledgeState.FULFILLED:
        return None
    # A register that takes up an old pledge may know that it was fulfilled, and not when; it was by the day on which it was due.
    return pledge.reported if isinstance(pledge, PledgeUpdated) else pledge.due


def of_news(subject: str, news: NewsPublished) -> Wanted | None:
    """Return the day on which a statement or article stands in the calendar: that of its occasion; None where that has no day."""
    if news.occasion is None or news.occasion.days is None:
        return None
    return Wanted(
        source=Source(kind=SourceKind.NEWS, id=subject),
        kind=DateKind.OTHER,
        description=Description(
            language=news.language,
            title=news.title,
            summary=news.occasion.name,
            entity=news.entity,
            regions=news.regions,
            countries=news.countries,
            objectives=news.objectives,
            principles=news.principles,
        ),
        when=news.occasion.days,
        address=news.address,
    )


def of_issue(subject: str, issue: Issue, *, zone: str) -> Wanted | None:
    """Return the day of an issue: planned, and not public, until it is sent; None as long as no time is set."""
    at = issue.sent if isinstance(issue, IssueSent) else getattr(issue, "planned", None)
    if at is None:
        return None
    day = day_of(at, zone)
    return Wanted(
        source=Source(kind=SourceKind.ISSUE, id=subject),
        kind=DateKind.REPORT,
        description=Description(language=next(iter(issue.title)), title=issue.title),
        when=Days(precision="day", first=day, last=day),
        address=issue.address,
        public=isinstance(issue, IssueSent),
        done_on=day if isinstance(issue, IssueSent) else None,
    )
