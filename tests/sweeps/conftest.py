"""Every service on one database with its tables, and nothing at work."""

from collections.abc import AsyncIterator, Iterator

import pytest

from services.owners import OWNERS
from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.watched import Watched, watched


@pytest.fixture(scope="package")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the tables of every service."""
    with template_of(embedded_postgres, OWNERS) as name:
        yield name


@pytest.fixture
async def system(database_url: str) -> AsyncIterator[Watched]:
    async with watched(database_url) as found:
        yield found
