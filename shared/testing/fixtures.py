"""Fixtures for the tests of every service: servers out of wheels, servers in containers, and state directories."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex

import pytest

from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.registry import PARTITIONS, TOPICS
from shared.testing.containers import ApacheKafka, DockerPostgres, apache_kafka, docker_postgres
from shared.testing.databases import fresh_database
from shared.testing.reaper import Reaper, clear
from shared.testing.requirements import chromium


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    """What cleans up after this worker, even when it is killed."""
    started = Reaper()
    yield started
    started.close()


@pytest.fixture
def var(reaper: Reaper) -> Iterator[Path]:
    """An empty state directory; a database server that is left running on it is stopped, even when the run is killed."""
    folder = reaper.folder / token_hex(4)
    folder.mkdir()
    yield folder
    clear(folder)


@pytest.fixture(scope="session")
def embedded_postgres(reaper: Reaper) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests of a worker; it does not wait for the disk."""
    with EmbeddedPostgres(reaper.folder / "postgres", durable=False) as server:
        yield server


@pytest.fixture
def postgres(embedded_postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """The worker's PostgreSQL, for tests that stop it or let it crash; it runs again afterwards."""
    embedded_postgres.start()
    yield embedded_postgres
    embedded_postgres.start()


@pytest.fixture(scope="session")
def template_database() -> str | None:
    """The database that `database_url` copies, None for an empty one; override it with one that has its tables."""
    return None


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template_database: str | None) -> Iterator[str]:
    """The URL of a database that this test has for itself."""
    with fresh_database(postgres.url, template=template_database) as url:
        yield url
        postgres.start()


@pytest.fixture(scope="session")
def kafka_topics() -> Mapping[str, int]:
    """The topics, with their partitions, that `kafka` begins with; override it for others."""
    return dict.fromkeys(TOPICS, PARTITIONS)


@pytest.fixture
def kafka(kafka_topics: Mapping[str, int]) -> Iterator[EmbeddedKafka]:
    """An embedded broker that this test has for itself."""
    with EmbeddedKafka(kafka_topics) as broker:
        yield broker


@pytest.fixture
def real_kafka(request: pytest.FixtureRequest, reaper: Reaper) -> Iterator[ApacheKafka]:
    """An Apache Kafka without topics that this test has for itself; mark the test `docker`."""
    _must_be_marked(request, "docker")
    with apache_kafka(reaper.labels) as broker:
        yield broker


@pytest.fixture(scope="session")
def docker_server(reaper: Reaper) -> Iterator[DockerPostgres]:
    """One PostgreSQL in a container for all tests of a worker; use `real_postgres` or `real_database_url`."""
    with docker_postgres(reaper.labels) as server:
        yield server


@pytest.fixture
def real_postgres(request: pytest.FixtureRequest) -> Iterator[DockerPostgres]:
    """The worker's PostgreSQL in a container, for tests that take it away; mark the test `docker`."""
    _must_be_marked(request, "docker")
    server: DockerPostgres = request.getfixturevalue("docker_server")
    server.start()
    yield server
    server.start()


@pytest.fixture
def real_database_url(real_postgres: DockerPostgres) -> Iterator[str]:
    """The URL of a database in the container that this test has for itself."""
    with fresh_database(real_postgres.url) as url:
        yield url
        real_postgres.start()


@pytest.fixture
def chromium_path(request: pytest.FixtureRequest) -> Path:
    """The program to look at pages with; mark the test `chromium`."""
    _must_be_marked(request, "chromium")
    found = chromium()
    assert found is not None
    return found


def _must_be_marked(request: pytest.FixtureRequest, name: str) -> None:
    """Fail a test that forgot its mark here, where it says why, rather than on a machine that lacks what it needs."""
    if request.node.get_closest_marker(name) is None:
        pytest.fail(f"this test needs {name}: mark it with pytest.mark.{name}", pytrace=False)
