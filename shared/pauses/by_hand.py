"""A word on the spot: a pause set and ended on the sender's own page, for when desk or Kafka is away."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from shared import clock, outbox
from shared.actors import Actor
from shared.db import Transaction
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.texts import Line
from shared.pauses import store
from shared.pauses.scopes import concerns
from shared.pauses.sender import Sender, confirm
from shared.pauses.store import Origin, Pause, Waiting
from shared.trace import Cause

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


class OtherSenderError(PauseError):
    """This sender sends nothing of that scope; go to the page of the one that does."""

    slug = "pause-other-sender"
    status = 422


class NotPausedHereError(PauseError):
    """No pause of this scope was set here; one that desk has set is ended on desk's page."""

    slug = "pause-not-here"


async def pause_here(
    tx: Transaction, sender: Sender, scope: str, *, by: Actor, reason: str, until: datetime | None = None, cause: Cause
) -> Pause:
    """Return the pause now in force; once `tx` commits nothing of the scope is claimed, and desk and the audit trail know.

    A second one replaces reason and end of the first. Raises MayNotPauseError, OtherSenderError, ReasonNeededError, EndInThePastError.
    """
    reason = _checked(sender, scope, by, reason)
    now = clock.now()
    if until is not None and clock.check_aware(until) <= now:
        raise EndInThePastError()
    await store.hold(tx)
    await store.set_pause(tx, scope, Origin.HERE, reason=reason, until=until, by=by.id, told_at=now, cause=cause)
    await _tell(tx, sender, scope, what="pause", by=by, reason=reason, cause=cause)
    return next(pause for pause in await store.listing(tx) if (pause.scope, pause.origin) == (scope, Origin.HERE))


async def resume_here(tx: Transaction, sender: Sender, scope: str, *, by: Actor, reason: str, cause: Cause) -> Waiting:
    """End the pause that was set here and return what waited; it may still be paused by desk, or by a wider scope.

    Raises MayNotPauseError, OtherSenderError, ReasonNeededError, NotPausedHereError.
    """
    reason = _checked(sender, scope, by, reason)
    await store.hold(tx)
    here = [pause for pause in await store.listing(tx) if (pause.scope, pause.origin, pause.paused) == (scope, Origin.HERE, True)]
    if not here:
        raise NotPausedHereError()
    waited = await sender.waiting(tx, scope)
    await store.end_pause(tx, scope, Origin.HERE, reason=reason, by=by.id, told_at=clock.now(), cause=cause, waited=waited)
    await _tell(tx, sender, scope, what="resume", by=by, reason=reason, cause=cause)
    return waited


def _checked(sender: Sender, scope: str, by: Actor, reason: str) -> str:
    if not by.has(*SUSPENDERS):
        raise MayNotPauseError()
    if not concerns(sender.service, scope):
        raise OtherSenderError()
    try:
        return _LINE.validate_python(reason)
    except ValidationError as error:
        raise ReasonNeededError() from error


async def _tell(tx: Transaction, sender: Sender, scope: str, *, what: str, by: Actor, reason: str, cause: Cause) -> None:
    await outbox.put(tx, DecisionMade(who=by.id, what=what, about=ABOUT, reason=reason), subject=scope, cause=cause)
    await confirm(tx, sender, scope, cause=cause)
