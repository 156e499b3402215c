"""What the tests of the register share: a database with its tables, the app as it runs, and clients for people and programs."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.pledges.pledges_app import STAFF, Register, client_of, running


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the register's tables, which `database_url` copies for each test."""
    with template_of(embedded_postgres, ["pledges"]) as name:
        yield name


@pytest.fixture
async def register(database_url: str) -> AsyncIterator[Register]:
    """The register as it runs, empty."""
    async with running(database_url) as found:
        yield found


@pytest.fixture
async def reader(register: Register) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the public."""
    async with client_of(register.app) as client:
        yield client


@pytest.fixture
async def program(register: Register) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends no origin and keeps no cookie."""
    async with client_of(register.app, browser=False) as client:
        yield client


@pytest.fixture
async def staff(register: Register) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody with every role is signed in."""
    async with client_of(register.app, person=STAFF) as client:
        yield client
