"""A database of its own for each test, made from a template in some hundredths of a second and dropped afterwards."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.engine import make_url

from shared.embedded.postgres import EmbeddedPostgres
from shared.migrations import migrate

T = TypeVar("T")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, run in a loop and a thread of its own: a fixture must leave the test's loop alone."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def fresh_database(url: str, *, template: str | None = None) -> Iterator[str]:
    """Give the URL of a new database on the server of `url`, a copy of `template` if one is named, until the block ends.

    Nobody may be connected to the template meanwhile.
    """
    name = f"test_{token_hex(6)}"
    # Copied as files: with a server that does not wait for the disk, faster than by the log.
    copy = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
    # From "postgres": a template must have no visitors, and the database of `url` may be one.
    server = with_database(url, "postgres")
    run_apart(ask(server, f"CREATE DATABASE {name}{copy}"))
    try:
        yield with_database(url, name)
    finally:
        drop_database(server, name)


@contextmanager
def template_of(server: EmbeddedPostgres, services: Sequence[str]) -> Iterator[str]:
    """Give the name of a database with the newest tables of `services`, for `fresh_database` to copy, until the block ends."""
    name = f"template_{token_hex(4)}"
    maintenance = with_database(server.url, "postgres")
    run_apart(ask(maintenance, f"CREATE DATABASE {name}"))
    run_apart(migrate(with_database(server.url, name), services))
    try:
        yield name
    finally:
        server.start()  # a test may have stopped it
        drop_database(maintenance, name)


def drop_database(server: str, name: str) -> None:
    """Drop a database if it is there, whoever is connected to it."""
    # By hand: FORCE refuses while autovacuum, which no role of ours may end, is at work in it. A drop without it asks autovacuum to go.
    ours = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
    run_apart(ask(server, ours, name))
    run_apart(ask(server, f"DROP DATABASE IF EXISTS {name}"))


def with_database(url: str, name: str) -> str:
    """Return `url` with another database in it."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def ask(url: str, statement: str, *values: object, timeout_seconds: float = 60) -> list[Any]:
    """Return the rows of one statement, on a connection of its own and outside a transaction."""
    connect: Callable[..., Any] = asyncpg.connect  # it has no types
    connection = await connect(url.replace("postgresql+asyncpg://", "postgresql://", 1), timeout=timeout_seconds)
    try:
        return list(await connection.fetch(statement, *values, timeout=timeout_seconds))
    finally:
        await connection.close(timeout=timeout_seconds)
