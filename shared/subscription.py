"""The subscriber of one service: FastStream hands over batches, the consumer takes them, then they are acknowledged."""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from shared import metrics
from shared.broker import GRACEFUL_SECONDS, MAX_RECORDS, group_of, listening_broker, stop_at_once, without_decoding, without_headers
from shared.cluster import Cluster
from shared.consumer import Consumer
from shared.db import is_away

log = logging.getLogger(__name__)

# A database that went away is asked again soon at first, so that a restart of it is hardly felt, and seldom later.
PAUSES_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
ACKNOWLEDGE_TIMEOUT_SECONDS = 5.0


class StoppingError(Exception):
    """The subscriber stops while a batch waits for the database; nothing of it is acknowledged, so it comes again."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The settings in which the embedded broker wants to be spoken to differently; milliseconds."""

    batch_timeout_ms: int = 50
    fetch_max_wait_ms: int = 50
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 3_000


KAFKA = Pace()
# The embedded broker does not wake a fetch that waits, and holds a restarted member back for its session.
EMBEDDED = Pace(fetch_max_wait_ms=20, batch_timeout_ms=20, session_timeout_ms=2_000, heartbeat_interval_ms=500)


@dataclass(kw_only=True)
class Progress:
    """What the subscriber has really done; assignment and position look healthy even where nothing moves."""

    done: dict[TopicPartition, int] = field(default_factory=dict)  # next offset after the last batch that is committed here
    moved_at: float = field(default_factory=time.monotonic)  # monotonic seconds of the last batch committed, or of the start
    batch_since: float | None = None  # monotonic seconds since when a batch is in hand
    trouble: str = ""  # why the batch in hand waits for the database; empty when it does not

    def moved(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Note a batch as committed."""
        for record in records:
            self.done[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self.moved_at = time.monotonic()
        self.trouble = ""


class Subscription:
    """Reads the topics of one service's listeners until stopped; can be restarted when it does not move."""

    def __init__(
        self, consumer: Consumer, kafka: Cluster | str, topics: Collection[str], *, pace: Pace = KAFKA, instance: str | None = None
    ) -> None:
        self.service = consumer.service
        self.topics = sorted(topics)
        self.progress = Progress()
        self.instance = instance  # fixed name of this group member: a killed process finds its partitions at once when it returns
        self._consumer = consumer
        self._kafka = kafka
        self._pace = pace
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()  # no batch is in hand
        self._idle.set()
        self._acknowledging: asyncio.Task[None] | None = None

    @property
    def client(self) -> AIOKafkaConsumer | None:
        """The consumer of the library, or None while stopped."""
        return self._subscriber.consumer if self._subscriber is not None else None

    async def start(self) -> None:
        """Join the group and begin to read; raises what Kafka raises when it does not answer."""
        self._stopping.clear()
        broker = listening_broker(self._kafka)
        subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            max_records=MAX_RECORDS,
            batch_timeout_ms=self._pace.batch_timeout_ms,
            fetch_max_wait_ms=self._pace.fetch_max_wait_ms,
            session_timeout_ms=self._pace.session_timeout_ms,
            heartbeat_interval_ms=self._pace.heartbeat_interval_ms,
            group_id=group_of(self.service),
            group_instance_id=self.instance,
            auto_offset_reset="earliest",
            parser=without_headers,
            decoder=without_decoding,
            include_in_schema=False,
        )
        subscriber(self._on_batch)
        self._broker, self._subscriber = broker, subscriber
        self.progress = Progress()
        try:
            await broker.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Finish the batch in hand, or give it back, and leave."""
        self._stopping.set()
        broker, self._broker = self._broker, None
        if self._subscriber is not None:
            await self._finish_batch()
            await self._acknowledged()
        if broker is not None:
            await stop_at_once(broker, 2 * ACKNOWLEDGE_TIMEOUT_SECONDS)
        self._subscriber = None

    async def _finish_batch(self) -> None:
        """Take no further batch, and return once the one in hand is committed or given back, or has had its time."""
        self._subscriber.running = False
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACEFUL_SECONDS):
                await self._idle.wait()

    async def _on_batch(self, message: KafkaMessage) -> None:
        records: Any = message.raw_message
        self.progress.batch_since = time.monotonic()
        self._idle.clear()
        try:
            await self._until_taken(records)
            self.progress.moved(records)
            await self._acknowledged()
            self._acknowledging = asyncio.create_task(self._acknowledge(message.consumer, records))
        except StoppingError:
            log.info("%s stops with %d records not taken; they come again", self.service, len(records))
        finally:
            self.progress.batch_since = None
            self._idle.set()

    async def _until_taken(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Give the batch to the consumer until it is committed.

        The batch waits here for the database instead of being handed back: a rewind fails half-way when a partition was taken away
        meanwhile, and the inbox makes taking it again harmless in every case.
        """
        tries = 0
        while True:
            try:
                await self._consumer.take(records)
            except Exception as error:
                if not is_away(error):
                    log.exception("%s could not take a batch for a reason of its own; it tries again", self.service)
                self.progress.trouble = f"{type(error).__name__}: {str(getattr(error, 'orig', None) or error)[:200]}"
                metrics.BATCH_RETRIES.labels(self.service).inc()
                if tries == 0:
                    log.warning("%s waits for its database: %s", self.service, self.progress.trouble)
            else:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]):
                    await self._stopping.wait()
                raise StoppingError
            tries += 1

    async def _acknowledged(self) -> None:
        """Return once the last acknowledgement is over; it runs beside the next batch, whose work it would only hold up."""
        acknowledging, self._acknowledging = self._acknowledging, None
        if acknowledging is not None:
            await acknowledging

    async def _acknowledge(self, client: Any, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        """Commit the offsets of just these records; what cannot be committed comes again and the inbox drops it."""
        mine = client.assignment()
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            if (partition := TopicPartition(record.topic, record.partition)) in mine:
                offsets[partition] = record.offset + 1
        if not offsets:
            return
        try:
            async with asyncio.timeout(ACKNOWLEDGE_TIMEOUT_SECONDS):
                await client.commit(offsets)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.warning("%s could not acknowledge a batch (%r); it may come again and is then dropped", self.service, error)
