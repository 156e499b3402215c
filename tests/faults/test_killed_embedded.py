"""The embedded system, whose broker forgets with its process, is killed between publish and handling and started again."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

import pytest

from shared.broker import Probe
from shared.embedded.kafka import EmbeddedKafka
from shared.process import at_work
from shared.relay import BATCH
from shared.service import Kafka, Service
from tests.faults.lives import Death, Lives, lives_of
from tests.faults.steps import Step
from tests.faults.system import READERS, SUBJECTS, TOPIC, Outside, Standing, a_seed, listening, make_schemas, telling

# What the reader has not done by then is sent and marked: only the next start's offer of what is retained can bring it back.
BEFORE_COMMIT = (Step.IN_HAND, Step.IDS_TAKEN, Step.HALF_HANDLED, Step.PARKED, Step.WRITTEN)
# At the relay's own steps the reader may be anywhere; after its commit, all comes back and is nothing new.
AROUND = (Step.MARKS_COMMITTED, Step.ACKNOWLEDGED, Step.COMMITTED)
MANY = 5_000


async def orphan(death: Death) -> Standing:
    """Return how far a system had come that was killed: its database lives on without it."""
    async with Outside(death.said["database"], death.said["kafka"]) as outside:
        await outside.find_told()
        return await outside.standing()


async def ends_well(lives: Lives) -> Standing:
    """Start the system once more, let it come to rest and end in good order; return how it then stands."""
    await lives.begin(seed=0)
    async with Outside(await lives.heard("database"), await lives.heard("kafka")) as outside:
        await outside.find_told()
        async with outside.mending():
            standing = await outside.at_rest()
        assert await outside.faults() == [], standing
    assert standing.complete
    assert standing.effects == standing.told
    await lives.end()
    return standing


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("turn", range(3))
async def test_embedded_system_killed_between_publish_and_handling_goes_on_as_if_nothing_had_been(var: Path, turn: int) -> None:
    chance = Random(f"{a_seed()} {turn}")
    told = 0
    async with lives_of("embedded", str(var)) as lives:
        for step in chance.sample([*BEFORE_COMMIT, chance.choice(AROUND)], len(BEFORE_COMMIT) + 1):
            death = await lives.killed_at(step, times=chance.randint(1, 3), seed=chance.randrange(1_000), at_first=5, then=True)
            left = await orphan(death)
            assert left.told > told
            if step in BEFORE_COMMIT:
                assert left.unsent == 0
                assert left.effects < left.told
            told = left.told
        assert (await ends_well(lives)).told == told


@pytest.mark.xdist_group("faults")
async def test_embedded_system_killed_while_it_offers_again_offers_everything_at_the_next_start(var: Path) -> None:
    chance = Random(a_seed())
    transactions = 3 * BATCH // 8 + 4  # three batches of the relay and a small one
    async with lives_of("embedded", str(var)) as lives:
        death = await lives.killed_at(Step.MARKS_COMMITTED, times=4, seed=chance.randrange(1_000), at_first=transactions, reads=False)
        sent = await orphan(death)
        assert (sent.told, sent.unsent, sent.effects) == (transactions * 8, 0, 0)
        await lives.killed_at(Step.OFFERED_AGAIN, times=chance.randint(1, 3), seed=0)
        await lives.killed_at(Step.HALF_ACKNOWLEDGED, times=chance.randint(1, 3), seed=0)
        await lives.killed_at(Step.REQUEST_SENT, times=chance.randint(1, 3), seed=0, reads=False)
        await lives.killed_at(Step.OFFERED_AGAIN, times=4, seed=0, reads=False)
        assert (await ends_well(lives)).told == sent.told


@pytest.fixture
def kafka_topics() -> Mapping[str, int]:
    """One partition, which keeps about 4,600 events of this size and then drops the oldest."""
    return {TOPIC: 1}


@pytest.mark.xdist_group("faults")
async def test_a_reader_that_was_away_finds_all_of_5000_events(kafka: EmbeddedKafka, database_url: str) -> None:
    await make_schemas(database_url)
    given_up: list[str] = []

    def working(services: Sequence[Service]) -> AbstractAsyncContextManager[object]:
        embedded = Kafka(address=kafka.address, embedded=True, probe=Probe(kafka.address), readers=READERS)
        return at_work(services, embedded, given_up.append)

    async with Outside(database_url, kafka.address) as outside, working([telling(database_url)]):
        for _ in range(MANY // len(SUBJECTS)):
            await outside.teller.tell(SUBJECTS)
        waiting = await outside.still(3.0)
        assert 0 < waiting.unsent < MANY, "the relay has not begun, or does not wait for its reader"
        async with working([listening(database_url)]):
            standing = await outside.at_rest()
        assert await outside.faults() == [], standing
    assert (standing.effects, given_up) == (MANY, [])
