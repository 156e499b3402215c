"""Each process of a service has a slot, and by it a fixed name in its consumer group, which it leaves to the next when it is killed."""

import asyncio
import signal
from contextlib import AsyncExitStack

import pytest

from tests.live.flow import QUICK, Flow, joined, until
from tests.live.worker import Worker, listening_worker

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live")]


@pytest.fixture(autouse=True)
def quick_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for members that are gone."""
    monkeypatch.setattr("shared.service.KAFKA", QUICK)


async def test_a_killed_process_leaves_its_name_in_the_group_to_the_next(flow: Flow) -> None:
    async with AsyncExitStack() as stack:

        async def start() -> Worker:
            return await stack.enter_async_context(listening_worker(flow))

        await stack.enter_async_context(flow.relayed())
        async with flow.told():
            first, second = await asyncio.gather(start(), start())
            names = {await first.said(): first, await second.said(): second}
            assert set(names) == {f"{flow.name}-0", f"{flow.name}-1"}

            killed = names[f"{flow.name}-0"]
            killed.signal(signal.SIGKILL)
            assert await killed.ended() == -signal.SIGKILL
            third = await start()
            assert await third.said() == f"{flow.name}-0"
            fourth = await start()
            assert await fourth.said() == f"{flow.name}-2"
        await flow.done()


async def test_two_services_at_work_in_one_loop_have_different_names(flow: Flow) -> None:
    async with flow.relayed(), flow.heard() as one, flow.heard() as other:
        await until(lambda: joined(one) and joined(other), "both to share the work")
        assert one.subscription is not None
        assert other.subscription is not None
        assert {one.subscription.instance, other.subscription.instance} == {f"{flow.name}-0", f"{flow.name}-1"}
        await flow.tell(5)
        await flow.done()
