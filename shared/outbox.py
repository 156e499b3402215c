"""Out: what happened, written in the transaction that made it happen. Only the relay reads it and speaks to Kafka."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Index, Integer, Table, Text, Uuid, insert

from shared import clock
from shared.db import Transaction, metadata, note_told
from shared.events.base import EventData
from shared.ids import new_id
from shared.trace import Cause

# Kafka takes messages of one megabyte by default; text meant for publication never comes near this.
MAX_BODY_BYTES = 512 * 1024

TABLES = metadata()

outbox = Table(
    "outbox",
    TABLES,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),  # drawn before commit: an order, never a high-water mark
    Column("id", Uuid, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),  # the Kafka key: what the event is about
    Column("time", DateTime(timezone=True), nullable=False),
    Column("cause", Text, nullable=False),  # the event or request it came from
    Column("trace_id", Text, nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("historic", Boolean, nullable=False),
    Column("body", Text, nullable=False),  # the JSON exactly as it goes out
    Column("sent_at", DateTime(timezone=True)),  # empty until the broker has acknowledged it
)
Index("outbox_unsent_idx", outbox.c.seq, postgresql_where=outbox.c.sent_at.is_(None))


class EventTooLargeError(Exception):
    """An event is larger than 512 KiB as JSON; events carry facts and addresses, and files stay where they are."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One event about to be told."""

    data: EventData
    subject: str  # what it is about; events of one subject arrive in the order in which their transactions committed
    cause: Cause
    revision: int = 1  # higher in a correction
    historic: bool = False  # an import of the past


async def put(tx: Transaction, data: EventData, *, subject: str, cause: Cause, revision: int = 1, historic: bool = False) -> UUID:
    """Return the id of the event now in the outbox; it leaves if and only if `tx` commits.

    Lock the subject's row before this: order per subject is the order of commits only among transactions that waited for each other.
    Raises EventTooLargeError above 512 KiB.
    """
    return (await put_all(tx, [Telling(data=data, subject=subject, cause=cause, revision=revision, historic=historic)]))[0]


async def put_all(tx: Transaction, tellings: Iterable[Telling]) -> Sequence[UUID]:
    """Return the ids of several events put by one statement, in the order given; otherwise as `put`."""
    rows = [_row(telling) for telling in tellings]
    if rows:
        note_told(tx)
    if len(rows) == 1:
        await tx.execute(insert(outbox), rows[0])  # a third cheaper than the way for many
    elif rows:
        await tx.execute(insert(outbox), rows)
    return [row["id"] for row in rows]


def _row(telling: Telling) -> dict[str, Any]:
    body = telling.data.model_dump_json()
    if len(body.encode()) > MAX_BODY_BYTES:
        raise EventTooLargeError(
            f"{telling.data.type} about {telling.subject} is larger than {MAX_BODY_BYTES} bytes as JSON; "
            "leave files and long texts where they are and carry their address."
        )
    return {
        "id": new_id(),
        "type": telling.data.type,
        "subject": telling.subject,
        "time": clock.now(),
        "cause": telling.cause.id,
        "trace_id": telling.cause.trace_id,
        "revision": telling.revision,
        "historic": telling.historic,
        "body": body,
    }
