"""What the tests of the calendar share: a database with its tables, the service as it runs, and browsers."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.calendar.calendar_app import Calendar, client_of, running


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the calendar's tables, which `database_url` copies for each test."""
    with template_of(embedded_postgres, ["calendar"]) as name:
        yield name


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The calendar's database, empty."""
    found = Database(database_url, "calendar")
    yield found
    await found.close()


@pytest.fixture
async def calendar(database_url: str) -> AsyncIterator[Calendar]:
    """The calendar as it runs."""
    async with running(database_url) as found:
        yield found


@pytest.fixture
async def staff(calendar: Calendar) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody with every role is signed in."""
    async with client_of(calendar.app) as client:
        yield client


@pytest.fixture
async def reader(calendar: Calendar) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the public."""
    async with client_of(calendar.app, None) as client:
        yield client
