"""What the tests of the newsletter share: a database with its tables, the app as it runs, and clients for people and programs."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.newsletter.subscribing_app import STAFF, Newsletter, client_of, running


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the newsletter's tables, which `database_url` copies for each test."""
    with template_of(embedded_postgres, ["newsletter"]) as name:
        yield name


@pytest.fixture
async def newsletter(database_url: str) -> AsyncIterator[Newsletter]:
    """The newsletter as it runs."""
    async with running(database_url) as found:
        yield found


@pytest.fixture
async def reader(newsletter: Newsletter) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the public."""
    async with client_of(newsletter.app) as client:
        yield client


@pytest.fixture
async def program(newsletter: Newsletter) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends no origin and keeps no cookie."""
    async with client_of(newsletter.app, browser=False) as client:
        yield client


@pytest.fixture
async def staff(newsletter: Newsletter) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody with every role is signed in."""
    async with client_of(newsletter.app, person=STAFF) as client:
        yield client
