"""Schemas brought to the newest version: each service's own migrations, one after another, safe from several places at once."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.dsn import connecting

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# Any number that no other lock of ours uses; the second migration waits for the first and then finds nothing to do.
LOCK = 7_310_001


async def migrate(url: str, services: Iterable[str]) -> None:
    """Bring the schemas of `services` to the newest version; raises what PostgreSQL raises, with nothing of that service changed."""
    target, arguments = connecting(url)
    engine = create_async_engine(target, connect_args=arguments)
    try:
        for service in services:
            async with engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
                await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}"'))
                await connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
                await connection.run_sync(_upgrade, service)
    finally:
        await engine.dispose()


def migrate_now(url: str, services: Iterable[str]) -> None:
    """As `migrate`, for callers without an event loop."""
    asyncio.run(migrate(url, services))


def _upgrade(connection: Connection, service: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(HERE.parents[1] / "services" / service / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["service"] = service
    command.upgrade(config, "head")
