"""What the tests of the desk share: the service as it runs but for Kafka, and what it would have mailed."""

from collections.abc import AsyncIterator

import pytest

from tests.desk.desk_app import Desk, desk_of


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """The desk with a port for mails that keeps them for the test."""
    async with desk_of(database_url) as found:
        yield found
