"""From outbox to effect on the embedded broker: the whole way, its forgetfulness, and what readiness says meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shared import clock, retention
from shared.broker import Probe
from shared.consumer import Consumer
from shared.db import Database
from shared.embedded.kafka import EmbeddedKafka
from shared.events.registry import PARTITIONS
from shared.outbox import MAX_BODY_BYTES, EventTooLargeError, outbox, put
from shared.readiness import Check, Grade, summary
from shared.relay import Relay, unsent
from shared.subscription import EMBEDDED, Subscription
from shared.testing import trial
from shared.trace import Cause
from shared.watchdog import Limits, State, Watchdog
from shared.window import Window

PATIENCE_SECONDS = 60


@pytest.fixture(scope="session")
def kafka_topics() -> Mapping[str, int]:
    return {trial.TOPIC: PARTITIONS}


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[tuple[Database, Database]]:
    await trial.make_schemas(database_url)
    teller, listener = Database(database_url, trial.TELLER), Database(database_url, trial.LISTENER)
    yield teller, listener
    await teller.close()
    await listener.close()


async def until(done: Callable[[], object]) -> None:
    """Return once `done` gives something true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await done():  # type: ignore[misc]  # every caller's is a coroutine
            await asyncio.sleep(0.01)


@asynccontextmanager
async def relaying(teller: Database, kafka: EmbeddedKafka) -> AsyncIterator[Relay]:
    probe = Probe(kafka.address)
    relay = Relay(trial.TELLER, trial.TOPIC, teller, kafka.address, window=Window(probe, trial.TOPIC, [trial.LISTENER]))
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await probe.close()


@asynccontextmanager
async def listening(listener: Database, kafka: EmbeddedKafka) -> AsyncIterator[Watchdog]:
    probe = Probe(kafka.address)
    consumer = Consumer(trial.LISTENER, listener, trial.LISTENS_TO_LISTS, trial.KNOWN)
    subscription = Subscription(consumer, kafka.address, [trial.TOPIC], pace=EMBEDDED)
    watchdog = Watchdog(subscription, probe, pytest.fail, Limits(look_seconds=0.1))
    task = asyncio.create_task(watchdog.run())
    try:
        yield watchdog
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await probe.close()


async def test_what_is_put_takes_effect_once_in_order_and_is_marked_sent(
    databases: tuple[Database, Database], kafka: EmbeddedKafka
) -> None:
    database, listener = databases
    teller = trial.Teller(database)
    async with relaying(database, kafka), listening(listener, kafka):
        for _ in range(20):
            await teller.tell(trial.subjects(30))

        async def all_there() -> bool:
            return await trial.count_effects(listener) == teller.count and (await unsent(database))[0] == 0

        await until(all_there)
    assert await trial.faults(listener, teller.told) == []


async def test_what_is_rolled_back_is_never_told(databases: tuple[Database, Database], kafka: EmbeddedKafka) -> None:
    database, listener = databases
    teller = trial.Teller(database)

    async def puts_and_fails() -> None:
        async with database.transaction() as tx:
            await put(tx, trial.practice(), subject="never", cause=Cause.start())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await puts_and_fails()
    async with relaying(database, kafka), listening(listener, kafka):
        await teller.tell(["told"])

        async def told() -> bool:
            return await trial.count_effects(listener) == 1

        await until(told)
    assert await trial.faults(listener, {"told": 1}) == []


async def test_a_relay_that_is_woken_as_it_is_ended_ends(databases: tuple[Database, Database], kafka: EmbeddedKafka) -> None:
    database, _ = databases
    teller = trial.Teller(database)
    relay = Relay(trial.TELLER, trial.TOPIC, database, kafka.address)
    task = asyncio.create_task(relay.run())
    await teller.tell(["a"])

    async def sent() -> bool:
        return relay.leading and (await unsent(database))[0] == 0

    await until(sent)
    await asyncio.sleep(0)  # it waits to be woken now
    relay._wake.set()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done == {task}


