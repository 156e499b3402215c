"""The table of one-off mails, as functions on a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Row, Table, Text, Uuid, delete, func, insert, select, update

from shared.db import Transaction, metadata
from shared.queues import queue
from shared.sweeps import VERY_LATE, Promise, Sweep, before, rows


class MailState(StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"
    HELD = "held"  # put back by a restore, or decided before it: it may have left already, and leaves only once a person says so
    STARTED = "started"  # its message may be on the way
    ACCEPTED = "accepted"  # by the mail server, which is not the person
    REFUSED = "refused"  # for good, or given up after days
    UNCERTAIN = "uncertain"  # the server may have it; it is not sent again
    EXPIRED = "expired"  # was not sent, because by then it was of no use


TABLES = metadata()

mails = Table(
    "mails",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("purpose", Text, nullable=False),  # what it was for: confirm-address
    Column("about", Text, nullable=False),  # the subject's id
    Column("sealed", LargeBinary),  # recipient and texts, encrypted; empty once the mail has ended
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("answer", Text, nullable=False),  # the server's last words, without the recipient's address; empty before the first
)
Index("mails_due_idx", mails.c.next_at, postgresql_where=mails.c.state == MailState.WAITING.value)
Index("mails_started_idx", mails.c.id, postgresql_where=mails.c.state == MailState.STARTED.value)
Index("mails_about_idx", mails.c.about, mails.c.created_at)
Index("mails_created_at_idx", mails.c.created_at)
Index("mails_held_idx", mails.c.expires_at, postgresql_where=mails.c.state == MailState.HELD.value)

restores = Table(
    "restores",
    TABLES,
    Column("restored_at", DateTime(timezone=True), primary_key=True),
    Column("taken_at", DateTime(timezone=True), nullable=False),  # the backup that was put back
)


QUEUES = (
    queue("mails", mails, mails.c.state == MailState.WAITING.value, kind=mails.c.purpose, since=mails.c.next_at),
    queue("mails", mails, mails.c.state == MailState.STARTED.value, state="started", kind=mails.c.purpose, since=mails.c.started_at),
    queue("mails", mails, mails.c.state == MailState.HELD.value, state="held", kind=mails.c.purpose, since=mails.c.created_at),
)
"""What waits here, for the figures of a service that has the table."""

_waits = mails.c.state == MailState.WAITING.value
SWEEPS = (
    # Handing over ends what is too late and gives up what a dead process had started; where nobody does, it shows here.
    Sweep(
        promise=Promise.MAILED,
        find=rows(
            select(mails.c.id, mails.c.next_at.label("since"))
            .where(_waits, mails.c.next_at < before(VERY_LATE), mails.c.expires_at > func.now())
            .order_by(mails.c.next_at),
            "mail-due",
        ),
    ),
    Sweep(
        promise=Promise.MAILED,
        find=rows(
            select(mails.c.id, mails.c.expires_at.label("since")).where(_waits, mails.c.expires_at < before(VERY_LATE)), "mail-too-late"
        ),
    ),
    Sweep(
        promise=Promise.MAILED,
        find=rows(
            select(mails.c.id, mails.c.started_at.label("since")).where(
                mails.c.state == MailState.STARTED.value, mails.c.started_at < before(VERY_LATE)
            ),
            "mail-started",
        ),
    ),
)
"""What is stuck here, for a service that has the table."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A mail to be handed over now."""

    id: UUID
    purpose: str  # what it is for
    sealed: bytes = field(repr=False)
    attempts: int  # before this one
    created_at: datetime


async def insert_mail(
    tx: Transaction, *, mail_id: UUID, purpose: str, about: str, sealed: bytes, now: datetime, expires_at: datetime, held: bool = False
) -> None:
    """Keep a mail that waits to be handed over, or `held`, for a person's word."""
    await tx.execute(
        insert(mails).values(
            id=mail_id,
            purpose=purpose,
            about=about,
            sealed=sealed,
            state=(MailState.HELD if held else MailState.WAITING).value,
            attempts=0,
            created_at=now,
            next_at=now,
            expires_at=expires_at,
            answer="",
        )
    )


