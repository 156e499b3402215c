"""A sender's own part: what it is, what waits in it, and its word to desk on how things stand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared import clock, outbox
from shared.db import Transaction
from shared.events.codes import SenderState, Service
from shared.events.every import SendingConfirmed
from shared.pauses import store
from shared.pauses.scopes import covering
from shared.pauses.store import Waiting
from shared.trace import Cause


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A service that sends."""

    service: Service
    waiting: Callable[[Transaction, str], Awaitable[Waiting]]  # what of a scope waits to be sent, paused or not


async def confirm(tx: Transaction, sender: Sender, scope: str, *, cause: Cause) -> None:
    """Tell desk whether this scope is sent here, as it will stand when `tx` commits, and how many wait.

    So it is for each narrower scope of which something was told before: it may have been paused by the wider one alone.
    Hold the pauses first, so that what is told in two transactions is told in the order of their commits.
    """
    within = {pause.scope for pause in await store.listing(tx) if scope in covering(pause.scope)}
    for told in (scope, *sorted(within - {scope})):
        await _confirm_one(tx, sender, told, cause)


async def _confirm_one(tx: Transaction, sender: Sender, scope: str, cause: Cause) -> None:
    pause = await store.find(tx, scope)
    told = SendingConfirmed(
        scope=scope,
        state=SenderState.PAUSED if pause else SenderState.RUNNING,
        since=pause.since if pause else clock.now(),
        waiting=(await sender.waiting(tx, scope)).count,
        sender=sender.service,
    )
    await outbox.put(tx, told, subject=scope, cause=cause)
