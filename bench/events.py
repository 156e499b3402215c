"""Events: from `outbox.put` to the effect committed in another service, beside bare aiokafka and the same SQL without Kafka."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import func, select

from bench.figures import Clock, Figure, committed_at, middle, percentile, show
from bench.workers import BATCH, worker
from shared.broker import ensure_topics
from shared.db import Database
from shared.inbox import inbox
from shared.outbox import outbox
from shared.relay import unsent
from shared.testing import trial

COUNT = 12_000
MANY = 40_000
ROUNDS = 5
# Counting effects costs the database time, which on two cores would be taken from what is measured.
POLL_SECONDS = 0.2


async def measure(database_url: str, kafka: str) -> None:
    """Measure and show everything about events on Apache Kafka."""
    bare = await _bare_kafka(kafka)
    rounds = [await _round(database_url, kafka) for _ in range(ROUNDS)]
    relayed = await _relay_alone(database_url, kafka, MANY)
    one, same_sql = middle((each["one"], each["sql"]) for each in rounds)
    two, beside_one = middle((each["two"], each["one"]) for each in rounds)
    sql_two, sql_one = middle((each["sql, two"], each["sql"]) for each in rounds)
    show(
        "Events a second from a full outbox to the effect, a handler of one SELECT and one INSERT (Apache Kafka, PostgreSQL with fsync)",
        [
            Figure(what="one process listens", value=one, unit="/s", aim=1_500),
            Figure(
                what="… beside the same SQL in the same batches without Kafka",
                value=one,
                unit="/s",
                ceiling=same_sql,
                ceiling_is="bound: round trips to PostgreSQL",
                aim=85,
                aim_is_share=True,
            ),
            Figure(
                what="… beside the same records through bare aiokafka", value=one, unit="/s", ceiling=bare, ceiling_is="getmany, commit"
            ),
            Figure(
                what="two processes listen, times the rate of one",
                value=two / beside_one,
                unit="times",
                ceiling=sql_two / sql_one,
                ceiling_is="the same SQL; bound: the cores",
                aim=1.7,
                note=f"{two:,.0f}/s",
            ),
            Figure(what="relay alone, outbox to acknowledged", value=relayed, unit="/s", aim=10_000),
        ],
    )
    poison, without = middle((each["poison"], each["one"]) for each in rounds)
    lists, lists_sql = middle(
        [(await _from_topic(database_url, kafka, MANY), await _sql_alone(database_url, MANY, how="lists")) for _ in range(ROUNDS)]
    )
    show(
        "Handlers that take lists, and one poison event in 500",
        [
            Figure(
                what="a handler that takes lists, from a full topic",
                value=lists,
                unit="/s",
                ceiling=lists_sql,
                ceiling_is="the same without Kafka",
                aim=10_000,
            ),
            Figure(
                what="one poison event in 500",
                value=poison,
                unit="/s",
                ceiling=without,
                ceiling_is="without poison",
                aim=70,
                aim_is_share=True,
            ),
        ],
    )
    latencies = await _latencies(database_url, kafka, rate=100, seconds=15)
    show(
        "Put to effect at 100 events a second",
        [
            Figure(what="half of them within", value=1000 * percentile(latencies, 50), unit="ms", aim=50, lower_is_better=True),
            Figure(what="99 of 100 within", value=1000 * percentile(latencies, 99), unit="ms", aim=200, lower_is_better=True),
        ],
    )


async def _round(database_url: str, kafka: str) -> Mapping[str, float]:
    return {
        "sql": await _sql_alone(database_url, COUNT),
        "one": await _through(database_url, kafka, COUNT, consumers=1),
        "two": await _through(database_url, kafka, COUNT, consumers=2),
        "sql, two": await _sql_alone(database_url, COUNT, processes=2),
        "poison": await _through(database_url, kafka, COUNT, consumers=1, poison_every=500),
    }


async def fresh(database_url: str, kafka: str | None) -> None:
    """Begin with empty schemas and, where a Kafka is named, an empty topic."""
    await trial.make_schemas(database_url)
    if kafka is not None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.delete_topics([trial.TOPIC])
        while trial.TOPIC in await admin.list_topics():
            await asyncio.sleep(POLL_SECONDS)
        await admin.close()
        await ensure_topics(kafka, [trial.TOPIC])


async def _tell(database_url: str, count: int, *, poison_every: int = 0) -> int:
    database = Database(database_url, trial.TELLER)
    teller = trial.Teller(database)
    subjects = trial.subjects(1000)
    for start in range(0, count, 50):
        chosen = [subjects[number % len(subjects)] for number in range(start, start + 50)]
        # Each poison event has a subject of its own, so that what is measured is the failing run and not the parked key.
        poison = [(f"poison-{start}", 1)] if poison_every and start % poison_every == 0 else []
        await teller.tell([*chosen[: 50 - len(poison)], *(subject for subject, _ in poison)], poison=poison)
    await database.close()
    return count - (-(-count // poison_every) if poison_every else 0)


async def _through(database_url: str, kafka: str, count: int, *, consumers: int, poison_every: int = 0) -> float:
    """Return the rate from the relay's start on a full outbox to the last effect committed, relay and listeners all at work."""
    await fresh(database_url, kafka)
    expected = await _tell(database_url, count, poison_every=poison_every)
    listener = Database(database_url, trial.LISTENER)
    with ExitStack() as stack:
        for number in range(consumers):
            stack.enter_context(worker("consume", database_url, kafka, "single", f"bench-{number}"))
        stack.enter_context(worker("relay", database_url, kafka))
        clock = Clock()
        while await trial.count_effects(listener) < expected:
            await asyncio.sleep(POLL_SECONDS)
        seconds = clock.seconds
    await listener.close()
    return expected / seconds


