"""The audit trail: every decision that a person made anywhere, in a chain of hashes that shows whether one was changed or taken out."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Column, DateTime, Row, Table, Text, Uuid, cast, func, insert, select
from sqlalchemy.dialects.postgresql import JSON

from services.desk.store import TABLES, people
from shared import clock
from shared.db import Transaction
from shared.events.every import DecisionMade
from shared.listening import Received

audit = Table(
    "audit",
    TABLES,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 without a gap
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("time", DateTime(timezone=True), nullable=False),  # when it was decided, as its teller says
    Column("subject", Text, nullable=False),  # id of what was decided on
    Column("cause", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("said", Text, nullable=False),  # the event's JSON exactly as it was hashed
    Column("hash", Text, nullable=False),  # SHA-256 of the row before's and of this row, in hexadecimal digits
)

# Before the first row there is nothing to hash.
FIRST = "0" * 64
# Any number: rows are added one after another, or two would follow on the same one.
_LOCK = 7_310_003
_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first row that does not follow from those before it."""

    number: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What checking the whole trail found."""

    rows: int  # that hold, from the first on
    head: str  # hash of the last of them: note it elsewhere, and a later check shows whether the end was cut off since
    broken: Break | None


async def add_decisions(tx: Transaction, events: Sequence[Received[DecisionMade]]) -> None:
    """Put decisions at the end of the trail, in the order in which they came."""
    await tx.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = (await tx.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1))).one_or_none()
    number, head = (last.number, last.hash) if last else (0, FIRST)
    rows = []
    for event in events:
        number += 1
        row: dict[str, Any] = {
            "number": number,
            "event_id": event.id,
            "time": event.time,
            "subject": event.subject,
            "cause": event.cause,
            "trace_id": event.trace_id,
            "said": event.data.model_dump_json(),
        }
        head = hash_of(head, **row)
        rows.append({**row, "hash": head})
    await tx.execute(insert(audit), rows)


def hash_of(before: str, *, number: int, event_id: UUID, time: datetime, subject: str, cause: str, trace_id: str, said: str) -> str:
    """Return the hash of a row that follows on the one whose hash is `before`: SHA-256 of a JSON list of all that it holds."""
    whole = [before, number, str(event_id), clock.rfc3339(time), subject, cause, trace_id, said]
    return hashlib.sha256(orjson.dumps(whole)).hexdigest()


async def verify(tx: Transaction, noted: str = "") -> Verdict:
    """Return whether every row follows from those before it, and whether a hash that was `noted` earlier is still among them."""
    head, count, found = FIRST, 0, noted in {"", FIRST}
    async for row in _all(tx):
        if row.number != count + 1:
            return Verdict(rows=count, head=head, broken=Break(number=count + 1, why="it is missing"))
        holds = {name: getattr(row, name) for name in ("number", "event_id", "time", "subject", "cause", "trace_id", "said")}
        if row.hash != hash_of(head, **holds):
            return Verdict(rows=count, head=head, broken=Break(number=row.number, why="it or the row before it was changed"))
        head, count, found = row.hash, row.number, found or row.hash == noted
    if not found:
        return Verdict(rows=count, head=head, broken=Break(number=count + 1, why="the noted hash is not in the trail; its end was cut off"))
    return Verdict(rows=count, head=head, broken=None)


async def listing(tx: Transaction, *, limit: int, offset: int = 0) -> tuple[Sequence[tuple[Row[Any], DecisionMade]], int]:
    """Return rows with what they say, the last first, each with the name of its person today; and how many rows there are."""
    who = func.json_extract_path_text(cast(audit.c.said, JSON), "who")
    query = select(audit, people.c.name.label("who_name")).outerjoin(people, people.c.id == who)
    rows = (await tx.execute(query.order_by(audit.c.number.desc()).limit(limit).offset(offset))).all()
    total = int((await tx.execute(select(func.count()).select_from(audit))).scalar_one())
    return [(row, DecisionMade.model_validate_json(row.said)) for row in rows], total


async def export(tx: Transaction, *, after: int = 0, limit: int | None = None) -> Sequence[dict[str, object]]:
    """Return rows after that number as JSON values, the first first, whole enough to check the chain elsewhere."""
    query = select(audit).where(audit.c.number > after).order_by(audit.c.number)
    return [_exported(row) for row in await tx.execute(query if limit is None else query.limit(limit))]


def _exported(row: Row[Any]) -> dict[str, object]:
    return {
        "number": row.number,
        "event_id": str(row.event_id),
        "time": clock.rfc3339(row.time),
        "subject": row.subject,
        "cause": row.cause,
        "trace_id": row.trace_id,
        "said": orjson.loads(row.said),
        "said_as": row.said,
        "hash": row.hash,
    }


async def _all(tx: Transaction) -> AsyncIterator[Row[Any]]:
    """Give every row in order, read in pages."""
    after = 0
    while rows := (await tx.execute(select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(_PAGE))).all():
        for row in rows:
            yield row
        after = rows[-1].number
