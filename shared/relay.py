"""From the outbox to Kafka: the only place that tells the world anything. One relay a service leads at a time."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata
from faststream.kafka import KafkaBroker
from sqlalchemy import ARRAY, BigInteger, Row, any_, bindparam, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock, locks, metrics
from shared.broker import BrokerAwayError, stop_at_once, telling_broker
from shared.cluster import Cluster
from shared.db import Database
from shared.outbox import outbox
from shared.trace import Cause
from shared.window import Window

log = logging.getLogger(__name__)

BATCH = 500
MAX_BATCH_BYTES = 1_000_000
# An idempotent producer tries for ever by itself; this is for one that has silently stopped trying.
SEND_TIMEOUT_SECONDS = 30.0
# What is told by a process without a relay, or whose notification is lost with its session, is found by the next look.
LOOK_ANYWAY_SECONDS = 0.25
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)


class Relay:
    """Sends one service's outbox, in the order of its rows, and marks what Kafka has acknowledged.

    With a `window` (embedded broker) everything retained is offered again at start, since that broker forgets with its process and
    the inboxes drop what they have; and no more is sent than the readers can keep up with.
    """

    def __init__(self, service: str, topic: str, database: Database, kafka: Cluster | str, *, window: Window | None = None) -> None:
        self.service = service
        self.topic = topic
        self.leading = False  # this process's relay is the one that sends
        self.trouble = ""  # why nothing is sent at the moment; empty when all is well
        self._database = database
        self._kafka = kafka
        self._window = window
        self._wake = asyncio.Event()
        database.when_told(self._wake.set)
        self._broker: KafkaBroker | None = None
        self._offered_again = window is None

    async def run(self) -> None:
        """Lead, or wait to lead, until cancelled; troubles of database and broker are waited out."""
        tries = 0
        try:
            while True:
                try:
                    async with locks.session(self._database) as session:
                        await self._until_leading(session)
                        await locks.hear(session, self._channel, self._wake.set)
                        self.leading = True
                        tries = await self._lead(session)
                except (SQLAlchemyError, OSError, TimeoutError, KafkaError, BrokerAwayError) as error:
                    await self._drop_broker()
                    self.trouble = f"{type(error).__name__}: {str(error)[:200]}"
                    log.warning("the relay of %s pauses: %s", self.service, self.trouble)
                except Exception as error:
                    # Whatever it is, the outbox must go on being offered: what was put is still to be told.
                    await self._drop_broker()
                    self.trouble = f"{type(error).__name__}: {str(error)[:200]}"
                    log.exception("the relay of %s pauses", self.service)
                finally:
                    self.leading = False
                await asyncio.sleep(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)])
                tries += 1
        finally:
            await self._drop_broker()

    @property
    def _channel(self) -> str:
        return f"outbox_{self.service}"

    async def _until_leading(self, session: AsyncConnection) -> None:
        """Return once this process leads; until then, pass on to the one that does what this process has told.

        The notification is a statement of its own, after the commit: in the transaction that told something it would make all commits
        of the database queue up behind one lock, each with its own wait for the disk.
        """
        while not await locks.try_lock(session, f"relay:{self.service}"):
            with suppress(TimeoutError):
                async with asyncio.timeout(locks.ASK_AGAIN_SECONDS):
                    await self._wake.wait()
                self._wake.clear()
                await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": self._channel})

    async def _lead(self, session: AsyncConnection) -> int:
        if not self._offered_again:
            await self._offer_again()
            self._offered_again = True
        while True:
            self._wake.clear()
            rows = await self._unsent()
            if rows:
                await self._send(rows)
                await self._mark(rows)
            self.trouble = ""  # only now: asking the database says nothing of Kafka
            if rows:
                metrics.EVENTS_SENT.labels(self.service).inc(len(rows))
                continue
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with what it waits for.
                async with asyncio.timeout(LOOK_ANYWAY_SECONDS):
                    await self._wake.wait()
                continue
            await locks.alive(session)  # raises when the lock went with its session

    async def _unsent(self) -> Sequence[Row[Any]]:
        async with self._database.transaction() as tx:
            found = await tx.execute(select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.seq).limit(BATCH))
            return _up_to_bytes(found.all(), MAX_BATCH_BYTES)

    async def _offer_again(self) -> None:
        async with self._database.transaction() as tx:
            last = (await tx.execute(select(func.max(outbox.c.seq)).where(outbox.c.sent_at.is_not(None)))).scalar_one() or 0
        seq, offered = 0, 0
        while seq < last:
            async with self._database.transaction() as tx:
                retained = select(outbox).where(outbox.c.sent_at.is_not(None), outbox.c.seq > seq, outbox.c.seq <= last)
                rows = _up_to_bytes((await tx.execute(retained.order_by(outbox.c.seq).limit(BATCH))).all(), MAX_BATCH_BYTES)
            if not rows:
                break
            await self._send(rows)
            seq, offered = rows[-1].seq, offered + len(rows)
        if offered:
            log.info("%s offered %d retained events again", self.service, offered)

    async def _send(self, rows: Sequence[Row[Any]]) -> None:
        """Return once Kafka has acknowledged every row."""
        if self._window is not None:
            await self._window.wait()
        broker = await self._connected()
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            # One after another, not gathered: what is handed over first gets the lower offset, and that is the order per subject.
            pending = [
                await broker.publish(
                    row.body.encode(),
                    self.topic,
                    key=row.subject.encode(),
                    headers=headers(self.service, row),
                    correlation_id=str(row.id),
                    no_confirm=True,
                )
                for row in rows
            ]
            places = await asyncio.gather(*pending)
        if self._window is not None:
            for row, place in zip(rows, places, strict=True):
                _note(self._window, row, place)

    async def _mark(self, rows: Sequence[Row[Any]]) -> None:
        seqs = bindparam("seqs", [row.seq for row in rows], type_=ARRAY(BigInteger))
        async with self._database.transaction() as tx:
            await tx.execute(update(outbox).where(outbox.c.seq == any_(seqs)).values(sent_at=clock.now()))

    async def _connected(self) -> KafkaBroker:
        if self._broker is None:
            self._broker = telling_broker(self._kafka)
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._broker.connect()
        return self._broker

    async def _drop_broker(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            await stop_at_once(broker, 2.0)


def headers(service: str, row: Row[Any]) -> dict[str, str]:
    """Return a row's CloudEvents attributes as Kafka headers (CloudEvents Kafka protocol binding 1.0.2, section 3.2)."""
    named = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(row.id),
        "ce_source": f"/{service}",
        "ce_type": row.type,
        "ce_subject": row.subject,
        "ce_time": row.time.isoformat(),
        "ce_cause": row.cause,
        "ce_revision": str(row.revision),
        "traceparent": Cause(id=str(row.id), trace_id=row.trace_id).traceparent,
    }
    return named | {"ce_historic": "true"} if row.historic else named


def _up_to_bytes(rows: Sequence[Row[Any]], limit: int) -> Sequence[Row[Any]]:
    size = 0
    for number, row in enumerate(rows):
        size += len(row.body)
        if size > limit and number:
            return rows[:number]
    return rows


def _note(window: Window, row: Row[Any], place: RecordMetadata) -> None:
    window.sent(place, len(row.body.encode()) + 600)


async def unsent(database: Database) -> tuple[int, float]:
    """Return how many events wait in the outbox and the age of the oldest in seconds."""
    async with database.transaction() as tx:
        count, oldest = (await tx.execute(select(func.count(), func.min(outbox.c.time)).where(outbox.c.sent_at.is_(None)))).one()
    return count, (clock.now() - oldest).total_seconds() if oldest else 0.0


async def told(database: Database, event_id: UUID) -> Row[Any] | None:
    """Return the outbox row of an event, or None when this service did not tell it (or its retention is over)."""
    async with database.transaction() as tx:
        return (await tx.execute(select(outbox).where(outbox.c.id == event_id))).one_or_none()