async def _relay_alone(database_url: str, kafka: str, count: int) -> float:
    await fresh(database_url, kafka)
    await _tell(database_url, count)
    teller = Database(database_url, trial.TELLER)
    with worker("relay", database_url, kafka):
        while (await unsent(teller))[0]:
            await asyncio.sleep(POLL_SECONDS)
    async with teller.transaction() as tx:
        first, last = (await tx.execute(select(func.min(outbox.c.sent_at), func.max(outbox.c.sent_at)))).one()
    await teller.close()
    # The first batch was already on its way when its rows were marked.
    return (count - BATCH) / float((last - first).total_seconds())


async def _from_topic(database_url: str, kafka: str, count: int) -> float:
    """Return the rate at which a handler that takes lists works off what already stands in Kafka."""
    await fresh(database_url, kafka)
    await _tell(database_url, count)
    teller, listener = Database(database_url, trial.TELLER), Database(database_url, trial.LISTENER)
    with worker("relay", database_url, kafka):
        while (await unsent(teller))[0]:
            await asyncio.sleep(POLL_SECONDS)
    with worker("consume", database_url, kafka, "lists", "bench-0"):
        while await trial.count_effects(listener) < count:
            await asyncio.sleep(POLL_SECONDS)
    async with listener.transaction() as tx:
        first = (await tx.execute(select(func.min(inbox.c.received_at)))).scalar_one()
        last = (await tx.execute(select(func.max(trial.effects.c.at)))).scalar_one()
    await teller.close()
    await listener.close()
    return count / float((last - first).total_seconds())


async def _sql_alone(database_url: str, count: int, *, how: str = "single", processes: int = 1) -> float:
    """Return the rate at which processes that have `count` records each in hand take them, while all are at work."""
    await fresh(database_url, None)
    database = Database(database_url, trial.LISTENER)
    with ExitStack() as stack:
        for number in range(processes):
            stack.enter_context(worker("take", database_url, how, str(count), f"p{number}"))
        while await trial.count_effects(database) < count * processes:
            await asyncio.sleep(POLL_SECONDS)
    process = func.left(trial.effects.c.subject, 2)
    async with database.transaction() as tx:
        spans = (await tx.execute(select(func.min(trial.effects.c.at), func.max(trial.effects.c.at)).group_by(process))).all()
        begun, ended = max(span[0] for span in spans), min(span[1] for span in spans)
        done = (await tx.execute(select(func.count()).where(trial.effects.c.at.between(begun, ended)))).scalar_one()
    await database.close()
    return int(done) / float((ended - begun).total_seconds())


async def _bare_kafka(kafka: str) -> float:
    topic = "bench.bare"
    await ensure_topics(kafka, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, max_batch_size=65536)
    await producer.start()
    for start in range(0, MANY, BATCH):
        made = [trial.record(f"practice-{number % 1000:04d}", 1, offset=number) for number in range(start, start + BATCH)]
        sent = [await producer.send(topic, one.value, key=one.key, headers=one.headers) for one in made]
        await asyncio.gather(*sent)
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, group_id="bench.bare", auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    taken, clock = 0, Clock()
    while taken < MANY:
        found = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
        taken += sum(map(len, found.values()))
        await consumer.commit()
    seconds = clock.seconds
    await consumer.stop()
    return taken / seconds


async def _latencies(database_url: str, kafka: str, *, rate: float, seconds: float) -> Sequence[float]:
    await fresh(database_url, kafka)
    listener = Database(database_url, trial.LISTENER)
    with worker("relay", database_url, kafka), worker("consume", database_url, kafka, "single", "bench-0"):
        with worker("put", database_url, kafka, str(rate), str(seconds)) as putting:
            while putting.poll() is None:
                await asyncio.sleep(0.2)
        deadline = time.monotonic() + 30
        while await trial.count_effects(listener) < int(rate * seconds) and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
    async with listener.transaction() as tx:
        rows = (await tx.execute(select(trial.effects.c.told_at, committed_at(trial.effects)).order_by(trial.effects.c.place))).all()
    await listener.close()
    if len(rows) < int(rate * seconds):
        raise RuntimeError(f"of {int(rate * seconds)} events put, {len(rows)} took effect")
    # The first second is the start of the processes.
    return [(row.committed_at - row.told_at).total_seconds() for row in rows[int(rate) :]]
