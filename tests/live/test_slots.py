"""Each process of a service has a slot, and by it a fixed name in its consumer group, which it leaves to the next when it is killed."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from shared import locks
from shared.service import Running
from shared.testing import trial
from shared.testing.databases import ask
from tests.live.flow import QUICK, Flow, joined, until
from tests.live.worker import Worker, listening_worker

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]

# Nobody is given up while a test lasts: what a killed process had is taken over because of its name alone.
PATIENT = replace(QUICK, session_timeout_ms=300_000)


@pytest.fixture(autouse=True)
def patient_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the place of a member that is gone."""
    monkeypatch.setattr("shared.service.KAFKA", PATIENT)


def generation(running: Running) -> int:
    """Return how many times the group has shared its partitions out."""
    assert running.subscription is not None
    client: Any = running.subscription.client
    return int(client._coordinator.generation)


async def test_a_killed_process_leaves_its_name_and_its_partitions_to_the_next(flow: Flow) -> None:
    async with AsyncExitStack() as stack:

        async def start() -> Worker:
            return await stack.enter_async_context(listening_worker(flow, pace=PATIENT))

        await stack.enter_async_context(flow.relayed())
        here = await stack.enter_async_context(flow.heard())
        async with flow.told(per_second=60):
            await until(lambda: joined(here), "membership of the group")
            first, second = await asyncio.gather(start(), start())
            names = {await first.said(): first, await second.said(): second}
            assert set(names) == {f"{flow.name}-1", f"{flow.name}-2"}
            await until(lambda: joined(here) and not joined(here, 3), "a third of the partitions for each")

            shared_out = generation(here)
            killed = names[f"{flow.name}-1"]
            killed.signal(signal.SIGKILL)
            assert await killed.ended() == -signal.SIGKILL
            third = await start()
            assert await third.said() == f"{flow.name}-1"
            assert generation(here) == shared_out
        await flow.done()


async def test_two_services_at_work_in_one_loop_have_different_names(flow: Flow) -> None:
    async with flow.relayed(), flow.heard() as one, flow.heard() as other:
        await until(lambda: joined(one) and joined(other), "both to share the work")
        assert one.subscription is not None
        assert other.subscription is not None
        assert {one.subscription.instance, other.subscription.instance} == {f"{flow.name}-0", f"{flow.name}-1"}
        await flow.tell(5)
        await flow.done()


async def test_a_process_whose_slot_went_to_another_with_its_session_takes_another_name(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.service.KAFKA", QUICK)  # nobody comes for the place under the old name
    async with flow.relayed(), flow.heard() as running, locks.session(flow.listener) as other:
        assert running.subscription is not None
        await until(lambda: joined(running), "membership of the group")
        await flow.tell(5)
        await ask(
            flow.database_url,
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND application_name = $1",
            f"tidings-{trial.LISTENER}",
        )
        # The process looks after its slot every two seconds; another that starts in between finds it free.
        await until(lambda: locks.try_lock(other, f"slot:{flow.name}", 0), "the slot")
        await until(lambda: running.subscription and running.subscription.instance == f"{flow.name}-1", "another name")
        await until(lambda: joined(running), "membership under it")
        await flow.tell(5)
        await flow.done()
        assert flow.restarts() == 0
