"""Two processes of one service share the work, and what either does, the partitions move and every effect comes about once."""

import signal
from contextlib import AsyncExitStack

import pytest

from shared.events.registry import PARTITIONS
from shared.service import Running
from shared.testing import trial
from shared.testing.databases import ask
from tests.live.flow import QUICK, Batches, Flow, joined, until
from tests.live.worker import SIGNATURE, Worker, listening_worker

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(1200)]


@pytest.fixture(autouse=True)
def quick_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for members that are gone."""
    monkeypatch.setattr("shared.service.KAFKA", QUICK)


def share_all(*members: Running) -> bool:
    """Say whether every partition has exactly one of these members to read it, and every member at least one."""
    shares = [set(member.subscription.client.assignment()) for member in members if member.subscription and member.subscription.client]
    return len(shares) == len(members) and all(shares) and sum(map(len, shares)) == len(set().union(*shares)) == PARTITIONS


async def test_a_second_consumer_joins_the_first_leaves_and_comes_back_under_load(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches(), Batches(), Batches()
    async with AsyncExitStack() as second_stays, flow.relayed(), flow.told():
        async with flow.heard(listens=batches[0].listens()) as first:
            batches[0].watch(first, monkeypatch)
            await until(lambda: share_all(first) and batches[0].given, "the first to read everything")

            second = await second_stays.enter_async_context(flow.heard(listens=batches[1].listens()))
            batches[1].watch(second, monkeypatch)
            await until(lambda: share_all(first, second), "the second to take its share")
            before = len(batches[0].given), len(batches[1].given)
            await until(lambda: len(batches[0].given) > before[0] and len(batches[1].given) > before[1], "both to take batches")

        # The first has a fixed name in the group, so its share is kept for it until its session is over.
        await until(lambda: share_all(second), "the second to take everything over")

        async with flow.heard(listens=batches[2].listens()) as third:
            batches[2].watch(third, monkeypatch)
            await until(lambda: share_all(second, third) and batches[2].given, "a third to take its share")
            assert third.subscription is not None
            assert third.subscription.instance == f"{flow.name}-0"
            # The second ends in the middle of a batch: what it has not committed is another's.
            assert second.subscription is not None
            await until(lambda: second.subscription and second.subscription.progress.batch_since, "a batch in the second's hand")
            await second_stays.aclose()
            await until(lambda: share_all(third), "the third to take everything over")
            batches_so_far = len(batches[2].given)
            await until(lambda: len(batches[2].given) > batches_so_far + 2, "batches of it all")
    async with flow.relayed(), flow.heard():
        await flow.done()


async def batch_in_frozen_hand(flow: Flow) -> bool:
    """Say whether a session of the worker has written a batch's ids, and has waited for its client a while since."""
    found = await ask(
        flow.database_url,
        "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class ON pg_class.oid = relation"
        " WHERE relnamespace = $1::regnamespace AND relname = 'inbox' AND mode = 'RowExclusiveLock'"
        " AND backend_xid IS NOT NULL AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '0.3 seconds'"
        " AND application_name = $2",
        trial.LISTENER,
        SIGNATURE,
    )
    return bool(found)


async def freeze_with_a_batch_in_hand(flow: Flow, worker: Worker) -> None:
    """Freeze the worker in the middle of a batch; it is given so much to do that it nearly always has one."""
    while True:
        await flow.tell(5)
        worker.signal(signal.SIGSTOP)
        try:
            await until(lambda: batch_in_frozen_hand(flow), "a batch in the frozen hand", 0.8)
        except TimeoutError:  # it was between two batches
            worker.signal(signal.SIGCONT)
        else:
            return


async def held_up(flow: Flow) -> bool:
    """Say whether a listener's session waits for another's transaction."""
    found = await ask(
        flow.database_url,
        "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'transactionid'",
        f"tidings-{trial.LISTENER}",
    )
    return bool(found)


@pytest.mark.parametrize("thawed", [True, False], ids=["in time to commit late", "when all is done without it"])
async def test_a_frozen_process_is_taken_over_from_and_doubles_nothing_when_it_goes_on(flow: Flow, *, thawed: bool) -> None:
    idle_seconds = 60.0 if thawed else 2.0
    async with flow.relayed(), listening_worker(flow, idle_seconds=idle_seconds) as other, flow.heard() as here:
        assert await other.said()
        async with flow.told():
            await until(lambda: joined(here), "a share of the partitions")
        await freeze_with_a_batch_in_hand(flow, other)
        await until(lambda: share_all(here), "every partition, once the frozen one's session is over")
        if thawed:
            await until(lambda: held_up(flow), "its successor to wait for what it has in hand")
            other.signal(signal.SIGCONT)
        await flow.done()
        other.signal(signal.SIGCONT)
        await flow.tell(5)
        await flow.done()
