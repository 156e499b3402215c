"""What changes or ends without a decision: an edit, the passing of time, the end of a source."""

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared import clock, tasks
from shared.actors import Actor
from shared.approval import rules, store, telling
from shared.approval.content import fingerprint
from shared.approval.rules import EXPIRE, VOID, Action, Standing, UnknownItemError
from shared.approval.things import Thing
from shared.db import Transaction, is_away
from shared.trace import Cause

log = logging.getLogger(__name__)

# One transaction does not hold more items than this.
CHUNK = 100


async def edited(tx: Transaction, thing: Thing, item: UUID, *, by: Actor | None, cause: Cause, wrote: bool = False) -> Standing:
    """Return where an item stands after its content was written on `tx`; `by` is None where the machine wrote it.

    Call it in every transaction that writes content or moves the end of its time, after the write. A change of one byte in any
    variant makes the person a hand and voids a submission or approval; `wrote` makes them a hand where they have written what is not in any
    variant yet, such as a part that was taken out. Raises RoleNeededError for a person who may not edit,
    UnknownItemError, and ContentError; nothing of `tx` may then be committed.
    """
    held = await store.hold(tx, thing.about, item)
    matter = await thing.read(tx, item)
    if matter is None:
        raise UnknownItemError()
    standing = replace(held.standing, expires_at=matter.expires_at)
    after, voided = rules.edit(standing, by=by, now=fingerprint(matter.content), wrote=wrote)
    if voided:
        step = await store.take(tx, held, after, what=VOID, who=by.id if by is not None else None)
        await telling.tell(tx, thing, held, after, matter, step, cause=cause)
    elif after != held.standing:
        await store.save(tx, held, after)
    return after


async def withdraw(tx: Transaction, thing: Thing, item: UUID, *, because: str, cause: Cause) -> bool:
    """Withdraw an item whose source no longer stands, and say whether it was not over already. A person withdraws by `deciding.act`."""
    held = await store.hold(tx, thing.about, item)
    matter, after = await thing.read(tx, item), rules.withdraw(held.standing)
    if matter is None or after is None:
        return False
    step = await store.take(tx, held, after, what=Action.WITHDRAW.value, who=None, reason=because)
    await telling.tell(tx, thing, held, after, matter, step, cause=cause)
    return True


async def expire_due(tx: Transaction, thing: Thing, *, cause: Cause, limit: int = CHUNK) -> list[UUID]:
    """Expire the submissions and approvals whose time is over, `limit` at most, and return their items. A job calls it.

    An item that cannot be read stays as it is, and keeps no other from its end; it does not leave either, once its time is over.
    """
    now = clock.now()
    gone: list[UUID] = []
    for item in await store.expired(tx, thing.about, now, limit):
        try:
            async with tx.begin_nested():
                over = await _expire(tx, thing, item, now, cause)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("%s %s could not expire", thing.about, item)
            continue
        if over:
            gone.append(item)
    return gone


async def _expire(tx: Transaction, thing: Thing, item: UUID, now: datetime, cause: Cause) -> bool:
    held = await store.hold(tx, thing.about, item)
    matter = await thing.read(tx, item)
    standing = held.standing if matter is None else replace(held.standing, expires_at=matter.expires_at)
    after = rules.expire(standing, at=now)
    if after is None:
        await store.save(tx, held, standing)  # somebody moved the end of its time without saying so
        return False
    step = await store.take(tx, held, after, what=EXPIRE, who=None)
    if matter is None:  # the item itself is gone, and nobody can be asked about it
        await tasks.close_tasks(tx, thing.asks, str(item), end=telling.end_of(step), by=None, cause=cause)
    else:
        await telling.tell(tx, thing, held, after, matter, step, cause=cause)
    return True
