"""Kafka goes away under a flow: telling and the web go on, nothing is restarted, and everything is handled once it is back."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.owners import OWNERS
from shared import relay
from shared.broker import Probe
from shared.embedded import run_file
from shared.events.registry import PARTITIONS
from shared.migrations import migrate
from shared.process import at_work
from shared.service import Running
from shared.testing import trial
from shared.testing.containers import ApacheKafka, DockerPostgres
from shared.testing.databases import ask
from shared.watchdog import Limits, State
from tests.live.flow import PATIENCE_SECONDS, SUBJECTS, Flow, flow_over, health_of, joined, until
from tests.live.worker import program

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1800)]

AWAY_SECONDS = 30.0
# So impatient that a watchdog which took an absent broker for a stuck consumer would have used up its restarts long before it is back,
# and not so impatient as to take a machine that is busy with others for one.
IMPATIENT = Limits(look_seconds=0.1, stuck_seconds=3.0)


@contextmanager
def frozen(kafka: ApacheKafka) -> Iterator[None]:
    """Halt the broker until the block ends."""
    kafka.freeze()
    try:
        yield
    finally:
        kafka.thaw()


def check_of(answer: httpx.Response, part: str) -> dict[str, Any]:
    """Return what a readiness page says of one part."""
    return next(check for check in answer.json()["checks"] if check["part"] == part)


async def degraded(health: httpx.AsyncClient, part: str) -> bool:
    """Say whether readiness calls a part degraded for want of the broker, and nothing worse than that."""
    answer = await health.get("/readyz")
    assert answer.status_code == 200, answer.text
    check = check_of(answer, part)
    if check["state"] != State.BROKER_AWAY:
        return False
    assert answer.json()["status"] == check["grade"] == "degraded"
    assert check["reason"] == "Kafka does not answer; what comes in is kept"
    return True


def client_of(running: Running) -> object:
    """Return the library's consumer, which a restart would replace."""
    assert running.subscription is not None
    assert running.subscription.client is not None
    return running.subscription.client


async def sent_since(flow: Flow, unsent: int) -> bool:
    """Say whether fewer events wait in the outbox than once did."""
    return await flow.unsent() < unsent


async def test_a_broker_stopped_for_thirty_seconds_under_flow_loses_nothing_and_holds_nothing_up(flow: Flow) -> None:
    async with flow.relayed(), flow.heard(limits=IMPATIENT) as running, health_of(running) as health:
        async with flow.told(per_second=100):
            await until(lambda: joined(running), "membership of the group")
            await until(flow.effects, "a first effect")
            client = client_of(running)
            await asyncio.to_thread(flow.kafka.stop)
            stopped_at, told_before = time.monotonic(), flow.teller.count
            await until(lambda: degraded(health, f"{flow.name}.consumer"), "readiness to show it")
            while time.monotonic() < stopped_at + AWAY_SECONDS:
                assert await degraded(health, f"{flow.name}.consumer")
                await asyncio.sleep(0.5)
            # Evenly told all the while: half of what was due is left to a machine that is busy with other things.
            assert flow.teller.count - told_before > AWAY_SECONDS * 100 / 2
            unsent = await flow.unsent()
            assert unsent > AWAY_SECONDS * 100 / 2
            await asyncio.to_thread(flow.kafka.start)
            await until(lambda: sent_since(flow, unsent), "the relay to send again")
        await flow.done()
        await flow.all_acknowledged()
        assert flow.restarts() == 0
        assert client_of(running) is client
        assert (await health.get("/readyz")).json()["status"] == "ready"


async def asked_in_vain(*_: object) -> None:
    """Stand for a question to a broker that does not answer: pages and scrapes must not wait for it."""
    raise AssertionError("a broker that is known to be away was asked")


