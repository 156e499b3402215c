"""Kafka as we speak it: FastStream brokers with the settings that matter, topics with their partitions, and a probe.

The defaults of the libraries lose or repeat events: FastStream acknowledges first, aiokafka starts a new group at the end of a
topic and asks one replica only. Every broker of ours is made here, so that no door can forget it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl

from shared.cluster import Cluster, cluster_at
from shared.events.registry import PARTITIONS

log = logging.getLogger(__name__)
# FastStream says every batch and every choice of ours; only what fails is news.
_client_log = logging.getLogger(f"{__name__}.client")
_client_log.setLevel(logging.ERROR)

MAX_REPLICAS = 3
TOPIC_DAYS = 14  # a service that was away for a fortnight still finds everything
MAX_RECORDS = 500
# How long a stop waits for the batch in hand; a batch takes half a second.
GRACEFUL_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 2.0


class BrokerAwayError(Exception):
    """Kafka does not answer; nothing is lost meanwhile, what is told waits in the outbox."""


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """How a topic is set up."""

    partitions: int
    copies: int  # of the partition that has fewest
    kept_days: float | None  # None where the broker does not say
    copies_possible: int = MAX_REPLICAS


def group_of(service: str) -> str:
    """Return the consumer group of a service."""
    return f"tidings.{service}"


def telling_broker(kafka: Cluster | str) -> KafkaBroker:
    """Return a broker for the relay: idempotent, acknowledged by every replica in step, keyed messages sent at once."""
    cluster = cluster_at(kafka)
    broker = KafkaBroker(
        cluster.servers,
        security=cluster.security,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=64 * 1024,
        allow_auto_create_topics=False,
        graceful_timeout=GRACEFUL_SECONDS,
        logger=_client_log,
        log_level=logging.DEBUG,
    )
    broker.config.broker_config.producer = _Producer(parser=None, decoder=None)
    return broker


class _Producer(AioKafkaFastProducerImpl):
    """FastStream's producer, which leaves one that could not start open, and forgets it: a connection at each try of an outage."""

    async def connect(self, producer: AIOKafkaProducer, serializer: Any, codec: Any = None) -> None:
        try:
            await super().connect(producer, serializer, codec)
        except BaseException:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 1.0)
            raise


def listening_broker(kafka: Cluster | str) -> KafkaBroker:
    """Return a broker for a subscriber; nothing is acknowledged but by us, after the commit."""
    cluster = cluster_at(kafka)
    return KafkaBroker(
        cluster.servers,
        security=cluster.security,
        consumer_only=True,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=GRACEFUL_SECONDS,
        logger=_client_log,
        log_level=logging.DEBUG,
    )


async def without_headers(records: tuple[Any, ...], original: Any) -> Any:
    """Parse a batch without showing FastStream its headers, and put the records back whole.

    FastStream decodes every header of a batch before any handler sees it, and its fallback does the same: one header that is null or
    not UTF-8 would lose the whole batch without a word. Headers and bodies are read event by event in `shared.arrivals`.
    """
    message = await original(tuple(replace(record, headers=()) for record in records))
    message.raw_message = records
    return message


async def without_decoding(message: Any) -> None:
    """Decode nothing: bodies are read event by event."""
    del message


async def stop_at_once(broker: KafkaBroker, seconds: float = GRACEFUL_SECONDS) -> None:
    """Stop a broker within `seconds` even while Kafka is away.

    An idempotent producer never gives a batch up, so its own stop would wait for ever; what it still holds is in the outbox.
    """
    try:
        await asyncio.wait_for(broker.stop(), seconds)
    except (TimeoutError, KafkaError, OSError) as error:
        log.debug("a broker did not stop by itself: %r", error)
        state = getattr(broker.config.producer, "_producer", None)
        producer = getattr(state, "producer", None) if state else None
        if (sender := getattr(producer, "_sender", None)) is not None:
            with suppress(TimeoutError, KafkaError, OSError, asyncio.CancelledError):
                await asyncio.wait_for(sender.close(), 1.0)
        if producer is not None:
            with suppress(TimeoutError, KafkaError, OSError):
                await asyncio.wait_for(producer.client.close(), 1.0)


async def ensure_topics(kafka: Cluster | str, topics: Iterable[str], *, partitions: int = PARTITIONS) -> None:
    """Make the topics that are missing, with their partitions, on up to three brokers; raises BrokerAwayError."""
    cluster = cluster_at(kafka)
    admin = AIOKafkaAdminClient(**cluster.options, request_timeout_ms=10_000)
    try:
        await admin.start()
        replicas = min(MAX_REPLICAS, len((await admin.describe_cluster())["brokers"]))
        kept = {"retention.ms": str(TOPIC_DAYS * 86_400_000)}
        wanted = [NewTopic(topic, num_partitions=partitions, replication_factor=replicas, topic_configs=kept) for topic in topics]
        answer = await admin.create_topics(wanted)
        for result in answer.to_object()["topic_errors"]:
            if result["error_code"] and for_code(result["error_code"]) is not TopicAlreadyExistsError:
                raise BrokerAwayError(f"topic {result['topic']} could not be made: {result.get('error_message') or result['error_code']}")
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerAwayError(f"Kafka at {cluster.address} does not answer: {error!r}") from error
    finally:
        await admin.close()


