"""Mails that may have left already, since this database was put back from a backup: held until a person releases or drops them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select, true, update

from shared import clock
from shared.db import Transaction
from shared.mail.queue.store import MailState, mails, restores

_HELD = mails.c.state == MailState.HELD.value


async def was_restored_since(tx: Transaction, moment: datetime) -> bool:
    """Say whether this database was put back from a backup at that moment or later: what was decided by then may have left before."""
    return bool((await tx.execute(select(select(restores).where(restores.c.restored_at >= moment).exists()))).scalar_one())


async def hold_all(tx: Transaction, taken_at: datetime) -> Sequence[Row[Any]]:
    """Hold every mail that waits and is of use yet; returns id, purpose and created_at of each, and of those that were held already.

    From now on those are held as well that are put for what was decided before.
    """
    now = clock.now()
    await tx.execute(insert(restores).values(restored_at=now, taken_at=taken_at))
    waits = mails.c.state.in_([MailState.WAITING.value, MailState.HELD.value]) & (mails.c.expires_at > now)
    held = await tx.execute(
        update(mails).where(waits).values(state=MailState.HELD.value).returning(mails.c.id, mails.c.purpose, mails.c.created_at)
    )
    return sorted(held.all(), key=lambda row: (row.created_at, row.id))


async def held(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Return what is held, the oldest first; none where the service has no mails."""
    if not await _has_mails(tx):
        return ()
    columns = [mails.c.id, mails.c.purpose, mails.c.about, mails.c.created_at, mails.c.expires_at]
    return (await tx.execute(select(*columns).where(_HELD).order_by(mails.c.created_at, mails.c.id).limit(limit))).all()


async def release(tx: Transaction, mail_id: UUID | None) -> int:
    """Let a mail go, or all that are held where None; returns how many."""
    if not await _has_mails(tx):
        return 0
    now = clock.now()
    done = await tx.execute(
        update(mails).where(_HELD, _named(mail_id), mails.c.expires_at > now).values(state=MailState.WAITING.value, next_at=now)
    )
    return done.rowcount


async def drop(tx: Transaction, mail_id: UUID | None) -> int:
    """End a mail, or all that are held where None, without sending it, and erase recipient and texts; returns how many.

    It counts as uncertain: nobody knows whether it left before the database was lost.
    """
    return await _end(tx, _named(mail_id), "dropped by hand after a restore") if await _has_mails(tx) else 0


async def lapse(tx: Transaction) -> int:
    """End what nobody released while it was of use; returns how many."""
    return await _end(tx, mails.c.expires_at <= clock.now(), "nobody released it after a restore")


async def _end(tx: Transaction, which: ColumnElement[bool], answer: str) -> int:
    values = {"state": MailState.UNCERTAIN.value, "ended_at": clock.now(), "answer": answer, "sealed": None}
    return (await tx.execute(update(mails).where(_HELD, which).values(values))).rowcount


def _named(mail_id: UUID | None) -> ColumnElement[bool]:
    return true() if mail_id is None else mails.c.id == mail_id


async def _has_mails(tx: Transaction) -> bool:
    return bool((await tx.execute(select(func.to_regclass("mails").is_not(None)))).scalar_one())
