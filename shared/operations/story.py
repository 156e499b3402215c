"""What one service knows of an event, or of everything that came from one request: rows and facts, not yet in words."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, or_, select

from shared.db import Transaction
from shared.inbox import inbox
from shared.outbox import outbox
from shared.parking import parked
from shared.trace import trace_id_of

# An import of thousands is one story too; a page of that length tells nobody anything.
ROWS_MAX = 300

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that a service did within a story, besides telling and taking events: a request came in, an item was made."""

    time: datetime
    title_key: str  # of a sentence
    params: Mapping[str, object] = field(default_factory=dict)  # for the sentence's places
    address: str = ""  # a page of ours where it can be seen; empty where there is none


Facts = Callable[[Transaction, str], Awaitable[Sequence[Fact]]]
"""Gives what a service did within the trace of this id."""


async def no_facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    """Return nothing: for a service that does nothing besides telling and taking events."""
    del tx, trace_id
    return ()


@dataclass(frozen=True, kw_only=True)
class Story:
    """What one service knows."""

    asked: UUID  # an event's id, or a receipt, whose digits are the trace id too
    traces: tuple[str, ...]  # ids of the traces that it belongs to, as far as this service knows
    told: Sequence[Row[Any]]  # of the outbox
    taken: Sequence[Row[Any]]  # of the inbox
    parked: Sequence[Row[Any]]
    facts: Sequence[Fact]

    @property
    def known(self) -> bool:
        """Whether this service has anything to tell."""
        return bool(self.told or self.taken or self.parked or self.facts)

    @property
    def caused(self) -> tuple[UUID, ...]:
        """The ids of the events that this service told because of what was asked for."""
        return tuple(row.id for row in self.told if read_id(row.cause) == self.asked)

    @property
    def cut(self) -> bool:
        """Whether there is more than what stands here."""
        return any(len(rows) >= ROWS_MAX for rows in (self.told, self.taken, self.parked))


def read_id(text: str) -> UUID | None:
    """Return the id that a person or an event gives: UUID, 32 hexadecimal digits, or the trace id within a `traceparent`."""
    wanted = text.strip().lower()
    wanted = trace_id_of(wanted) or wanted
    return UUID(wanted) if _ID.fullmatch(wanted) else None


async def story_of(tx: Transaction, asked: UUID, facts: Facts = no_facts) -> Story:
    """Return what this service knows of an event or a trace, and of everything of the same trace.

    A cause carries its trace along, so what an event caused stands in the event's own trace and needs no search of its own.
    """
    found: dict[str, None] = {asked.hex: None}  # a dict for its order
    for table, key in ((outbox, outbox.c.id), (inbox, inbox.c.event_id), (parked, parked.c.event_id)):
        for row in await tx.execute(select(table.c.trace_id).where(key == asked)):
            found[row.trace_id] = None
    traces = [trace for trace in found if trace]  # what could not be read belongs to no trace, not all of it to one
    told = await _rows(tx, outbox, (outbox.c.id == asked) | outbox.c.trace_id.in_(traces), outbox.c.seq)
    taken = await _rows(tx, inbox, (inbox.c.event_id == asked) | inbox.c.trace_id.in_(traces), inbox.c.received_at)
    apart = await _rows(tx, parked, or_(parked.c.event_id == asked, parked.c.event_id.in_([row.event_id for row in taken])), parked.c.id)
    by_trace = {trace: await facts(tx, trace) for trace in traces}
    told_in = {row.trace_id for row in (*told, *taken)}
    return Story(
        asked=asked,
        traces=tuple(trace for trace in traces if trace in told_in or by_trace[trace]),
        told=told,
        taken=taken,
        parked=apart,
        facts=[fact for of_trace in by_trace.values() for fact in of_trace],
    )


async def _rows(tx: Transaction, table: Table, where: ColumnElement[bool], order: ColumnElement[Any]) -> Sequence[Row[Any]]:
    return (await tx.execute(select(table).where(where).order_by(order).limit(ROWS_MAX))).all()
