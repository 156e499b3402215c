"""Desk's word: the kill switch reaches a sender by event, and the sender answers in the transaction that obeys."""

from shared.db import Transaction
from shared.events.desk import SendingPaused, SendingResumed
from shared.listening import Listener, Received, each
from shared.pauses import store
from shared.pauses.scopes import concerns
from shared.pauses.sender import Sender, confirm
from shared.pauses.store import Origin


def listeners_of(sender: Sender) -> tuple[Listener, Listener]:
    """Return how a sender takes `sending.paused.v1` and `sending.resumed.v1`; what is another sender's business passes by."""

    async def pause(tx: Transaction, event: Received[SendingPaused]) -> None:
        told = event.data
        if not concerns(sender.service, told.scope):
            return
        await store.hold(tx)
        if await store.set_pause(
            tx,
            told.scope,
            Origin.DESK,
            reason=told.reason,
            until=told.until,
            by=told.by,
            told_at=event.time,
            cause=event.as_cause(),
        ):
            await confirm(tx, sender, told.scope, cause=event.as_cause())

    async def resume(tx: Transaction, event: Received[SendingResumed]) -> None:
        told = event.data
        if not concerns(sender.service, told.scope):
            return
        await store.hold(tx)
        if await store.end_pause(
            tx,
            told.scope,
            Origin.DESK,
            reason=told.reason,
            by=told.by,
            told_at=event.time,
            cause=event.as_cause(),
            waited=await sender.waiting(tx, told.scope),
        ):
            await confirm(tx, sender, told.scope, cause=event.as_cause())

    return each(SendingPaused, pause), each(SendingResumed, resume)
