"""A person's word on a pause: who may say it, what it needs, and how the audit trail keeps it. No I/O."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared import clock
from shared.actors import Actor
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.texts import Line
from shared.events.times import YEARS

SUSPENDERS = (Role.OPERATOR,)
ABOUT = "sending"
_LINE: TypeAdapter[str] = TypeAdapter(Line)


class PauseError(Exception):
    """A pause cannot be set or ended like this, so nothing happened."""

    slug: ClassVar[str] = "pause"
    status: ClassVar[int] = 409

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        super().__init__(message or self.__doc__)
        self.facts = facts


class MayNotPauseError(PauseError):
    """Only an operator pauses and resumes what goes out; ask one."""

    slug = "pause-role-needed"
    status = 403


class ReasonNeededError(PauseError):
    """This needs a reason of one line, which everybody will read who wonders why nothing leaves; write it and send again."""

    slug = "pause-reason-needed"
    status = 422


class EndInThePastError(PauseError):
    """The pause would be over before it begins; give a later time, or none."""

    slug = "pause-end-in-the-past"
    status = 422


class NotATimeError(PauseError):
    """The end is not a time; choose one, or leave it empty."""

    slug = "pause-not-a-time"
    status = 422


class OtherSenderError(PauseError):
    """This sender sends nothing of that scope; go to the page of the one that does."""

    slug = "pause-other-sender"
    status = 422


def check_word(by: Actor, reason: str, until: datetime | None = None) -> str:
    """Return the reason as it is kept; raises MayNotPauseError, ReasonNeededError or EndInThePastError."""
    if not by.holds(*SUSPENDERS):
        raise MayNotPauseError()
    if until is not None and clock.check_aware(until) <= clock.now():
        raise EndInThePastError()
    try:
        return _LINE.validate_python(reason)
    except ValidationError as error:
        raise ReasonNeededError() from error


def read_end(typed: str, zone: str) -> datetime | None:
    """Return the end as a form gives it, by the clock of `zone`, or None where none was typed; raises NotATimeError."""
    if not typed.strip():
        return None
    try:
        end = datetime.fromisoformat(typed.strip()).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the first and the last hours of the calendar are out of it elsewhere
        raise NotATimeError() from error
    if end.year not in YEARS:  # no event can tell of it
        raise NotATimeError()
    return end


def decision_of(by: Actor, what: str, reason: str) -> DecisionMade:
    """Return what the audit trail is told of a pause or its end."""
    return DecisionMade(who=by.id, what=what, about=ABOUT, reason=reason)