class Probe:
    """Looks at Kafka from outside the consumers, so that a consumer that hangs cannot tell us that all is well."""

    def __init__(self, kafka: Cluster | str) -> None:
        self._cluster = cluster_at(kafka)
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._partitions: dict[str, list[TopicPartition]] = {}
        self._lock = asyncio.Lock()

    async def ends(self, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        """Return the end offset of every partition; raises BrokerAwayError after two seconds without an answer."""
        async with self._asking():
            assert self._consumer is not None
            await self._learn_partitions(topics)
            wanted = [partition for topic in topics for partition in self._partitions[topic]]
            return dict(await self._consumer.end_offsets(wanted))

    async def committed(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        """Return the next offset of every partition of `topics` that `group` has committed; raises BrokerAwayError."""
        async with self._asking():
            assert self._admin is not None
            await self._learn_partitions(topics)
            # Each partition by name: the embedded broker has no answer for "all of them".
            wanted = [partition for topic in topics for partition in self._partitions[topic]]
            found = await self._admin.list_consumer_group_offsets(group, partitions=wanted)
            return {partition: entry.offset for partition, entry in found.items() if entry.offset >= 0}

    async def lag(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, int]:
        """Return how many records of each partition `group` has not committed; raises BrokerAwayError."""
        ends, committed = await self.ends(topics), await self.committed(group, topics)
        return {partition: max(0, end - committed.get(partition, 0)) for partition, end in ends.items()}

    async def described(self, topics: Collection[str]) -> Mapping[str, TopicState]:
        """Return how each topic that exists is set up; raises BrokerAwayError."""
        async with self._asking():
            assert self._admin is not None
            there = sorted(set(await self._admin.list_topics()).intersection(topics))
            kept = await self._kept_days(there)
            found = {}
            for described in await self._admin.describe_topics(there):
                partitions = described["partitions"]
                copies = min((len(partition["replicas"]) for partition in partitions), default=0)
                name = described["topic"]
                found[name] = TopicState(partitions=len(partitions), copies=copies, kept_days=kept.get(name))
            brokers = len((await self._admin.describe_cluster())["brokers"])
        return {name: replace(state, copies_possible=min(MAX_REPLICAS, brokers)) for name, state in found.items()}

    async def _kept_days(self, topics: Collection[str]) -> Mapping[str, float]:
        """Return for how many days topics keep their records; nothing where the broker does not say, as the embedded one."""
        assert self._admin is not None
        wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None}) for topic in topics]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS / 2):
                answers = await self._admin.describe_configs(wanted)
        except (KafkaError, TimeoutError):
            return {}
        days = {}
        for answer in answers:
            for resource in answer.to_object()["resources"]:
                for entry in resource["config_entries"]:
                    if entry["config_names"] == "retention.ms":
                        days[resource["resource_name"]] = int(entry["config_value"]) / 86_400_000
        return days

    async def records(self, topics: Collection[str]) -> Mapping[str, int]:
        """Return how many records each topic holds, 0 for one that does not exist; raises BrokerAwayError."""
        async with self._asking():
            assert self._consumer is not None
            assert self._admin is not None
            there = set(await self._admin.list_topics()).intersection(topics)
            await self._learn_partitions(sorted(there))
            wanted = [partition for topic in there for partition in self._partitions[topic]]
            begins, ends = await self._consumer.beginning_offsets(wanted), await self._consumer.end_offsets(wanted)
            held = dict.fromkeys(topics, 0)
            for partition in wanted:
                held[partition.topic] += ends[partition] - begins[partition]
            return held

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        async with self._lock:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                    await self._connect()
                    yield
            except (KafkaError, OSError, TimeoutError) as error:
                await self._forget()
                raise BrokerAwayError(f"Kafka at {self._cluster.address} does not answer") from error

    async def _connect(self) -> None:
        if self._consumer is None:
            # Unset until started: a client that failed to start is closed here and made anew next time.
            consumer = AIOKafkaConsumer(**self._cluster.options, request_timeout_ms=2_000)
            admin = AIOKafkaAdminClient(**self._cluster.options, request_timeout_ms=2_000)
            self._consumer, self._admin = consumer, admin
            await consumer.start()
            await admin.start()

    async def _learn_partitions(self, topics: Collection[str]) -> None:
        assert self._admin is not None
        if missing := [topic for topic in topics if topic not in self._partitions]:
            for described in await self._admin.describe_topics(missing):
                numbers = sorted(partition["partition"] for partition in described["partitions"])
                if numbers:
                    self._partitions[described["topic"]] = [TopicPartition(described["topic"], number) for number in numbers]
            for topic in missing:
                if topic not in self._partitions:
                    raise KafkaError(f"topic {topic} does not exist")

    async def _forget(self) -> None:
        consumer, admin = self._consumer, self._admin
        self._consumer = self._admin = None
        self._partitions.clear()
        closers: list[Any] = [consumer.stop if consumer else None, admin.close if admin else None]
        for close in closers:
            if close is not None:
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(close(), 1.0)

    async def close(self) -> None:
        """Close the connections."""
        async with self._lock:
            await self._forget()
