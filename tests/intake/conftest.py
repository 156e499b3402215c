"""What the tests of intake share: a database with its tables, the app as it runs, a partner, and clients for people and programs."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import template_of
from tests.intake.intake_app import Intake, client_of, running


@pytest.fixture(scope="session")
def template_database(embedded_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with intake's tables, which `database_url` copies for each test."""
    with template_of(embedded_postgres, ["intake"]) as name:
        yield name


@pytest.fixture
async def intake(database_url: str) -> AsyncIterator[Intake]:
    """Intake as it runs, with one partner."""
    async with running(database_url) as found:
        yield found


@pytest.fixture
async def program(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends no origin and keeps no cookie."""
    async with client_of(intake.app) as client:
        yield client


@pytest.fixture
async def reader(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the public."""
    async with client_of(intake.app, browser=True) as client:
        yield client


@pytest.fixture
async def staff(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody with every role is signed in."""
    async with client_of(intake.app, browser=True, staff=True) as client:
        yield client
