"""What the tests of the calendar share: a database with its tables."""

from collections.abc import AsyncIterator, Iterator
from secrets import token_hex

import pytest

from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import migrate
from shared.testing.databases import ask, drop_database, run_apart, with_database


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the calendar's tables, which `database_url` copies for each test."""
    name = f"calendar_{token_hex(4)}"
    server = with_database(embedded_postgres.url, "postgres")
    run_apart(ask(server, f"CREATE DATABASE {name}"))
    run_apart(migrate(with_database(embedded_postgres.url, name), ["calendar"]))
    yield name
    embedded_postgres.start()
    drop_database(server, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The calendar's database, empty."""
    found = Database(database_url, "calendar")
    yield found
    await found.close()
