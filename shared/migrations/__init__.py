"""Schemas brought to the newest version: each service's own migrations, one after another, safe from several places at once.

The version before works on while they run, and afterwards, so a migration only ever adds (tests/shared/test_migrating.py holds that);
and it never waits for a lock with everybody else in a queue behind it: it gives up, lets them pass, and tries again.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import engine_of, sqlstate

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# Any number that no other lock of ours uses; the second migration waits for the first and then finds nothing to do.
LOCK = 7_310_001
# Whoever wants the same table queues up behind a migration that waits, so it waits for less than anybody notices.
LOCK_SECONDS = 1.0
TRIES = 60
AGAIN_SECONDS = 2.0
_LOCK_NOT_AVAILABLE = "55P03"


class BusyError(Exception):
    """A table was in use whenever a migration wanted to change it. Nothing of that service has changed; run `tidings migrate` again."""


async def migrate(url: str, services: Iterable[str]) -> None:
    """Bring the schemas of `services` to the newest version; raises what PostgreSQL raises, with nothing of that service changed.

    Raises BusyError where a table stays in use for minutes.
    """
    engine = engine_of(url)
    try:
        for service in services:
            await _migrate_one(engine, service)
    finally:
        await engine.dispose()


async def _migrate_one(engine: AsyncEngine, service: str) -> None:
    for tried in range(1, TRIES + 1):
        try:
            async with engine.begin() as connection:
                await _wait_for_our_turn(connection)
                # After that lock: one migration may wait for another, or for a backup, as long as it takes.
                await connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_SECONDS * 1000:.0f}"))
                await upgrade(connection, service)
        except DBAPIError as error:
            if sqlstate(error) != _LOCK_NOT_AVAILABLE:
                raise
            log.warning("a table of %s is in use; its migration is tried again in %.0f s (try %d)", service, AGAIN_SECONDS, tried)
        else:
            return
        await asyncio.sleep(AGAIN_SECONDS)
    raise BusyError(f"{service}: {BusyError.__doc__}")


async def _wait_for_our_turn(connection: AsyncConnection) -> None:
    if not (await connection.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": LOCK})).scalar_one():
        log.warning("another migration, or a backup, is under way; waiting for it")
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})


def migrate_now(url: str, services: Iterable[str]) -> None:
    """As `migrate`, for callers without an event loop."""
    asyncio.run(migrate(url, services))


async def upgrade(connection: AsyncConnection, service: str, version: str = "head") -> None:
    """Bring one schema to a version within the caller's transaction, making it where it is not there; the caller holds LOCK."""
    await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}"'))
    await connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
    await connection.run_sync(_upgrade, service, version)


@cache
def versions_of(service: str) -> tuple[str, ...]:
    """Return the versions of a service's schema that this program knows, oldest first; empty for a service without migrations."""
    return tuple(sorted(path.name.partition("_")[0] for path in _folder_of(service).glob("[0-9]*.py")))


def _folder_of(service: str) -> Path:
    return HERE.parents[1] / "services" / service / "migrations"


def _upgrade(connection: Connection, service: str, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(_folder_of(service)))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["service"] = service
    if (newer := _newer_version(connection, service)) is not None:
        # A newer program has migrated; this one works with what it made, and going back must not need another command.
        log.warning("the schema of %s is at %s, which is newer than this program, and stays as it is", service, newer)
        return
    command.upgrade(config, version)


def _newer_version(connection: Connection, service: str) -> str | None:
    """Return the version of a schema that this program is too old to know; None for every other."""
    if not connection.execute(text("SELECT to_regclass('schema_version') IS NOT NULL")).scalar_one():
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM schema_version")).scalar_one_or_none()
    known = versions_of(service)
    return found if found is not None and known and found > known[-1] else None
