"""Events in: what is suggested awaits the moderators, what has a day elsewhere stands in the calendar, and who works here."""

from uuid import UUID

from services.calendar.domain import sources
from services.calendar.domain.suggestions import Suggestion, SuggestionState
from services.calendar.planning import Planning
from services.calendar.reviewing import Reviewing
from services.calendar.sourcing import Sourcing
from shared.auth import people
from shared.db import Transaction
from shared.events.base import Source
from shared.events.codes import DateKind, SourceKind
from shared.events.intake import (
    NewsPublished,
    NewsWithdrawn,
    SubmissionReceived,
    Talk,
    TalkAccepted,
    TalkCancelled,
    TalkHeld,
    TalkMoved,
)
from shared.events.newsletter import Issue, IssueApproved, IssueSent
from shared.events.pledges import Pledge, PledgeFulfilled, PledgePublished, PledgeUpdated, PledgeWithdrawn
from shared.listening import Listeners, Received, each, listeners

REVIEWED = "date"
"""The kind of submission on which the calendar decides."""


class Suggestions:
    """What comes in at the door for the calendar."""

    def __init__(self, reviewing: Reviewing) -> None:
        self._reviewing = reviewing

    async def take_in(self, tx: Transaction, event: Received[SubmissionReceived]) -> None:
        """Let a suggested date await a moderator; other kinds are reviewed elsewhere."""
        if event.data.kind == REVIEWED:
            await self._reviewing.take_in(tx, _suggestion(event), cause=event.as_cause())


def _suggestion(event: Received[SubmissionReceived]) -> Suggestion:
    told = event.data
    return Suggestion(
        id=UUID(event.subject),
        reference=told.reference,
        language=told.language,
        channel=told.channel.value,
        partner=told.partner,
        entered_by=told.entered_by,
        public=told.public,
        internal=told.internal,
        answers=tuple(answer.model_dump(mode="json") for answer in told.answers),
        contact_sealed=told.contact.encode("ascii") if told.contact else None,
        event_id=event.id,
        trace_id=event.trace_id,
        revision=event.revision,
        received_at=event.time,
        state=SuggestionState.RECEIVED,
    )


class Dates:
    """The dates of what the other services publish; `zone` decides on which day an hour falls."""

    def __init__(self, sourcing: Sourcing, zone: str) -> None:
        self._sourcing = sourcing
        self._zone = zone

    async def follow_talk(self, tx: Transaction, event: Received[Talk]) -> None:
        """Have a GCM Talk stand in the calendar as it was accepted, moved, cancelled or held."""
        wanted = sources.of_talk(event.subject, event.data)
        await self._sourcing.follow(tx, event, wanted.source, wanted.kind, wanted)

    async def follow_pledge(self, tx: Transaction, event: Received[Pledge]) -> None:
        """Have the day on which a pledge is due stand in the calendar, done once it is fulfilled."""
        wanted = sources.of_pledge(event.subject, event.data)
        await self._sourcing.follow(tx, event, wanted.source, wanted.kind, wanted)

    async def withdraw_pledge(self, tx: Transaction, event: Received[PledgeWithdrawn]) -> None:
        """Cancel the day of a pledge that no longer stands."""
        await self._sourcing.withdraw(tx, event, Source(kind=SourceKind.PLEDGE, id=event.subject), DateKind.PLEDGE_DUE)

    async def follow_news(self, tx: Transaction, event: Received[NewsPublished]) -> None:
        """Have a statement or article stand at the day of its occasion, where it has one."""
        source = Source(kind=SourceKind.NEWS, id=event.subject)
        await self._sourcing.follow(tx, event, source, DateKind.OTHER, sources.of_news(event.subject, event.data))

    async def withdraw_news(self, tx: Transaction, event: Received[NewsWithdrawn]) -> None:
        """Cancel the day of a statement or article that no longer stands."""
        await self._sourcing.withdraw(tx, event, Source(kind=SourceKind.NEWS, id=event.subject), DateKind.OTHER)

    async def follow_issue(self, tx: Transaction, event: Received[Issue]) -> None:
        """Have an issue of the newsletter stand at its day: for the team while it is planned, for everybody once it is sent."""
        source = Source(kind=SourceKind.ISSUE, id=event.subject)
        await self._sourcing.follow(tx, event, source, DateKind.REPORT, sources.of_issue(event.subject, event.data, zone=self._zone))


def listens_with(planning: Planning, reviewing: Reviewing) -> Listeners:
    """Return what the calendar listens to."""
    suggestions, dates = Suggestions(reviewing), Dates(Sourcing(planning), planning.zone)
    return listeners(
        people.LISTENER,
        each(SubmissionReceived, suggestions.take_in),
        *(each(event_type, dates.follow_talk) for event_type in (TalkAccepted, TalkMoved, TalkCancelled, TalkHeld)),
        *(each(event_type, dates.follow_pledge) for event_type in (PledgePublished, PledgeUpdated, PledgeFulfilled)),
        each(PledgeWithdrawn, dates.withdraw_pledge),
        each(NewsPublished, dates.follow_news),
        each(NewsWithdrawn, dates.withdraw_news),
        *(each(event_type, dates.follow_issue) for event_type in (IssueApproved, IssueSent)),
    )


def listens_at(public_url: str, zone: str) -> Listeners:
    """Return what the calendar listens to; `public_url` is where people reach our pages."""
    planning = Planning(public_url, zone)
    return listens_with(planning, Reviewing(planning, public_url))
