"""The servers in containers that other tests take away: back at the same address, with what they kept, and gone at the end."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.broker import ensure_topics
from shared.testing.containers import ApacheKafka, DockerPostgres
from shared.testing.databases import ask

pytestmark = pytest.mark.docker

TOPIC = "intake.v1"


async def send(kafka: ApacheKafka, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value, partition=0)
    finally:
        await producer.stop()


async def kept(kafka: ApacheKafka) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address, auto_offset_reset="earliest")
    partition = TopicPartition(TOPIC, 0)
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while len(values) < end:
            found = await consumer.getmany(timeout_ms=1000)
            values += [record.value or b"" for records in found.values() for record in records]
        return values
    finally:
        await consumer.stop()


async def test_kafka_comes_back_at_its_address_with_its_records(real_kafka: ApacheKafka) -> None:
    await ensure_topics(real_kafka.address, [TOPIC], partitions=6)
    await send(real_kafka, b"before")
    for way in (real_kafka.stop, real_kafka.kill):
        way()
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection(*real_kafka.address.split(":"))
        started = time.monotonic()
        real_kafka.start()
        assert time.monotonic() - started < 30
        await send(real_kafka, way.__name__.encode())
    assert await kept(real_kafka) == [b"before", b"stop", b"kill"]


async def test_a_group_on_kafka_begins_at_once(real_kafka: ApacheKafka) -> None:
    await ensure_topics(real_kafka.address, [TOPIC], partitions=6)
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=real_kafka.address, group_id="tidings.social", session_timeout_ms=1000)
    await consumer.start()
    try:
        assert len(consumer.assignment()) == 6
    finally:
        await consumer.stop()


async def test_postgres_comes_back_at_its_address_with_its_rows(real_postgres: DockerPostgres, real_database_url: str) -> None:
    await ask(real_database_url, "CREATE TABLE kept (word text)")
    for way in (real_postgres.stop, real_postgres.kill):
        await ask(real_database_url, "INSERT INTO kept VALUES ($1)", way.__name__)
        way()
        with pytest.raises(OSError, match="Connect call failed"):
            await ask(real_database_url, "SELECT 1")
        real_postgres.start()
    assert [row["word"] for row in await ask(real_database_url, "SELECT word FROM kept ORDER BY word")] == ["kill", "stop"]


async def test_sessions_of_one_database_are_terminated(real_postgres: DockerPostgres, real_database_url: str) -> None:
    name = make_url(real_database_url).database
    assert name is not None
    engine = create_async_engine(real_database_url)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        assert real_postgres.terminate_sessions(name) == 1
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT 1"))
    await engine.dispose()
    assert real_postgres.terminate_sessions(name) == 0


async def test_a_frozen_server_neither_answers_nor_refuses(real_postgres: DockerPostgres) -> None:
    real_postgres.freeze()
    try:
        with pytest.raises(TimeoutError):
            await ask(real_postgres.url, "SELECT 1", timeout_seconds=0.5)
    finally:
        real_postgres.thaw()
    assert await ask(real_postgres.url, "SELECT 1")
