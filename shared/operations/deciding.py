"""A person's word on events that are set aside: done, and told to the audit trail in the same transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from shared import outbox, parking
from shared.db import Transaction
from shared.events.every import DecisionMade
from shared.events.texts import LINE_LENGTH
from shared.operations import deliveries
from shared.trace import Cause

ABOUT = "event"


async def redrive(tx: Transaction, event_id: UUID, *, who: str, signature: str, cause: Cause, address: str | None = None) -> int:
    """Have one event tried again at once; return how many that were, none where it is not set aside.

    `who` is the person's id, or the command that was run; `signature` stands beside the event, `address` is its page.
    """
    row = await deliveries.one_parked(tx, event_id)
    count = await parking.redrive(tx, event_id=event_id, by=signature)
    if count and row is not None:
        await _tell(tx, str(event_id), what="redrive", title=_title(row), who=who, cause=cause, address=address)
    return count


async def redrive_all(tx: Transaction, *, who: str, signature: str, cause: Cause, address: str | None = None) -> int:
    """Have every dead event of the service tried again at once, and return how many; the audit trail hears of it once."""
    count = await parking.redrive(tx, by=signature)
    if count:
        service = str((await tx.execute(select(func.current_schema()))).scalar_one())
        title = f"{service}: {count} dead {'event' if count == 1 else 'events'}"
        await _tell(tx, service, what="redrive-all", title=title, who=who, cause=cause, address=address)
    return count


async def discard(
    tx: Transaction, event_id: UUID, *, reason: str, who: str, signature: str, cause: Cause, address: str | None = None
) -> bool:
    """Give one event up for good and say whether it was there to give up; otherwise as `redrive`. Raises ReasonMissingError."""
    row = await deliveries.one_parked(tx, event_id)
    done = await deliveries.discard(tx, event_id, by=signature, reason=reason)
    if done and row is not None:
        await _tell(tx, str(event_id), what="discard", title=_title(row), who=who, cause=cause, address=address, reason=reason)
    return done


def _title(row: Row[Any]) -> str:
    return f"{row.type} {row.subject}"


async def _tell(
    tx: Transaction, subject: str, *, what: str, title: str, who: str, cause: Cause, address: str | None, reason: str | None = None
) -> None:
    decision = DecisionMade(who=who, what=what, about=ABOUT, title={"en": title[:LINE_LENGTH]}, reason=reason, address=address)
    await outbox.put(tx, decision, subject=subject, cause=cause)
