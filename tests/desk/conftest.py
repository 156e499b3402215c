"""What the tests of the desk share: the service as it runs but for Kafka, and what it would have mailed."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.desk.desk_app import Desk, desk_of


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the tables of the desk, and of the services that stand beside it here, which `database_url` copies for each test."""
    with template_of(embedded_postgres, ["newsletter", "social", "desk"]) as name:
        yield name


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """The desk with a port for mails that keeps them for the test."""
    async with desk_of(database_url) as found:
        yield found