async def is_any_open(tx: Transaction, now: datetime) -> bool:
    """Say whether a mail is due, too late, or was started."""
    due = (mails.c.state == MailState.WAITING.value) & ((mails.c.next_at <= now) | (mails.c.expires_at <= now))
    started = mails.c.state == MailState.STARTED.value
    return bool(
        (await tx.execute(select(select(mails.c.id).where(due).exists() | select(mails.c.id).where(started).exists()))).scalar_one()
    )


async def due(tx: Transaction, now: datetime, *, held: Collection[UUID], limit: int) -> Sequence[Due]:
    """Return mails to hand over, longest due first, but for those already in hand."""
    query = (
        select(mails.c.id, mails.c.purpose, mails.c.sealed, mails.c.attempts, mails.c.created_at)
        .where(mails.c.state == MailState.WAITING.value, mails.c.next_at <= now, mails.c.expires_at > now, mails.c.id.not_in(held))
        .order_by(mails.c.next_at)
        .limit(limit)
    )
    return [Due(**row) for row in (await tx.execute(query)).mappings()]


async def start(tx: Transaction, mail_id: UUID, now: datetime) -> bool:
    """Say whether the mail still waited and is of use, and is now started; only then may a byte of it leave."""
    done = await tx.execute(
        update(mails)
        .where(mails.c.id == mail_id, mails.c.state == MailState.WAITING.value, mails.c.expires_at > now)
        .values(state=MailState.STARTED.value, started_at=now)
        .returning(mails.c.id)
    )
    return done.first() is not None


async def put_off(tx: Transaction, mail_id: UUID, *, next_at: datetime, answer: str) -> None:
    """Let a mail wait for another try; the server has certainly not taken it."""
    await tx.execute(
        update(mails)
        .where(mails.c.id == mail_id, mails.c.state.in_((MailState.WAITING.value, MailState.STARTED.value)))
        .values(state=MailState.WAITING.value, attempts=mails.c.attempts + 1, next_at=next_at, started_at=None, answer=answer)
    )


async def end(tx: Transaction, mail_id: UUID, state: MailState, *, now: datetime, answer: str) -> None:
    """Write down how a mail ended, and erase recipient and texts."""
    await tx.execute(
        update(mails)
        .where(mails.c.id == mail_id, mails.c.state.in_(_NOT_ENDED))
        .values(state=state.value, attempts=mails.c.attempts + 1, ended_at=now, answer=answer, sealed=None)
    )


# An answer that comes after another process gave the mail up as uncertain says how it really was.
_NOT_ENDED = (MailState.WAITING.value, MailState.STARTED.value, MailState.UNCERTAIN.value)


async def give_up_started(tx: Transaction, now: datetime) -> int:
    """Call uncertain what a process had started that no longer lives; returns how many."""
    done = await tx.execute(
        update(mails)
        .where(mails.c.state == MailState.STARTED.value)
        .values(
            state=MailState.UNCERTAIN.value,
            attempts=mails.c.attempts + 1,
            ended_at=now,
            answer="the process ended while the mail was handed over",
            sealed=None,
        )
    )
    return done.rowcount


async def expire(tx: Transaction, now: datetime) -> int:
    """End what waits and is too late; returns how many."""
    done = await tx.execute(
        update(mails)
        .where(mails.c.state == MailState.WAITING.value, mails.c.expires_at <= now)
        .values(state=MailState.EXPIRED.value, ended_at=now, sealed=None)
    )
    return done.rowcount


async def forget(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete mails that ended and were put before a moment, `limit` at most; returns how many went."""
    old = select(mails.c.id).where(mails.c.created_at < before, mails.c.ended_at.is_not(None)).limit(limit)
    return (await tx.execute(delete(mails).where(mails.c.id.in_(old)))).rowcount


async def last_about(tx: Transaction, about: str, purpose: str) -> Row[Any] | None:
    """Return state, answer and times of the last mail about a subject for a purpose, or None."""
    columns = [column for column in mails.c if column.name != "sealed"]
    query = select(*columns).where(mails.c.about == about, mails.c.purpose == purpose).order_by(mails.c.created_at.desc()).limit(1)
    row: Row[Any] | None = (await tx.execute(query)).one_or_none()
    return row
