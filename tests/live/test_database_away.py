"""PostgreSQL goes away, or ends sessions, in the middle of batches."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from sqlalchemy.engine import make_url

from shared.service import Running
from shared.watchdog import Limits, State
from tests.live.flow import PATIENCE_SECONDS, Batches, Flow, health_of, joined, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]

Places = set[tuple[int, int]]  # partition and offset


def places(records: Sequence[ConsumerRecord[Any, Any]]) -> Places:
    return {(record.partition, record.offset) for record in records}


async def hold_a_batch(flow: Flow, running: Running, batches: Batches) -> Mapping[TopicPartition, int]:
    """Return what is acknowledged while a batch over two partitions stands half handled, other batches done before it."""
    await flow.tell(2)
    await until(lambda: len(batches.given) > 0 and joined(running), "a first batch")
    batches.armed = True
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not batches.reached.is_set():
            await flow.tell(1)
            with suppress(TimeoutError):
                await asyncio.wait_for(batches.reached.wait(), 0.1)
    assert running.subscription is not None
    done = dict(running.subscription.progress.done)

    async def acknowledged() -> bool:
        committed = await flow.committed()
        return all(committed.get(partition, 0) >= offset for partition, offset in done.items())

    await until(acknowledged, "acknowledgement of what was done before")
    in_hand = batches.given[-1]
    assert len({record.partition for record in in_hand}) > 1
    committed = await flow.committed()
    assert all(committed.get(TopicPartition(record.topic, record.partition), 0) <= record.offset for record in in_hand)
    return committed


async def test_a_batch_over_two_partitions_waits_for_a_database_that_went_away(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches()
    limits = Limits(look_seconds=0.1, stuck_seconds=1.0)
    async with flow.relayed(), flow.heard(listens=batches.listens(), limits=limits) as running, health_of(running) as health:
        batches.watch(running, monkeypatch)
        before = await hold_a_batch(flow, running, batches)
        in_hand = len(batches.given) - 1
        await asyncio.to_thread(flow.postgres.stop)
        batches.open.set()
        await until(lambda: flow.retries() >= 4, "four tries while the database is away")
        assert running.watchdog is not None
        await until(lambda: running.watchdog and running.watchdog.state is State.DATABASE_AWAY, "the watchdog to see it")
        answer = await health.get("/readyz")
        assert answer.status_code == 503
        assert {"part": f"{flow.name}.database", "grade": "down"}.items() <= answer.json()["checks"][0].items()
        assert await flow.committed() == before
        tries = [places(batch) for batch in batches.given[in_hand:]]
        assert len(tries) >= 4
        assert all(again == tries[0] for again in tries)

        await asyncio.to_thread(flow.postgres.start)
        await flow.teller.database.close()  # sessions that ended with the server
        await flow.listener.close()
        await flow.tell(5)
        await flow.done()
        await flow.all_acknowledged()
        assert flow.restarts() == 0


async def test_a_batch_given_back_while_the_database_is_away_comes_again(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, after = Batches(), Batches()
    async with flow.relayed():
        async with flow.heard(listens=batches.listens()) as running:
            batches.watch(running, monkeypatch)
            before = await hold_a_batch(flow, running, batches)
            interrupted = places(batches.given[-1])
            await asyncio.to_thread(flow.postgres.kill)
            batches.open.set()
            await until(lambda: flow.retries() >= 1, "a try while the database is away")
        assert await flow.committed() == before

        await asyncio.to_thread(flow.postgres.start)
        await flow.teller.database.close()
        await flow.listener.close()
        async with flow.heard(listens=after.listens()) as running:
            after.watch(running, monkeypatch)
            await flow.tell(2)
            await flow.done()
            assert interrupted <= set().union(*map(places, after.given))
            await flow.all_acknowledged()


async def test_sessions_that_are_terminated_in_mid_batch_lose_and_double_nothing(flow: Flow) -> None:
    async with flow.relayed(), flow.heard() as running:
        async with flow.told(per_second=400):
            await until(lambda: joined(running), "membership of the group")
            for _ in range(6):
                await flow.interrupt_batch()
                # The batch that was hit goes again and through before the next is struck.
                await until(lambda: running.subscription and not running.subscription.progress.trouble, "the batch taken")
        assert flow.retries() >= 6
        await flow.done()


async def test_all_sessions_terminated_at_once_locks_included_lose_and_double_nothing(flow: Flow) -> None:
    database = str(make_url(flow.database_url).database)
    async with flow.relayed() as its_relay, flow.heard() as running:
        await flow.tell(30)
        await flow.teller.database.close()
        await flow.listener.close()
        for _ in range(3):
            await until(lambda: running.subscription and running.subscription.progress.batch_since, "a batch in hand")
            hit = flow.retries() + 1
            while flow.retries() < hit:
                await asyncio.to_thread(flow.postgres.terminate_sessions, database)
            await until(lambda: its_relay.leading, "a relay that leads again")
        await flow.done()
        assert running.subscription is not None
        assert running.subscription.instance == f"{flow.name}-0"
