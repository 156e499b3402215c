"""What the doctor and a restore ask of Kafka, as Apache Kafka itself answers it."""

import pytest

from shared.broker import TOPIC_DAYS, Probe, ensure_topics, telling_broker
from shared.testing.containers import ApacheKafka

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live")]

TOPICS = ("asked.v1", "filled.v1")


async def test_topics_say_how_they_are_set_up_and_how_much_they_hold(live_kafka: ApacheKafka) -> None:
    await ensure_topics(live_kafka.address, TOPICS)
    async with telling_broker(live_kafka.address) as broker:
        for number in range(3):
            await broker.publish(b"{}", "filled.v1", key=str(number).encode())
    probe = Probe(live_kafka.address)
    try:
        found = await probe.described([*TOPICS, "missing.v1"])
        assert found.keys() == set(TOPICS)
        for state in found.values():
            assert (state.partitions, state.copies, state.copies_possible, state.kept_days) == (6, 1, 1, TOPIC_DAYS)
        assert await probe.records([*TOPICS, "missing.v1"]) == {"asked.v1": 0, "filled.v1": 3, "missing.v1": 0}
    finally:
        await probe.close()
