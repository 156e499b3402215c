"""PostgreSQL for one service: an engine that sees only that service's schema, one transaction a door, and its migrations."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.dsn import connecting

Transaction = AsyncConnection
"""A connection inside a transaction that the door commits; nothing below the door commits."""

# Without names from a rule, a later migration could not say which constraint it means.
NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

# What says "the database is away or wants us to try again", as against "this event is bad":
# connection, rollback for concurrency, out of resources, operator intervention, system error, lock not available.
_TRY_AGAIN_CLASSES = ("08", "40", "53", "57", "58")
_LOCK_NOT_AVAILABLE = "55P03"

# A process that hangs in mid transaction would hold up for ever whoever takes its work over; no transaction of ours rests this long.
IDLE_IN_TRANSACTION_SECONDS = 30.0

_TOLD = "told"


def note_told(tx: Transaction) -> None:
    """Note on a transaction that something is told with it."""
    tx.info[_TOLD] = True


def metadata() -> MetaData:
    """Return an empty MetaData whose constraints are named by rule."""
    return MetaData(naming_convention=NAMES)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def engine_of(url: str) -> AsyncEngine:
    """Return an engine for work that is no service's own: migrations, backups, questions about the server. Dispose of it."""
    target, arguments = connecting(url)
    return create_async_engine(target, connect_args=arguments)


class Database:
    """One service's database; `url` is any PostgreSQL URL, `service` names its schema."""

    def __init__(self, url: str, service: str, *, pool_size: int = 10) -> None:
        self.url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self.service = service
        self._wakes: list[Callable[[], None]] = []
        target, arguments = connecting(self.url)
        self.engine: AsyncEngine = create_async_engine(
            target,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            hide_parameters=True,  # what people wrote has no place in a log
            json_serializer=_dumps,
            json_deserializer=orjson.loads,
            connect_args={
                **arguments,
                "timeout": 5,
                "server_settings": {
                    "search_path": service,
                    "application_name": f"tidings-{service}",
                    "jit": "off",
                    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS * 1000:.0f}",
                },
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction at READ COMMITTED; it commits when the block ends and rolls back when the block raises."""
        async with self.engine.begin() as tx:
            tx.info.pop(_TOLD, None)  # left by a block that raised
            yield tx
            told = tx.info.pop(_TOLD, False)
        if told:
            for wake in self._wakes:
                wake()

    def when_told(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after each commit of a transaction that told something."""
        self._wakes.append(wake)

    async def answers(self) -> bool:
        """Say whether a query comes back."""
        async with self.engine.connect() as connection:
            return bool((await connection.execute(text("SELECT true"))).scalar_one())

    async def migrated(self) -> bool:
        """Say whether the service's own tables are there."""
        async with self.engine.connect() as connection:
            return bool((await connection.execute(text("SELECT to_regclass('outbox') IS NOT NULL"))).scalar_one())

    async def schema_version(self) -> str | None:
        """Return the version of the service's schema; None where no migration keeps one, as for schemas that a test has made."""
        async with self.engine.connect() as connection:
            if not (await connection.execute(text("SELECT to_regclass('schema_version') IS NOT NULL"))).scalar_one():
                return None
            return str((await connection.execute(text("SELECT version_num FROM schema_version"))).scalar_one())

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()


def is_away(error: BaseException) -> bool:
    """Say whether `error` means that the database (or the network to it) is the trouble, not the work that was tried.

    A refusal without an SQLSTATE that left the connection whole is the client library's own, such as a value out of range: that
    is the work's fault, and trying again would never end.
    """
    if isinstance(error, OSError | TimeoutError | PoolTimeoutError | PendingRollbackError):
        return not isinstance(error, LookupError)  # a missing template is an OSError too, and no waiting brings it
    if not isinstance(error, DBAPIError):
        return False
    state = sqlstate(error)
    return bool(error.connection_invalidated or state[:2] in _TRY_AGAIN_CLASSES or state == _LOCK_NOT_AVAILABLE)


def sqlstate(error: DBAPIError) -> str:
    """Return the five characters by which PostgreSQL names a failure, or an empty string when it said none."""
    return str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
