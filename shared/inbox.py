"""In: which events this service has taken responsibility for. A row here is what makes an effect happen once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Integer, SmallInteger, Table, Text, Uuid, bindparam, text

from shared import clock
from shared.db import Transaction, metadata

if TYPE_CHECKING:
    from shared.arrivals import Arrival

TABLES = metadata()

inbox = Table(
    "inbox",
    TABLES,
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("trace_id", Text, nullable=False, index=True),
    Column("happened_at", DateTime(timezone=True)),  # empty where the event could not be read
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),  # handled, parked, discarded
    Column("outcome_at", DateTime(timezone=True), nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default="1"),
)

# One statement, one array a column: a batch of 500 costs what one row costs. Sorted, so that two consumers that meet on the
# same events after a rebalance wait for each other instead of deadlocking.
_INSERT = text("""
    INSERT INTO inbox (event_id, type, topic, partition, "offset", subject, cause, trace_id, happened_at, received_at, outcome, outcome_at)
    SELECT event_id, type, topic, partition, "offset", subject, cause, trace_id, happened_at, :now, 'handled', :now
    FROM unnest(:ids, :types, :topics, :partitions, :offsets, :subjects, :causes, :traces, :times)
      AS arrived (event_id, type, topic, partition, "offset", subject, cause, trace_id, happened_at)
    ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("types", type_=ARRAY(Text)),
    bindparam("topics", type_=ARRAY(Text)),
    bindparam("partitions", type_=ARRAY(SmallInteger)),
    bindparam("offsets", type_=ARRAY(BigInteger)),
    bindparam("subjects", type_=ARRAY(Text)),
    bindparam("causes", type_=ARRAY(Text)),
    bindparam("traces", type_=ARRAY(Text)),
    bindparam("times", type_=ARRAY(DateTime(timezone=True))),
    bindparam("now", type_=DateTime(timezone=True)),
)


async def take(tx: Transaction, arrivals: Sequence["Arrival"]) -> set[UUID]:
    """Return the ids that are new to this service; the others were handled, parked or discarded before.

    Waits for another transaction that is taking the same ids, so what that one parked is visible afterwards.
    """
    ordered = sorted(arrivals, key=lambda arrival: arrival.event_id)
    taken = await tx.execute(
        _INSERT,
        {
            "ids": [a.event_id for a in ordered],
            "types": [a.type for a in ordered],
            "topics": [a.record.topic for a in ordered],
            "partitions": [a.record.partition for a in ordered],
            "offsets": [a.record.offset for a in ordered],
            "subjects": [a.subject for a in ordered],
            "causes": [a.event.cause if a.event else "" for a in ordered],
            "traces": [a.event.trace_id if a.event else "" for a in ordered],
            "times": [a.event.time if a.event else None for a in ordered],
            "now": clock.now(),
        },
    )
    return {row.event_id for row in taken}
