"""What the tests of the register share: a database with its tables, the app as it runs, and clients for people and programs."""

from collections.abc import AsyncIterator, Iterator
from secrets import token_hex

import httpx
import pytest

from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import migrate
from shared.testing.databases import ask, drop_database, run_apart, with_database
from tests.pledges.pledges_app import STAFF, Register, client_of, running


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the register's tables, which `database_url` copies for each test."""
    name = f"pledges_{token_hex(4)}"
    server = with_database(embedded_postgres.url, "postgres")
    run_apart(ask(server, f"CREATE DATABASE {name}"))
    run_apart(migrate(with_database(embedded_postgres.url, name), ["pledges"]))
    yield name
    embedded_postgres.start()
    drop_database(server, name)


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
