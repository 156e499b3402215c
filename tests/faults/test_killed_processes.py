"""Relay and consumer are killed at every step of their work, over and over, while events keep coming."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from shared.broker import Probe
from shared.testing.containers import ApacheKafka
from tests.faults.lives import Lives, lives_of
from tests.faults.steps import CONSUMER_STEPS, RELAY_STEPS, Step
from tests.faults.system import TOPIC, Outside, a_seed, make_schemas

# A life of the relay is short: about as many seconds of either are spent so.
RELAY_ROUNDS = 12
CONSUMER_ROUNDS = 5


@pytest.mark.docker
@pytest.mark.xdist_group("faults")
@pytest.mark.timeout(600)
async def test_kills_between_any_two_steps_lose_double_and_disorder_nothing(real_kafka: ApacheKafka, real_database_url: str) -> None:
    chance = Random(a_seed())
    kills: Counter[Step] = Counter()
    await make_schemas(real_database_url)
    where = (real_database_url, real_kafka.address)
    async with Outside(*where) as outside, lives_of("relay", *where) as relays, lives_of("consumer", *where) as consumers:
        async with outside.mending():
            outside.begin_putting(Random(chance.random()))
            async with asyncio.TaskGroup() as killing:
                killing.create_task(_kill(relays, _deck(RELAY_STEPS, RELAY_ROUNDS, chance), Random(chance.random()), kills))
                killing.create_task(_kill(consumers, _deck(CONSUMER_STEPS, CONSUMER_ROUNDS, chance), Random(chance.random()), kills))
            await outside.end_putting()
            standing = await outside.at_rest()
        assert await outside.faults() == [], standing
        assert standing.complete
        assert standing.effects == outside.teller.count
        assert await _records(outside.probe) > outside.teller.count, "no kill fell between an acknowledgement and its mark"
    assert kills == Counter(RELAY_STEPS * RELAY_ROUNDS + CONSUMER_STEPS * CONSUMER_ROUNDS)
    assert kills.total() >= 100


@pytest.mark.docker
@pytest.mark.xdist_group("faults")
async def test_a_relay_killed_while_kafka_hangs_has_marked_nothing_that_is_not_acknowledged(
    real_kafka: ApacheKafka, real_database_url: str
) -> None:
    chance = Random(a_seed())
    await make_schemas(real_database_url)
    where = (real_database_url, real_kafka.address)
    async with Outside(*where) as outside, lives_of("relay", *where) as relays, lives_of("consumer", *where) as consumers:
        await relays.begin()
        await consumers.begin()
        await outside.put(chance)
        await outside.at_rest()
        await asyncio.to_thread(real_kafka.freeze)
        try:
            # A first request may leave; what is put while it has no answer stays in the memory of the relay, and goes with it.
            for _ in range(20):
                await outside.put(chance)
                await asyncio.sleep(0.1)
            assert await outside.unsent() == 160
            assert (await relays.killed()).code == -9
        finally:
            await asyncio.to_thread(real_kafka.thaw)
        await relays.begin()
        standing = await outside.at_rest()
        assert await outside.faults() == [], standing
        assert (standing.complete, standing.effects) == (True, 168)


def _deck(steps: Sequence[Step], rounds: int, chance: Random) -> Sequence[Step]:
    """Return each step so many times, in disorder."""
    deck = list(steps) * rounds
    chance.shuffle(deck)
    return deck


async def _kill(lives: Lives, deck: Sequence[Step], chance: Random, kills: Counter[Step]) -> None:
    """Kill one life at each step of the deck, then let one live."""
    for step in deck:
        await lives.killed_at(step, times=1 if step is Step.LEADS else chance.randint(1, 3))  # once in a life it begins to lead
        kills[step] += 1
    await lives.begin()


async def _records(probe: Probe) -> int:
    return sum((await probe.ends([TOPIC])).values())
