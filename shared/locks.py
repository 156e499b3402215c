"""Locks that live as long as a database session: who leads, and which slot of a service a process has."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database

log = logging.getLogger(__name__)

# Who waits for a lock asks again instead of waiting in the database: a statement that waits keeps a snapshot, and vacuum would stop
# behind it.
ASK_AGAIN_SECONDS = 0.5
MAX_SLOTS = 64


class NoSlotError(Exception):
    """Sixty-four processes of one service already run; stop one, or look for processes that hang."""


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) - 2**31


@asynccontextmanager
async def session(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a connection outside the pool's transactions, to hold locks and hear notifications; closed at the end, never reused."""
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield connection
            # Free at once, and not when the server has noticed that the session is over: who asks right after finds it so.
            with suppress(SQLAlchemyError, OSError):
                await connection.execute(text("SELECT pg_advisory_unlock_all()"))
        finally:
            # A session lock would go back into the pool with its connection and be held for ever.
            await asyncio.shield(connection.invalidate())


async def try_lock(connection: AsyncConnection, name: str, slot: int = 0) -> bool:
    """Say whether the session of `connection` now holds the lock `name`."""
    found = await connection.execute(text("SELECT pg_try_advisory_lock(:name, :slot)"), {"name": _number(name), "slot": slot})
    return bool(found.scalar_one())


async def lowest_slot(connection: AsyncConnection, service: str) -> int:
    """Return the lowest free slot number of a service, held while the session lives; raises NoSlotError when none is free."""
    for slot in range(MAX_SLOTS):
        if await try_lock(connection, f"slot:{service}", slot):
            return slot
    raise NoSlotError(NoSlotError.__doc__)


async def hear(connection: AsyncConnection, channel: str, wake: Callable[[], None]) -> None:
    """Call `wake` at each notification on `channel` while the session lives."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.add_listener(channel, lambda *_: wake())


async def alive(connection: AsyncConnection) -> bool:
    """Say whether the session still answers; raises what the database raises when it does not."""
    return bool((await connection.execute(text("SELECT true"))).scalar_one())
