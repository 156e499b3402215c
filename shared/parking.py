"""Events set aside: tried again with growing pauses, oldest of a key first, until handled, or dead and a person decides."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Row,
    SmallInteger,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared import clock
from shared.arrivals import Arrival
from shared.db import Transaction, metadata
from shared.inbox import inbox
from shared.log import without_personal_data

# A bug in a handler is mended by a release within days; a passing trouble within seconds. Eight tries span about a day.
PAUSES_SECONDS = (1, 5, 30, 120, 600, 3600, 21600, 43200)
MAX_ATTEMPTS = len(PAUSES_SECONDS) + 1
MAX_ERROR_LENGTH = 2000

Key = tuple[str, bytes]
"""Topic and Kafka key: what order holds within. A record without a key has no order to keep."""


class ParkedState(StrEnum):
    """Where a parked event stands."""

    WAITING = "waiting"  # tried again at its time, once it is the oldest of its key
    DEAD = "dead"  # will not be tried again unless a person says so; the later ones of its key wait behind it
    DISCARDED = "discarded"  # a person gave it up, with a reason


TABLES = metadata()

parked = Table(
    "parked",
    TABLES,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary),  # empty where the record had none
    Column("value", LargeBinary),  # the bytes as they came
    Column("headers", JSONB, nullable=False),  # list of [name, base64 or null], as they came
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("behind", Boolean, nullable=False),  # true: not tried yet, set aside only to keep the order of its key
    Column("error", Text, nullable=False),  # of the last try
    Column("attempts", Integer, nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),  # who discarded or redrove it last
    Column("reason", Text),  # why, in that person's words
)
_OPEN = parked.c.state.in_([ParkedState.WAITING.value, ParkedState.DEAD.value])
Index("parked_key_idx", parked.c.topic, parked.c.key, parked.c.id, postgresql_where=_OPEN)
Index("parked_due_idx", parked.c.next_at, postgresql_where=parked.c.state == ParkedState.WAITING.value)

_older = parked.alias("older")
STANDS_BEHIND = (
    select(_older.c.id)
    .where(
        _older.c.state.in_([ParkedState.WAITING.value, ParkedState.DEAD.value]),
        _older.c.topic == parked.c.topic,
        _older.c.key == parked.c.key,
        _older.c.id < parked.c.id,
    )
    .exists()
)
"""Whether an older event of the same key is set aside, so that this one waits for it."""


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """A Kafka record as parking kept it; reads like the one that came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One arrival to set aside, and why."""

    arrival: Arrival
    error: str
    dead: bool = False  # what cannot be read is not made readable by trying again
    behind: bool = False


def key_of(arrival: Arrival) -> Key | None:
    """Return what order holds within for this arrival, or None where there is none to keep."""
    return (arrival.record.topic, arrival.record.key) if arrival.record.key is not None else None


def describe(error: BaseException) -> str:
    """Return an error as parking shows it: its class and its text, without what a statement or a row carried, and without addresses."""
    text = without_personal_data(str(getattr(error, "orig", None) or error).split("\n[SQL:")[0])
    return f"{type(error).__name__}: {text}"[:MAX_ERROR_LENGTH].replace("\x00", "\\x00")


async def blocked(tx: Transaction, arrivals: Collection[Arrival]) -> set[Key]:
    """Return the keys among these arrivals that have an event set aside, so that later ones must wait behind it."""
    keys = {key for arrival in arrivals if (key := key_of(arrival)) is not None}
    if not keys:
        return set()
    found = await tx.execute(
        select(parked.c.topic, parked.c.key)
        .distinct()
        .where(_OPEN, parked.c.key == any_(bindparam("keys", [key for _, key in keys], type_=ARRAY(LargeBinary))))
    )
    return {(row.topic, row.key) for row in found} & keys


async def park(tx: Transaction, settings: Sequence[Setting]) -> None:
    """Set arrivals aside, in the order given."""
    if not settings:
        return
    now = clock.now()
    await tx.execute(insert(parked), [_row(setting, now) for setting in settings])
    await tx.execute(
        update(inbox)
        .where(inbox.c.event_id == any_(bindparam("ids", [s.arrival.event_id for s in settings], type_=ARRAY(Uuid))))
        .values(outcome="parked", outcome_at=now)
    )


def _row(setting: Setting, now: datetime) -> dict[str, Any]:
    arrival, record = setting.arrival, setting.arrival.record
    first_pause = 0 if setting.behind else PAUSES_SECONDS[0]
    return {
        "event_id": arrival.event_id,
        "type": arrival.type,
        "subject": arrival.subject,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": [[name, None if value is None else base64.b64encode(value).decode()] for name, value in record.headers],
        "trace_id": arrival.event.trace_id if arrival.event else "",
        "state": ParkedState.DEAD if setting.dead else ParkedState.WAITING,
        "behind": setting.behind,
        "error": setting.error[:MAX_ERROR_LENGTH],
        "attempts": 0 if setting.behind else 1,
        "first_at": now,
        "last_at": now,
        "next_at": now + timedelta(seconds=first_pause),
    }


def stored_record(row: Row[Any]) -> StoredRecord:
    """Return the record that `row` of `parked` keeps."""
    return StoredRecord(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        key=row.key,
        value=row.value,
        headers=[(name, None if value is None else base64.b64decode(value)) for name, value in row.headers],
    )


async def due(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Return parked events whose time has come, each the oldest of its key, locked against another process."""
    found = await tx.execute(
        select(parked)
        .where(parked.c.state == ParkedState.WAITING.value, parked.c.next_at <= clock.now(), ~STANDS_BEHIND)
        .order_by(parked.c.next_at, parked.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def settle(tx: Transaction, row: Row[Any]) -> None:
    """Take a parked event that has been handled out of parking."""
    await tx.execute(delete(parked).where(parked.c.id == row.id))
    await tx.execute(
        update(inbox)
        .where(inbox.c.event_id == row.event_id)
        .values(outcome="handled", outcome_at=clock.now(), attempts=inbox.c.attempts + row.attempts)
    )


async def fail(tx: Transaction, row: Row[Any], error: str, *, dead: bool = False) -> ParkedState:
    """Note a failed try and return where the event stands now: waiting for a longer pause, or dead after the last or where `dead`."""
    attempts = row.attempts + 1
    state = ParkedState.DEAD if dead or attempts >= MAX_ATTEMPTS else ParkedState.WAITING
    pause = PAUSES_SECONDS[min(attempts, len(PAUSES_SECONDS)) - 1]
    now = clock.now()
    await tx.execute(
        update(parked)
        .where(parked.c.id == row.id)
        .values(state=state, behind=False, error=error, attempts=attempts, last_at=now, next_at=now + timedelta(seconds=pause))
    )
    return state


async def redrive(tx: Transaction, *, event_id: UUID | None = None, by: str) -> int:
    """Make one dead or waiting event, or every dead one when no id is given, due at once; returns how many."""
    where = parked.c.event_id == event_id if event_id else parked.c.state == ParkedState.DEAD.value
    done = await tx.execute(
        update(parked).where(_OPEN, where).values(state=ParkedState.WAITING, attempts=0, next_at=clock.now(), decided_by=by)
    )
    return int(done.rowcount)


async def discard(tx: Transaction, event_id: UUID, *, by: str, reason: str) -> bool:
    """Give one parked event up for good; the later ones of its key go on. Returns whether it was there to give up."""
    done = await tx.execute(
        update(parked)
        .where(_OPEN, parked.c.event_id == event_id)
        .values(state=ParkedState.DISCARDED, decided_by=by, reason=reason, last_at=clock.now())
        .returning(parked.c.id)
    )
    if done.first() is None:
        return False
    await tx.execute(update(inbox).where(inbox.c.event_id == event_id).values(outcome="discarded", outcome_at=clock.now()))
    return True


async def counts(tx: Transaction) -> Mapping[str, int]:
    """Return how many parked events there are in each state."""
    found = await tx.execute(select(parked.c.state, func.count()).group_by(parked.c.state))
    return {state.value: 0 for state in ParkedState} | {row.state: row[1] for row in found}


async def listing(tx: Transaction, *, state: ParkedState | None = None, limit: int = 200) -> Sequence[Row[Any]]:
    """Return parked events, oldest first."""
    query = select(parked).order_by(parked.c.id).limit(limit)
    return (await tx.execute(query.where(parked.c.state == state.value) if state else query)).all()
