"""What the tests of posts begin with: the services in one app, a sandbox of X, and a new post."""

from collections.abc import AsyncIterator

import pytest

from services.demo.sandbox.server import Sandbox, sandbox
from shared.db import Database
from tests.desk.wire import System, system
from tests.social.post_pages import Pages, begun


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
def database(wired: System) -> Database:
    return wired.databases["social"]


@pytest.fixture
async def network() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running


@pytest.fixture
async def post(wired: System) -> Pages:
    return await begun(wired)