async def test_a_broker_that_hangs_is_waited_for_and_nothing_is_restarted(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    monkeypatch.setattr(relay, "SEND_TIMEOUT_SECONDS", 2.0)
    async with flow.relayed() as its_relay, flow.heard(limits=IMPATIENT) as running, health_of(running) as health:
        await flow.tell(2)
        await flow.done()
        client = client_of(running)
        assert running.watchdog is not None
        look = running.watchdog._look

        async def counted_look() -> None:
            nonlocal looks
            await look()
            looks += 1

        monkeypatch.setattr(running.watchdog, "_look", counted_look)
        with frozen(flow.kafka):
            await flow.tell(10)
            await until(lambda: degraded(health, f"{flow.name}.consumer"), "readiness to show it")
            await until(lambda: its_relay.trouble, "the relay to say what holds it up")
            seen = looks
            async with asyncio.timeout(PATIENCE_SECONDS):
                while looks < seen + 3:
                    assert its_relay.trouble
                    await asyncio.sleep(0.05)
            assert running.watchdog.state is State.BROKER_AWAY
            assert await flow.unsent() > 0
            with monkeypatch.context() as watched:
                watched.setattr(Probe, "lag", asked_in_vain)
                figures = await running.figures()
                assert (await health.get("/metrics")).status_code == 200
            assert figures is not None
            assert figures.lag is None
        await flow.done()
        await flow.all_acknowledged()
        await until(lambda: not its_relay.trouble, "the relay to be well")
        assert flow.restarts() == 0
        assert running.watchdog.restarts == 0
        assert client_of(running) is client

        async def ready() -> bool:
            return bool((await health.get("/readyz")).json()["status"] == "ready")

        await until(ready, "readiness without a reservation")


async def test_a_service_started_while_the_broker_is_away_begins_by_itself(flow: Flow) -> None:
    await asyncio.to_thread(flow.kafka.kill)
    async with flow.relayed(), flow.heard(limits=IMPATIENT) as running, health_of(running) as health:
        await flow.tell(5)
        assert await degraded(health, f"{flow.name}.consumer")
        await asyncio.to_thread(flow.kafka.start)
        await flow.done()
        assert flow.restarts() == 0


async def test_a_broker_that_hangs_while_a_service_joins_is_told_and_the_service_begins_by_itself(flow: Flow) -> None:
    wire = flow.wire(IMPATIENT)
    wire.prepared.set()  # it has seen the topics a moment ago
    gave_up: list[str] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(flow.relayed())
        with frozen(flow.kafka):
            (running,) = await stack.enter_async_context(at_work([flow.service()], wire, gave_up.append))
            health = await stack.enter_async_context(health_of(running))
            # It looks after two seconds; joining would take forty to give up.
            await until(lambda: running.watchdog and running.watchdog.state is State.BROKER_AWAY, "the watchdog to see it", 30)
            assert await degraded(health, f"{flow.name}.consumer")
        await flow.tell(2)
        await flow.done()
        assert flow.restarts() == 0
    assert gave_up == []


async def test_topics_that_somebody_deleted_are_made_again_with_their_partitions(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.service.TOPICS_LOOK_SECONDS", 0.2)
    admin = AIOKafkaAdminClient(bootstrap_servers=flow.kafka.address)
    await admin.start()

    async def partitions() -> int:
        (described,) = await admin.describe_topics([flow.topic])
        return len(described["partitions"])

    async def gone() -> bool:
        return await partitions() == 0

    async def there() -> bool:
        return await partitions() == PARTITIONS

    wire = flow.wire()
    wire.prepared.set()  # it has begun long ago
    try:
        await admin.delete_topics([flow.topic])
        await until(gone, "a Kafka that has lost the topic")
        looking = asyncio.create_task(wire.prepare())
        await until(there, "the topic again")
        looking.cancel()
    finally:
        await wire.probe.close()
        await admin.close()


async def handled_by(database_url: str, service: str) -> int:
    """Return how many published practices a service has handled; it hears of people as well."""
    (row,) = await ask(database_url, f"SELECT count(*) FROM {service}.inbox WHERE outcome = 'handled' AND type = $1", trial.TYPE)
    return int(row["count"])


async def test_two_thousand_events_put_while_the_broker_is_away_are_handled_after_it_returns_and_the_web_answers_meanwhile(
    real_kafka: ApacheKafka, real_postgres: DockerPostgres, real_database_url: str, tmp_path: Path
) -> None:
    await migrate(real_database_url, OWNERS)
    await trial.make_schemas(real_database_url)
    env = {"TIDINGS_DATABASE": real_database_url, "TIDINGS_KAFKA": real_kafka.address, "TIDINGS_VAR": str(tmp_path), "TIDINGS_PORT": "0"}
    async with (
        flow_over(real_kafka, real_postgres, real_database_url, topic="intake.v1", teller="intake") as flow,
        program("services", "all", env=env, log=tmp_path / "log"),
        flow.heard(),
    ):
        await until(lambda: run_file.read(tmp_path) is not None, "the whole system at work")
        running = run_file.read(tmp_path)
        assert running is not None
        assert running.web is not None
        async with httpx.AsyncClient(base_url=running.web, timeout=30) as web:

            async def ready() -> bool:
                return bool((await web.get("/readyz")).json()["status"] == "ready")

            async def without_broker() -> bool:
                return await degraded(web, "newsletter.consumer")

            await until(ready, "every part at work")
            await asyncio.to_thread(real_kafka.kill)
            for _ in range(20):
                await flow.tell(1)
                assert (await web.get("/practices/")).status_code == 200
            assert flow.teller.count == 2_000
            await until(without_broker, "readiness to show it")
            assert (await web.get("/practices/")).status_code == 200
            assert await flow.unsent() == 2_000
            assert await handled_by(real_database_url, "newsletter") == 0

            await asyncio.to_thread(real_kafka.start)
            await flow.done()
            for service, table in (("newsletter", "pool_items"), ("social", "drafts")):

                async def all_handled(service: str = service) -> bool:
                    return await handled_by(real_database_url, service) == 2_000

                # Six services in one process take two thousand each: a minute on a machine that has nothing else to do.
                await until(all_handled, f"everything handled by {service}", 900)
                found = await ask(real_database_url, f"SELECT source_id, revision FROM {service}.{table} ORDER BY source_id")
                assert [tuple(row) for row in found] == [(subject, 20) for subject in SUBJECTS]
            await until(ready, "readiness without a reservation")
