"""A word on the spot: a pause set and ended on the sender's own page, for when desk or Kafka is away."""

from datetime import datetime

from shared import clock, outbox
from shared.actors import Actor
from shared.db import Transaction
from shared.pauses import store
from shared.pauses.saying import OtherSenderError, PauseError, check_word, decision_of
from shared.pauses.scopes import concerns
from shared.pauses.sender import Sender, confirm
from shared.pauses.store import Origin, Pause, Waiting
from shared.trace import Cause


class NotPausedHereError(PauseError):
    """No pause of this scope was set here; one that desk has set is ended on desk's page."""

    slug = "pause-not-here"


async def pause_here(
    tx: Transaction, sender: Sender, scope: str, *, by: Actor, reason: str, until: datetime | None = None, cause: Cause
) -> Pause:
    """Return the pause now in force; once `tx` commits nothing of the scope is claimed, and desk and the audit trail know.

    A second one replaces reason and end of the first. Raises MayNotPauseError, OtherSenderError, ReasonNeededError, EndInThePastError.
    """
    _check_scope(sender, scope)
    reason = check_word(by, reason, until)
    now = clock.now()
    await store.hold(tx)
    await store.set_pause(tx, scope, Origin.HERE, reason=reason, until=until, by=by.id, told_at=now, cause=cause)
    await _tell(tx, sender, scope, what="pause", by=by, reason=reason, cause=cause)
    return next(pause for pause in await store.listing(tx) if (pause.scope, pause.origin) == (scope, Origin.HERE))


async def resume_here(tx: Transaction, sender: Sender, scope: str, *, by: Actor, reason: str, cause: Cause) -> Waiting:
    """End the pause that was set here and return what waited; it may still be paused by desk, or by a wider scope.

    Raises MayNotPauseError, OtherSenderError, ReasonNeededError, NotPausedHereError.
    """
    _check_scope(sender, scope)
    reason = check_word(by, reason)
    await store.hold(tx)
    here = [pause for pause in await store.listing(tx) if (pause.scope, pause.origin, pause.paused) == (scope, Origin.HERE, True)]
    if not here:
        raise NotPausedHereError()
    waited = await sender.waiting(tx, scope)
    await store.end_pause(tx, scope, Origin.HERE, reason=reason, by=by.id, told_at=clock.now(), cause=cause, waited=waited)
    await _tell(tx, sender, scope, what="resume", by=by, reason=reason, cause=cause)
    return waited


def _check_scope(sender: Sender, scope: str) -> None:
    if not concerns(sender.service, scope):
        raise OtherSenderError()


async def _tell(tx: Transaction, sender: Sender, scope: str, *, what: str, by: Actor, reason: str, cause: Cause) -> None:
    await outbox.put(tx, decision_of(by, what, reason), subject=scope, cause=cause)
    await confirm(tx, sender, scope, cause=cause)
