"""Every event type: its model, who tells it, who listens, on which topic, and what is not built yet."""

from collections.abc import Mapping

from shared.events.base import EventData
from shared.events.calendar import DateCancelled, DateMoved, DatePublished, DeadlineNear
from shared.events.codes import Service
from shared.events.desk import PersonChanged, SendingPaused, SendingResumed
from shared.events.every import DecisionMade, MailWanted, SendingConfirmed, SubmissionDecided, TaskClosed, TaskOpened
from shared.events.intake import (
    ContributionAccepted,
    ContributionWithdrawn,
    NewsPublished,
    NewsWithdrawn,
    PracticePublished,
    PracticeWithdrawn,
    PromotionRequested,
    PromotionWithdrawn,
    SubmissionReceived,
    TalkAccepted,
    TalkCancelled,
    TalkHeld,
    TalkMoved,
)
from shared.events.newsletter import IssueApproved, IssueSent
from shared.events.pledges import PledgeFulfilled, PledgePublished, PledgeUpdated, PledgeWithdrawn
from shared.events.social import PostApproved, PostFailed, PostPublished

PARTITIONS = 6
"""Partitions of each topic: so many consumers of one service can share the work."""

_MODELS: tuple[type[EventData], ...] = (
    SubmissionReceived,
    SubmissionDecided,
    PracticePublished,
    PracticeWithdrawn,
    TalkAccepted,
    TalkMoved,
    TalkCancelled,
    TalkHeld,
    NewsPublished,
    NewsWithdrawn,
    PromotionRequested,
    PromotionWithdrawn,
    ContributionAccepted,
    ContributionWithdrawn,
    PledgePublished,
    PledgeUpdated,
    PledgeFulfilled,
    PledgeWithdrawn,
    DatePublished,
    DateMoved,
    DateCancelled,
    DeadlineNear,
    IssueApproved,
    IssueSent,
    PostApproved,
    PostPublished,
    PostFailed,
    TaskOpened,
    TaskClosed,
    DecisionMade,
    SendingPaused,
    SendingResumed,
    SendingConfirmed,
    PersonChanged,
    MailWanted,
)

EVENT_TYPES: Mapping[str, type[EventData]] = {model.type: model for model in _MODELS}
"""The model of each event type."""

TELLERS: Mapping[str, frozenset[Service]] = {model.type: model.tellers for model in _MODELS}
LISTENERS: Mapping[str, frozenset[Service]] = {model.type: model.listeners for model in _MODELS}

Pair = tuple[str, Service]
"""An event type and a service."""


def _pairs(by_service: Mapping[Service, tuple[str, ...]]) -> frozenset[Pair]:
    return frozenset((event_type, service) for service, event_types in by_service.items() for event_type in event_types)


_TASKS = ("task.opened.v1", "task.closed.v1")
_DECIDED = ("decision.made.v1", "mail.wanted.v1", "submission.decided.v1")
_TALKS = ("talk.accepted.v1", "talk.moved.v1", "talk.cancelled.v1", "talk.held.v1")
_NEWS = ("news.published.v1", "news.withdrawn.v1")
_PLEDGES = ("pledge.published.v1", "pledge.updated.v1", "pledge.fulfilled.v1", "pledge.withdrawn.v1")
_DATES = ("date.published.v1", "date.moved.v1", "date.cancelled.v1")
_ISSUES = ("issue.approved.v1", "issue.sent.v1")
_POSTS = ("post.approved.v1", "post.published.v1", "post.failed.v1")

# The one list of what is agreed but not built: each line leaves it together with the code that makes it true.
NOT_YET_TELLING = _pairs(
    {
        Service.DESK: (*_TASKS, "mail.wanted.v1"),
        Service.INTAKE: (
            "mail.wanted.v1",
            "submission.decided.v1",
        ),
        Service.PLEDGES: ("mail.wanted.v1",),
        Service.CALENDAR: ("mail.wanted.v1",),
    }
)
NOT_YET_LISTENING = _pairs({})


def topic_of(service: str) -> str:
    """Return the topic on which a service tells."""
    return f"{Service(service)}.v1"


TOPICS: tuple[str, ...] = tuple(topic_of(service) for service in Service)

TOPICS_OF: Mapping[str, frozenset[str]] = {event_type: frozenset(map(topic_of, tellers)) for event_type, tellers in TELLERS.items()}
"""The topics from which an event type is accepted: those of its tellers, and no other."""


def types_told_by(service: str) -> frozenset[str]:
    """Return the event types that a service tells today."""
    return frozenset(
        event_type
        for event_type, tellers in TELLERS.items()
        if service in tellers and (event_type, Service(service)) not in NOT_YET_TELLING
    )


def types_heard_by(service: str) -> frozenset[str]:
    """Return the event types that a service listens to today."""
    return frozenset(
        event_type
        for event_type, listeners in LISTENERS.items()
        if service in listeners and (event_type, Service(service)) not in NOT_YET_LISTENING
    )


def topics_heard_by(service: str) -> frozenset[str]:
    """Return the topics that a service reads today: those of every teller of every type that it listens to."""
    return frozenset(topic for event_type in types_heard_by(service) for topic in TOPICS_OF[event_type])
