"""One Apache Kafka and one PostgreSQL for all live tests, which stop and start them; topic, group and database are each test's own."""

from collections.abc import AsyncIterator, Iterator
from secrets import token_hex

import pytest

from shared.broker import ensure_topics
from shared.events import registry
from shared.testing import trial
from shared.testing.containers import ApacheKafka, DockerPostgres, apache_kafka
from shared.testing.reaper import Reaper
from tests.live.flow import Flow, flow_over


@pytest.fixture(scope="session")
def kafka_server(reaper: Reaper) -> Iterator[ApacheKafka]:
    """The broker of every live test; use `live_kafka`."""
    with apache_kafka(reaper.labels) as server:
        yield server


@pytest.fixture
def live_kafka(kafka_server: ApacheKafka) -> Iterator[ApacheKafka]:
    """The broker, running; a test that takes it away need not bring it back."""
    kafka_server.start()
    yield kafka_server
    kafka_server.start()


@pytest.fixture
async def flow(
    live_kafka: ApacheKafka, real_postgres: DockerPostgres, real_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Flow]:
    """A teller and a listener over a topic of their own, neither at work yet."""
    topic = f"live-{token_hex(4)}.v1"
    # The registry says where a type may come from; here it comes from the trial's topic, which is the only one there is.
    monkeypatch.setattr(registry, "TOPICS_OF", {trial.TYPE: frozenset({topic})})
    monkeypatch.setattr(registry, "TOPICS", (topic,))
    await trial.make_schemas(real_database_url)
    await ensure_topics(live_kafka.address, [topic])
    async with flow_over(live_kafka, real_postgres, real_database_url, topic=topic, teller=trial.TELLER) as made:
        yield made
