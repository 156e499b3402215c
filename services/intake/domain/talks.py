"""The rules of GCM Talks: what an accepted request becomes, when it may be moved, cancelled or told as held, and what is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.intake.domain.submissions import IntakeError
from shared.events.intake import Outcome, Talk, TalkAccepted, TalkCancelled, TalkHeld, TalkMoved
from shared.events.times import When

_WHEN: TypeAdapter[When] = TypeAdapter(When)


class TalkState(StrEnum):
    """Where a Talk stands."""

    ANNOUNCED = "announced"
    CANCELLED = "cancelled"  # stays visible, with the reason
    HELD = "held"  # what came of it stands on its page


class TalkError(IntakeError):
    """A Talk cannot be changed so."""

    key = "staff.talk.refused"


class CancelledTalkError(TalkError):
    """This Talk was cancelled; it can be neither moved nor held."""

    key = "staff.talk.refused.cancelled"


class HeldTalkError(TalkError):
    """This Talk was held; it can be neither moved nor cancelled."""

    key = "staff.talk.refused.held"


class NotYetHeldError(TalkError):
    """This Talk has not begun; what came of it is written afterwards."""

    key = "staff.talk.refused.not-yet"


class SameTimeError(TalkError):
    """This Talk is announced for just that time; choose another."""

    key = "staff.talk.refused.same-time"


@dataclass(frozen=True, kw_only=True)
class StoredTalk:
    """A Talk as it is kept."""

    id: UUID
    submission_id: UUID
    state: TalkState
    revision: int
    language: str
    fields: Mapping[str, Any]  # public fields of the request's model
    published_at: datetime
    updated_at: datetime
    corrected_at: datetime | None
    slug: str
    was: Sequence[Mapping[str, Any]]  # when it was to be held before, oldest first
    cancelled_because: Mapping[str, str] | None
    outcome: Mapping[str, Any] | None
    shows_note: bool

    @property
    def when(self) -> When:
        """When it is held."""
        return when_of(self.fields["when"])

    @property
    def moved_from(self) -> When | None:
        """When it was to be held before; None where it was never moved."""
        return when_of(self.was[-1]) if self.was else None


def when_of(value: Mapping[str, Any]) -> When:
    """Return a time as it is kept, read."""
    return _WHEN.validate_python(value)


def as_kept(when: When) -> dict[str, Any]:
    """Return a time as it is kept."""
    kept: dict[str, Any] = _WHEN.dump_python(when, mode="json")
    return kept


def check_may_move(talk: StoredTalk, when: When) -> None:
    """Return where a Talk can be moved to `when`; raises a TalkError that says why not."""
    _check_is_announced(talk)
    if as_kept(when) == as_kept(talk.when):
        raise SameTimeError(SameTimeError.__doc__)


def check_may_cancel(talk: StoredTalk) -> None:
    """Return where a Talk can be cancelled; raises a TalkError that says why not."""
    _check_is_announced(talk)


def check_may_tell_outcome(talk: StoredTalk, today: date) -> None:
    """Return where it can be said what came of a Talk, for the first time or corrected; raises a TalkError that says why not."""
    if talk.state is TalkState.CANCELLED:
        raise CancelledTalkError(CancelledTalkError.__doc__)
    if talk.when.first_day > today:
        raise NotYetHeldError(NotYetHeldError.__doc__)


def _check_is_announced(talk: StoredTalk) -> None:
    if talk.state is TalkState.CANCELLED:
        raise CancelledTalkError(CancelledTalkError.__doc__)
    if talk.state is TalkState.HELD:
        raise HeldTalkError(HeldTalkError.__doc__)


# ---- what is told ----


def standing_event(talk: StoredTalk, address: str) -> Talk:
    """Return what the others are told of a Talk as it stands: announced, cancelled or held."""
    facts = _facts(talk, address)
    match talk.state:
        case TalkState.ANNOUNCED:
            return TalkAccepted(**facts)
        case TalkState.CANCELLED:
            return TalkCancelled(**facts, reason=talk.cancelled_because)
        case TalkState.HELD:
            return TalkHeld(**facts, outcome=told_outcome(talk.outcome or {}))


def moved_event(talk: StoredTalk, address: str) -> TalkMoved:
    """Return what the others are told of a Talk that is held at another time than it was."""
    was = talk.moved_from
    assert was is not None
    return TalkMoved(**_facts(talk, address), was=was)


def told_outcome(outcome: Mapping[str, Any]) -> Outcome:
    """Return an outcome as events carry it: what was born there by its ids alone."""
    born = {name: tuple(str(one["id"]) for one in outcome.get(name, ())) for name in ("pledges", "practices")}
    return Outcome(summary=outcome["summary"], links=outcome.get("links", ()), **born)


def _facts(talk: StoredTalk, address: str) -> dict[str, Any]:
    # The model reads what the database gave back; what it does not know, such as what only the form asks, it passes over.
    named = {name: value for name, value in talk.fields.items() if name in Talk.model_fields}
    return {**named, "language": talk.language, "address": address}
