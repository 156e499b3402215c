"""A consumer that is alive and does not move: readiness shows it, a restart mends it, and where none does, the process ends."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from services.owners import OWNERS
from shared.broker import ensure_topics
from shared.events import registry
from shared.migrations import migrate
from shared.service import Running
from shared.testing import trial
from shared.testing.containers import ApacheKafka
from shared.testing.databases import ask
from shared.watchdog import Limits, State
from tests.live.flow import SUBJECTS, Flow, health_of, joined, until
from tests.live.worker import program

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]

IMPATIENT = Limits(look_seconds=0.1, stuck_seconds=1.5)


async def never(*_: object, **__: object) -> None:
    """Hand nothing over, ever."""
    await asyncio.Event().wait()


def hands_nothing_over(running: Running) -> None:
    assert running.subscription is not None
    setattr(running.subscription.client, "getmany", never)  # noqa: B010  # its type says that it comes back


def fetches_nothing(running: Running) -> None:
    assert running.subscription is not None
    client: Any = running.subscription.client
    client._fetcher._fetch_task.cancel()


def reads_no_more(running: Running) -> None:
    assert running.subscription is not None
    for task in running.subscription._subscriber.tasks:
        task.cancel()


WAYS: Mapping[str, Callable[[Running], None]] = {
    "its client hands nothing over": hands_nothing_over,
    "its client fetches nothing": fetches_nothing,
    "its reading task has ended": reads_no_more,
}


@pytest.mark.parametrize("hang", WAYS.values(), ids=WAYS.keys())
async def test_a_consumer_that_does_not_move_turns_readiness_red_and_is_restarted(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, hang: Callable[[Running], None]
) -> None:
    seen = asyncio.Event()
    async with flow.relayed(), flow.heard(limits=IMPATIENT) as running, health_of(running) as health:
        await flow.tell(2)
        await flow.done()
        assert (await health.get("/readyz")).status_code == 200
        assert running.subscription is not None
        client, stop = running.subscription.client, running.subscription.stop

        async def stop_once_seen() -> None:
            await seen.wait()
            await stop()

        monkeypatch.setattr(running.subscription, "stop", stop_once_seen)
        try:
            hang(running)
            await flow.tell(10)

            async def red() -> bool:
                answer = await health.get("/readyz")
                check = next(check for check in answer.json()["checks"] if check["part"] == f"{flow.name}.consumer")
                if check["state"] != State.STUCK:
                    return False
                assert answer.status_code == 503
                assert check["reason"].endswith("events wait and nothing moves")
                return True

            await until(red, "readiness to show it")
        finally:
            # From here on with a service's own patience: on a slow machine it takes longer than this test's to join again.
            assert running.watchdog is not None
            running.watchdog._limits = Limits(look_seconds=IMPATIENT.look_seconds)
            seen.set()
        await flow.done()
        await flow.all_acknowledged()
        assert flow.restarts() == 1
        assert running.subscription.client is not client

        async def well() -> bool:
            return (await health.get("/readyz")).status_code == 200

        await until(well, "readiness to show that it is over")
        await until(lambda: running.watchdog and running.watchdog.restarts == 0, "three tries for the next time")


async def test_a_kafka_that_lost_its_topics_is_heard_again_once_they_are_back(flow: Flow) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=flow.kafka.address)
    await admin.start()
    try:
        async with flow.heard(limits=IMPATIENT) as running:
            async with flow.relayed():
                await flow.tell(5)
                await flow.done()
            await admin.delete_topics([flow.topic])
            await until(lambda: not joined(running), "no partition to read")
            await ensure_topics(flow.kafka.address, [flow.topic])
            async with flow.relayed():
                await flow.tell(1)
                await flow.done()
            await flow.all_acknowledged()
    finally:
        await admin.close()


async def test_after_three_restarts_in_vain_the_process_gives_up_and_the_next_one_loses_nothing(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_up: list[str] = []
    async with flow.relayed():
        with monkeypatch.context() as broken:
            broken.setattr(AIOKafkaConsumer, "getmany", never)
            async with flow.heard(limits=IMPATIENT, gave_up=gave_up):
                await flow.tell(10)
                await until(lambda: gave_up, "the watchdog to give up")
        assert gave_up[0] == f"{flow.name} does not move after 3 restarts of its subscriber"
        assert flow.restarts() == 3
        async with flow.heard():
            await flow.done()


async def test_a_watchdog_that_fails_itself_ends_the_process_instead_of_leaving_it_deaf(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_up: list[str] = []

    async def fails() -> int:
        raise RuntimeError("a bug in a library")

    async with flow.relayed():
        async with flow.heard(limits=IMPATIENT, gave_up=gave_up) as running:
            await until(lambda: joined(running), "membership of the group")
            assert running.watchdog is not None
            monkeypatch.setattr(running.watchdog, "_count_behind", fails)
            await until(lambda: gave_up, "the end of the process")
        assert gave_up == [f"{flow.name}: consumer has ended"]
        await flow.tell(5)
        async with flow.heard():
            await flow.done()


async def practices_on_the_wire(kafka: ApacheKafka) -> None:
    """Put a practice of each subject on intake's topic."""
    await ensure_topics(kafka.address, registry.TOPICS)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address)
    await producer.start()
    for subject in SUBJECTS:
        record = trial.record(subject, 1, offset=0)
        await producer.send_and_wait("intake.v1", record.value, record.key, headers=list(record.headers))
    await producer.stop()


async def test_a_process_that_gives_up_ends_with_an_error_and_is_whole_when_started_anew(
    live_kafka: ApacheKafka, real_database_url: str, tmp_path: Path
) -> None:
    await migrate(real_database_url, OWNERS)
    await practices_on_the_wire(live_kafka)
    env = {"TIDINGS_DATABASE": real_database_url, "TIDINGS_KAFKA": live_kafka.address, "TIDINGS_VAR": str(tmp_path), "TIDINGS_PORT": "0"}
    log = tmp_path / "log"
    async with program("tests.live.worker", "hang", "newsletter", env=env, log=log) as hanging:
        assert await hanging.ended() == 1
    said = log.read_text()
    assert "tidings: newsletter does not move after 3 restarts of its subscriber" in said
    assert "Traceback" not in said

    async def all_pooled() -> bool:
        found = await ask(real_database_url, "SELECT source_id, revision FROM newsletter.pool_items ORDER BY source_id")
        return [tuple(row) for row in found] == [(subject, 1) for subject in SUBJECTS]

    assert not await all_pooled()
    async with program("services", "newsletter", env=env, log=log) as well:
        await until(all_pooled, "every practice in the pool")
    assert well.process.returncode == 0
