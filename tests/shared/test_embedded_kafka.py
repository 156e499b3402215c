"""The broker out of a wheel, spoken to with the same client as any other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.embedded.errors import StartError
from shared.embedded.kafka import EmbeddedKafka

TOPIC = "intake.v1"
PARTITIONS = 6
ALL = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]


@asynccontextmanager
async def producer_to(kafka: EmbeddedKafka) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=True, acks="all", linger_ms=0)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consumer_of(kafka: EmbeddedKafka, member: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=kafka.address,
        group_id="tidings.newsletter",
        group_instance_id=member,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=2000,
        heartbeat_interval_ms=500,
        fetch_max_wait_ms=20,
    )
    try:
        await asyncio.wait_for(consumer.start(), 10)
        yield consumer
    finally:
        await consumer.stop()


async def take(consumer: AIOKafkaConsumer, count: int) -> list[bytes]:
    """Return the values of `count` records."""
    values: list[bytes] = []
    while len(values) < count:
        found = await consumer.getmany(timeout_ms=5000)
        assert found, f"{len(values)} of {count} records came"
        values += [record.value or b"" for records in found.values() for record in records]
    return values


async def send(producer: AIOKafkaProducer, count: int, *, start: int = 0) -> None:
    sent = [await producer.send(TOPIC, str(number).encode(), key=b"%d" % number) for number in range(start, start + count)]
    await asyncio.gather(*sent)


@pytest.fixture
def kafka_topics() -> dict[str, int]:
    return {TOPIC: PARTITIONS}


async def test_what_is_sent_arrives_once_and_its_offsets_are_kept(kafka: EmbeddedKafka) -> None:
    async with producer_to(kafka) as producer, consumer_of(kafka) as consumer:
        await send(producer, 500)
        assert sorted(map(int, await take(consumer, 500))) == list(range(500))
        await consumer.commit()
        ends = await consumer.end_offsets(ALL)
        assert sum(ends.values()) == 500
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
        await admin.start()
        committed = await admin.list_consumer_group_offsets("tidings.newsletter", partitions=ALL)
        await admin.close()
        assert {partition: kept.offset for partition, kept in committed.items()} == ends


async def test_topics_have_the_partitions_that_were_asked_for(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("desk.v1", 3)
    async with producer_to(kafka) as producer:
        assert len(await producer.partitions_for(TOPIC)) == PARTITIONS
        assert len(await producer.partitions_for("desk.v1")) == 3


async def test_a_group_has_its_partitions_without_the_usual_wait(kafka: EmbeddedKafka) -> None:
    started = time.monotonic()
    async with consumer_of(kafka, member="newsletter-0") as consumer:
        assert set(consumer.assignment()) == set(ALL)
    assert time.monotonic() - started < 2.5  # librdkafka's own delay is 3 s


async def test_what_was_not_committed_comes_again_to_the_next_consumer(kafka: EmbeddedKafka) -> None:
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(producer_to(kafka))
        await send(producer, 10)
        async with consumer_of(kafka) as consumer:
            await take(consumer, 10)
            await consumer.commit()
            await send(producer, 10, start=10)
            await take(consumer, 10)
        async with consumer_of(kafka) as consumer:
            assert sorted(map(int, await take(consumer, 10))) == list(range(10, 20))


async def test_an_interruption_keeps_records_and_address(kafka: EmbeddedKafka) -> None:
    async with producer_to(kafka) as producer:
        await send(producer, 10)
        address = kafka.address
        kafka.interrupt()
        waiting = asyncio.create_task(send(producer, 10, start=10))
        with pytest.raises(OSError, match=r"refused|Connect"):
            await asyncio.open_connection(*address.split(":"))
        assert not waiting.done()
        kafka.resume()
        await waiting
        assert kafka.address == address
        async with consumer_of(kafka) as consumer:
            assert sorted(map(int, await take(consumer, 20))) == list(range(20))


def test_it_is_silent_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with EmbeddedKafka({TOPIC: 1}) as kafka:
        kafka.interrupt()
    assert capfd.readouterr() == ("", "")


def test_a_broker_that_has_ended_is_an_error_and_not_a_crash() -> None:
    kafka = EmbeddedKafka()
    with pytest.raises(StartError, match="not running"):
        kafka.create_topic(TOPIC, 1)
    with kafka:
        assert kafka.address.startswith("127.0.0.1:")
    kafka.stop()
    with pytest.raises(StartError, match="not running"):
        kafka.interrupt()


def test_a_topic_that_cannot_be_made_is_named(kafka: EmbeddedKafka) -> None:
    with pytest.raises(StartError, match=r"topic intake\.v1"):
        kafka.create_topic(TOPIC, PARTITIONS)


def test_requests_in_close_succession_are_not_slept_through() -> None:
    with EmbeddedKafka() as kafka:
        started = time.monotonic()
        for number in range(100):
            kafka.create_topic(f"topic-{number}", 1)
        assert time.monotonic() - started < 5  # each that is slept through takes one


def test_two_brokers_do_not_share_anything() -> None:
    with EmbeddedKafka({TOPIC: 1}) as one, EmbeddedKafka({TOPIC: 1}) as other:
        assert one.address != other.address
