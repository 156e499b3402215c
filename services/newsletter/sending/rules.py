"""What the ledger's words mean, and what follows from them; no I/O."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.approval.content import fingerprint
from shared.events.base import Source
from shared.events.codes import SourceKind

ABOUT = "issue"
"""What an issue is called where approvals are kept."""


class SendState(StrEnum):
    """Where the sending of an issue stands."""

    SCHEDULED = "scheduled"  # approved, waits for its hour
    SENDING = "sending"  # its audience is frozen
    HELD = "held"  # nothing leaves until a person has looked; `held_because` says why
    SENT = "sent"  # nobody waits any more
    CANCELLED = "cancelled"


class AudienceState(StrEnum):
    """What became of one subscriber's copy."""

    PLANNED = "planned"
    CLAIMED = "claimed"  # a sender has it in hand, and nothing of the message has left
    STARTED = "started"  # the message may be leaving
    DEFERRED = "deferred"  # the server did not take it and may later, at `next_at`
    ACCEPTED = "accepted"  # the mail server has it; whether it arrives is another matter
    REFUSED = "refused"
    EXCLUDED = "excluded"  # never offered to the server
    UNCERTAIN = "uncertain"  # the server may have it; never sent again by itself


WAITING = frozenset({AudienceState.PLANNED, AudienceState.CLAIMED, AudienceState.STARTED, AudienceState.DEFERRED})


class SubscriberState(StrEnum):
    """Whether somebody wants the newsletter."""

    UNCONFIRMED = "unconfirmed"  # has asked, and not yet confirmed
    CONFIRMED = "confirmed"  # the only state that is written to
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"  # must not be written to: complaint, dead address, or their wish


class Exclusion(StrEnum):
    """Why somebody of the audience is left out, besides the states of subscribers."""

    LEFT = "left"  # unsubscribed after the audience was frozen
    ERASED = "erased"  # the address is gone
    PAUSED = "paused"  # wants no issue for a while
    ENDED = "ended"  # the issue was ended before their turn came


class Hold(StrEnum):
    """Why sending is held."""

    EXPIRED = "expired"  # its last hour has passed; a person says whether it may still go
    CONTENT = "content"  # what stands here is not what was approved
    APPROVAL = "approval"  # it is not approved, or no longer
    PERSON = "person"  # somebody stopped it
    FAILED = "failed"  # it could not begin; the log of the sender says why
    QUIET = "quiet"  # nothing may be sent, or said of something in it, and its last hour comes before that is over
    REFUSALS = "refusals"  # the server refuses us or the message, whoever the recipient
    RESTORED = "restored"  # it came out of a backup, and may have left after that was taken


GAVE_UP = "gave-up"  # refused because it was deferred for longer than RFC 5321 asks anybody to go on
CRASHED = "crashed"  # uncertain because its sender died
STOPPED = "stopped"  # uncertain because its sender was ended before the answer came
FAILED = "failed"  # uncertain because its sender failed
UNANSWERED = "unanswered"  # uncertain because the server's answer did not come, or could not be read
UNWRITABLE = "unwritable"  # planned, and its copy could not be made

# So many refusals in a row that are no recipient's fault, and nothing accepted between: more would only harm our name.
REFUSALS_THAT_HOLD = 20

_FIRST_SLOW = timedelta(seconds=30)
_LONGEST_SLOW = timedelta(minutes=30)


def slow_for(step: int) -> timedelta:
    """Return how long a way rests at its `step`-th slowing in a row, from 1."""
    return min(_FIRST_SLOW * 2.0 ** min(step - 1, 20), _LONGEST_SLOW)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One copy in a sender's hand."""

    issue_id: UUID
    subscriber_id: UUID
    epoch: int  # how often it was claimed; what an older claim wants to write is not written
    approved_hash: str  # of the content that may leave under this claim
    language: str  # of the variant to send
    domain: str
    attempts: int  # before this one
    first_at: datetime | None
    address: str  # empty where it is gone, or cannot be opened
    excluded: Exclusion | None = None  # not to be sent after all


def message_id(issue_id: UUID, subscriber_id: UUID, domain: str) -> str:
    """Return the Message-ID of a subscriber's copy, with its brackets: the same at every try, so that a repeat can be recognised."""
    digest = hashlib.sha256(b"tidings message " + issue_id.bytes + subscriber_id.bytes).digest()[:20]
    return f"<{base64.b32encode(digest).decode().lower()}@{domain}>"


def content_hash(variants: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of exactly what goes out: that to which an approval is bound; raises ContentError."""
    return fingerprint(variants).whole


def sources_in(variants: Mapping[str, Any]) -> frozenset[Source]:
    """Return what the items of an issue came from, by what was approved of it: each is written as kind, id and revision."""
    named = {name for variant in variants.values() for name in variant.get("sources", ())}
    parts = [(kind, rest.rpartition("/")[0]) for kind, _, rest in (name.partition("/") for name in named)]
    return frozenset(Source(kind=SourceKind(kind), id=id_) for kind, id_ in parts if kind in set(SourceKind))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far the sending of an issue has come."""

    issue_id: UUID
    state: SendState
    held_because: str
    audience: int  # when it was frozen
    accepted: int
    refused: int
    excluded: int
    uncertain: int
    planned: int
    in_hand: int  # claimed or started
    deferred: int
    next_at: datetime | None  # when the first of those that wait is due
    frozen_at: datetime | None
    finished_at: datetime | None

    @property
    def waiting(self) -> int:
        """How many have no end yet."""
        return self.planned + self.in_hand + self.deferred

    @property
    def holds(self) -> bool:
        """Whether audience = accepted + refused + excluded + uncertain + waiting."""
        return self.audience == self.accepted + self.refused + self.excluded + self.uncertain + self.waiting
