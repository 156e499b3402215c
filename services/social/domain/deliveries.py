"""One post on one network in one language: where it stands, what an answer means for it, and what comes next.

A post never goes out twice and is never lost: an attempt is written down before its first byte leaves; where its end is not known, the
network's own timeline is asked before anything else; what cannot be settled so waits for a person, with its cause in plain words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a delivery stands."""

    SCHEDULED = "scheduled"  # goes out when its time comes
    SENDING = "sending"  # an attempt is under way; without a living lease its end is unknown
    UNKNOWN = "unknown"  # it may stand there: the timeline is asked
    PUBLISHED = "published"
    WAITING = "waiting"  # for a person; its cause says why
    CANCELLED = "cancelled"  # a person took it back before it went out


CLAIMABLE = (State.SCHEDULED, State.SENDING, State.UNKNOWN)


class WaitingFor(StrEnum):
    """Why a delivery waits for a person. Each has its sentence, with what to do, under `social.waiting`."""

    APPROVAL = "approval"  # what would go out is not what was approved
    LATE = "late"  # its time is so long over that it may be stale
    QUIET = "quiet"  # nothing might be posted, or nothing about its source, and once that is over it must not leave any more
    UNCERTAIN = "uncertain"  # it may stand there or not, and the timeline does not tell
    DUPLICATE = "duplicate"  # the network says that the same text stands there, and this post is not it
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    CREDENTIALS = "credentials"
    CREDIT = "credit"  # the account has no money left
    PICTURES = "pictures"  # a picture was refused, or its bytes are gone
    NOT_CONNECTED = "not-connected"  # no account is set up for this network
    RESTORED = "restored"  # it came out of a backup, and may have left after that was taken

    @property
    def key(self) -> str:
        """Key of the sentence that says why, and what to do."""
        return f"social.waiting.{self.value}"


MAY_STAND = frozenset({WaitingFor.UNCERTAIN, WaitingFor.DUPLICATE, WaitingFor.RESTORED})
"""Reasons with which a post may stand on the network all the same."""


class Decision(StrEnum):
    """What a person may decide about a delivery."""

    LIVE = "live"  # it stands there, at the address given
    AGAIN = "again"  # it does not stand there: send it, now, or at its time where that is to come
    CANCEL = "cancel"


def decisions_for(state: State, waiting_for: str | None, sent_again: int) -> tuple[Decision, ...]:
    """Return what may be decided about a delivery as it stands; nothing while an attempt is open or its end is looked for."""
    if state is State.SCHEDULED:
        return (Decision.CANCEL,)
    if state is not State.WAITING:
        return ()
    if waiting_for == WaitingFor.APPROVAL:
        return (Decision.CANCEL,)
    if sent_again or waiting_for in MAY_STAND:
        return (Decision.LIVE, Decision.AGAIN, Decision.CANCEL)
    return (Decision.AGAIN, Decision.CANCEL)


class Result(StrEnum):
    """How an attempt ended."""

    PUBLISHED = "published"  # the network has said so, with an id
    REFUSED = "refused"  # it is certain that it does not stand there, and trying again will not help
    UNKNOWN = "unknown"  # it may stand there
    DUPLICATE = "duplicate"  # the network says that the same text stands there: this post, or another
    NOT_NOW = "not-now"  # it is certain that it does not stand there, and it may be tried again later
    ABANDONED = "abandoned"  # the process ended before the attempt did; as unknown


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an attempt."""

    result: Result
    evidence: Mapping[str, Any]  # what was seen: status, headers, the start of the body, or the error
    place_id: str = ""  # id on the network, where published
    waiting_for: WaitingFor | None = None  # where refused
    not_before: datetime | None = None  # where not now
    whole_account: bool = False  # the pause is for every post of the account, not for this one alone


@dataclass(frozen=True, kw_only=True)
class Found:
    """A post that stands on a network's timeline."""

    place_id: str
    text: str  # as the network gave it
    created_at: datetime
    pictures: int
    raw: Mapping[str, Any] = field(default_factory=dict)  # as the network gave it, for evidence


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How patient the sender is."""

    look_after: tuple[timedelta, ...] = (timedelta(seconds=15), timedelta(seconds=45), timedelta(minutes=4))
    """From the unknown end to the first look, and from each look to the next: at 15 s, 1 min and 5 min."""
    look_again_after: timedelta = timedelta(seconds=60)  # where a timeline could not be read, which counts as no look
    late_after: timedelta = timedelta(hours=3)  # news so old is asked about again
    lease: timedelta = timedelta(minutes=3)  # longer than any call to a network takes with its pictures
    request_timeout: timedelta = timedelta(seconds=30)
    not_reached_pause: timedelta = timedelta(seconds=30)  # where no connection came about
    jitter: timedelta = timedelta(seconds=5)  # behind a pause that a network asks for, lest all come back in the same second
    look_back: timedelta = timedelta(seconds=60)  # before the attempt: clocks differ

    def __post_init__(self) -> None:
        """Raise ValueError where a lease could run out in the middle of a request: another process would take the post over."""
        if self.lease <= self.request_timeout:
            raise ValueError(f"a lease of {self.lease} does not outlast a request of {self.request_timeout}")

    def is_late(self, due_at: datetime, now: datetime) -> bool:
        """Say whether a post is too old to go out unasked."""
        return now > due_at + self.late_after


class Next(StrEnum):
    """What follows when a post is not on the timeline."""

    LOOK = "look"
    SEND = "send"  # once more, and only once: the network itself refuses the second of two
    ASK = "ask"  # a person


def after_not_found(*, looks: int, sent_again: int, guarded: bool, duplicate: bool, late: bool, pace: Pace) -> Next:
    """Return what follows a look that did not find the post.

    `looks` counts this one; `guarded`: the network refuses the same post a second time; `duplicate`: it has just done so.
    """
    if looks < len(pace.look_after):
        return Next.LOOK
    if guarded and not (sent_again or duplicate or late):
        return Next.SEND
    return Next.ASK
