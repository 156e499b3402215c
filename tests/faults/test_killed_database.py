"""PostgreSQL is killed in the middle of the flow, while relay and consumers go on running."""

import asyncio
from random import Random

import pytest

from shared.broker import Probe
from shared.process import at_work
from shared.service import Kafka
from shared.testing.containers import ApacheKafka, DockerPostgres
from tests.faults.system import Outside, a_seed, listening, make_schemas, telling

KILLS = 5
PUT_EVERY_SECONDS = 0.01  # some hundred events a second, so that relay and consumers are never idle


@pytest.mark.docker
@pytest.mark.xdist_group("faults")
@pytest.mark.timeout(600)
async def test_a_database_killed_in_mid_flow_loses_doubles_and_disorders_nothing(
    real_kafka: ApacheKafka, real_postgres: DockerPostgres, real_database_url: str
) -> None:
    chance = Random(a_seed())
    given_up: list[str] = []
    await make_schemas(real_database_url)
    kafka = Kafka(address=real_kafka.address, embedded=False, probe=Probe(real_kafka.address))
    services = [telling(real_database_url), listening(real_database_url), listening(real_database_url)]
    async with Outside(real_database_url, real_kafka.address) as outside, at_work(services, kafka, given_up.append):
        async with outside.mending():
            outside.begin_putting(Random(chance.random()), every_seconds=PUT_EVERY_SECONDS)
            for _ in range(KILLS):
                await outside.more_effects(chance.randint(200, 1_000))
                await asyncio.to_thread(real_postgres.kill)
                await asyncio.sleep(chance.random() * 2)
                await asyncio.to_thread(real_postgres.start)
            await outside.more_effects(1)
            await outside.end_putting()
            standing = await outside.at_rest()
        assert await outside.faults() == [], standing
    assert (standing.complete, standing.effects) == (True, outside.teller.count)
    assert given_up == []