async def test_a_broker_that_forgot_everything_is_offered_it_again(databases: tuple[Database, Database]) -> None:
    database, listener = databases
    teller = trial.Teller(database)
    topics = {trial.TOPIC: PARTITIONS}
    with EmbeddedKafka(topics) as first:
        async with relaying(database, first):
            await teller.tell(trial.subjects(100))

            async def sent() -> bool:
                return (await unsent(database))[0] == 0

            await until(sent)
    # The events are marked as sent, nobody has read them, and the broker that had them is gone.
    with EmbeddedKafka(topics) as second:
        async with relaying(database, second), listening(listener, second):
            await teller.tell(trial.subjects(100))

            async def all_there() -> bool:
                return await trial.count_effects(listener) == 200

            await until(all_there)
    assert await trial.faults(listener, teller.told) == []


async def test_a_flood_outlives_a_reader_that_is_away(databases: tuple[Database, Database], kafka: EmbeddedKafka) -> None:
    database, listener = databases
    teller = trial.Teller(database)
    async with relaying(database, kafka):
        async with listening(listener, kafka):
            await teller.tell(["first"])

            async def first() -> bool:
                return await trial.count_effects(listener) == 1

            await until(first)
        for _ in range(30):  # of 0.9 kB each, more than the broker keeps
            await teller.tell(trial.subjects(1000))
        async with listening(listener, kafka):

            async def all_there() -> bool:
                return await trial.count_effects(listener) == teller.count

            await until(all_there)
    assert await trial.faults(listener, teller.told) == []


async def test_the_watchdog_sees_the_broker_away_restarts_nothing_and_sees_it_back(
    databases: tuple[Database, Database], kafka: EmbeddedKafka
) -> None:
    database, listener = databases
    teller = trial.Teller(database)
    async with relaying(database, kafka), listening(listener, kafka) as watchdog:
        await teller.tell(["a"])

        async def idle() -> bool:
            return watchdog.state is State.IDLE and await trial.count_effects(listener) == teller.count

        async def away() -> bool:
            return watchdog.state is State.BROKER_AWAY

        await until(idle)
        kafka.interrupt()
        await until(away)
        await teller.tell(["a", "b"])
        kafka.resume()
        await until(idle)
        assert watchdog.restarts == 0
    assert await trial.faults(listener, teller.told) == []


async def test_an_event_too_large_for_kafka_is_refused_where_it_is_put(databases: tuple[Database, Database]) -> None:
    database, _ = databases
    huge = trial.practice().model_copy(update={"entity": "x" * MAX_BODY_BYTES})
    async with database.transaction() as tx:
        with pytest.raises(EventTooLargeError, match=str(MAX_BODY_BYTES)):
            await put(tx, huge, subject="huge", cause=Cause.start())


async def test_events_unsent_for_long_are_never_let_go(databases: tuple[Database, Database]) -> None:

    database, _ = databases
    teller = trial.Teller(database)
    await teller.tell(["old-unsent", "old-sent", "new-sent"])
    long_ago = clock.now() - timedelta(days=retention.OUTBOX_DAYS + 1)
    async with database.transaction() as tx:
        await tx.execute(update(outbox).where(outbox.c.subject != "new-sent").values(time=long_ago))
        await tx.execute(update(outbox).where(outbox.c.subject == "old-sent").values(sent_at=long_ago))
        await tx.execute(update(outbox).where(outbox.c.subject == "new-sent").values(sent_at=clock.now()))
    assert await retention.tidy(database) == 1
    async with database.transaction() as tx:
        kept = (await tx.execute(select(func.array_agg(outbox.c.subject)))).scalar_one()
    assert sorted(kept) == ["new-sent", "old-unsent"]


def test_readiness_is_red_only_when_a_part_cannot_work() -> None:
    ready = Check(part="a.database", grade=Grade.READY, state="answers")
    degraded = Check(part="a.consumer", grade=Grade.DEGRADED, state="broker-away", reason="Kafka does not answer")
    down = Check(part="a.consumer", grade=Grade.DOWN, state="stuck", reason="nothing moves")
    assert summary([ready])[0] == 200
    assert summary([ready, degraded]) == (200, {"status": "degraded", "checks": [vars(ready) | {}, vars(degraded) | {}]})
    assert summary([ready, degraded, down])[0] == 503
