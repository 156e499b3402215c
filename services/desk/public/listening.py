"""What the services tell of what is public, and of what the team should know."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from services.desk.public import rules, store
from services.desk.public.store import Happening
from shared.db import Transaction
from shared.events.base import EventData
from shared.events.calendar import DateCancelled, DateMoved, DatePublished, DeadlineNear
from shared.events.intake import (
    NewsPublished,
    NewsWithdrawn,
    PracticePublished,
    PracticeWithdrawn,
    SubmissionReceived,
    TalkAccepted,
    TalkCancelled,
    TalkHeld,
    TalkMoved,
)
from shared.events.newsletter import IssueApproved, IssueSent
from shared.events.pledges import PledgeFulfilled, PledgePublished, PledgeUpdated, PledgeWithdrawn
from shared.events.social import Post, PostApproved, PostFailed, PostPublished
from shared.listening import Listener, Received, each

D = TypeVar("D", bound=EventData)

DEADLINE = "deadline-near"
RECEIVED = "submission-received"
ISSUE_APPROVED = "issue-approved"
POST_APPROVED = "post-approved"
POST_FAILED = "post-failed"


def _showing(event_type: type[D], reading: Callable[[Any], rules.Thing]) -> Listener:
    """Return a listener that keeps what `reading` makes of an event."""

    async def keep(tx: Transaction, event: Received[D]) -> None:
        await store.keep(tx, reading(event))

    return each(event_type, keep)


def _dating(event_type: type[D]) -> Listener:
    """Return a listener that keeps a date, and lets a deadline that is near move and go with it."""

    async def keep(tx: Transaction, event: Received[D]) -> None:
        thing = rules.calendar_date(event)  # type: ignore[arg-type]  # of the three types that say everything about a date
        await store.keep(tx, thing)
        due = thing.last_day if thing.state is rules.State.SHOWN else None
        await store.move_deadline(tx, DEADLINE, event.subject, due=due, revision=event.revision)

    return each(event_type, keep)


async def show_issue(tx: Transaction, event: Received[IssueSent]) -> None:
    """Show an issue that was sent; that it was approved is no news any more."""
    await store.keep(tx, rules.issue(event))
    await store.settle(tx, ISSUE_APPROVED, event.subject)


async def show_post(tx: Transaction, event: Received[PostPublished]) -> None:
    """Show where a post stands; that it was approved, or once failed there, is no news any more."""
    for thing in rules.posts(event):
        await store.keep(tx, thing)
        await store.settle(tx, POST_FAILED, thing.id)
    await store.settle(tx, POST_APPROVED, event.subject)


async def note_submission(tx: Transaction, event: Received[SubmissionReceived]) -> None:
    """Let the team see that something came in; neither its words nor its sender are kept here."""
    if event.historic:
        return
    said = event.data
    facts = {"kind": said.kind, "reference": said.reference, "channel": said.channel.value, "answered": bool(said.answers)}
    await _note(tx, RECEIVED, event, facts=facts)


async def note_deadline(tx: Transaction, event: Received[DeadlineNear]) -> None:
    """Let the team see that a deadline is near."""
    said = event.data
    happening = Happening(
        kind=DEADLINE,
        id=event.subject,
        revision=event.revision,
        happened_at=event.time,
        title=rules.texts(said.title),
        facts={},
        address=said.address,
        due=said.due.last_day,
    )
    await store.note(tx, happening)


async def note_issue_approved(tx: Transaction, event: Received[IssueApproved]) -> None:
    """Let the team see that an issue was approved, and for when."""
    planned = event.data.planned
    facts = {"number": event.data.number, "planned": planned.isoformat() if planned else None}
    await _note(tx, ISSUE_APPROVED, event, facts=facts, title=rules.texts(event.data.title))


async def note_post_approved(tx: Transaction, event: Received[PostApproved]) -> None:
    """Let the team see that a post was approved, and for when."""
    planned = event.data.planned
    await _note(tx, POST_APPROVED, event, facts={**_of_post(event.data), "planned": planned.isoformat() if planned else None})


async def note_post_failed(tx: Transaction, event: Received[PostFailed]) -> None:
    """Let the team see that a post did not go out, and why; each of its variants is told of on its own."""
    said = event.data
    for network in said.networks:
        for language in said.languages:
            id_ = rules.place_of(event.subject, network, language)
            facts = {**_of_post(said), "reason": said.reason, "uncertain": said.uncertain}
            happening = Happening(kind=POST_FAILED, id=id_, revision=event.revision, happened_at=event.time, facts=facts)
            await store.note(tx, happening)


def _of_post(said: Post) -> Mapping[str, object]:
    return {"networks": [network.value for network in said.networks], "about": rules.about(said.source)}


async def _note(
    tx: Transaction, kind: str, event: Received[Any], facts: Mapping[str, object], title: Mapping[str, str] | None = None
) -> None:
    happened = Happening(kind=kind, id=event.subject, revision=event.revision, happened_at=event.time, facts=facts, title=title)
    await store.note(tx, happened)


_Reading = Callable[[Any], rules.Thing]
_SHOWN: tuple[tuple[type[EventData], _Reading], ...] = (
    (PracticePublished, rules.practice),
    (PracticeWithdrawn, rules.practice),
    (TalkAccepted, rules.talk),
    (TalkMoved, rules.talk),
    (TalkCancelled, rules.talk),
    (TalkHeld, rules.talk),
    (NewsPublished, rules.news),
    (NewsWithdrawn, rules.news),
    (PledgePublished, rules.pledge),
    (PledgeUpdated, rules.pledge),
    (PledgeFulfilled, rules.pledge),
    (PledgeWithdrawn, rules.pledge),
)

LISTENERS = (
    *(_showing(event_type, reading) for event_type, reading in _SHOWN),
    *(_dating(event_type) for event_type in (DatePublished, DateMoved, DateCancelled)),
    each(IssueSent, show_issue),
    each(PostPublished, show_post),
    each(SubmissionReceived, note_submission),
    each(DeadlineNear, note_deadline),
    each(IssueApproved, note_issue_approved),
    each(PostApproved, note_post_approved),
    each(PostFailed, note_post_failed),
)
