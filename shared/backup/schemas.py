"""What a service's schema holds: its tables in an order in which rows can be put back, its columns, its sequences.

Everything here works on an asyncpg connection, since COPY is asyncpg's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from shared.backup.archive import KeptSequence

VERSIONS = "schema_version"
"""The table in which Alembic keeps the version of a schema; migrations write it, no archive does."""

_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY c.relname ORDER BY c.relname
"""
_REFERS = """
    SELECT c.relname AS one, p.relname AS other
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND n.nspname = $1 AND c.oid <> p.oid
"""
_SEQUENCES = """
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind = 'S' ORDER BY c.relname
"""


_CONNECTED = """
    SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'tidings-%' ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A schema as it is in a database."""

    name: str
    version: str | None  # None where no migration ever ran in it
    tables: Mapping[str, tuple[str, ...]]  # columns by table; those that others refer to come first; without `schema_version`


def quoted(*names: str) -> str:
    """Return names as one identifier of PostgreSQL, whatever is in them."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


async def look(connection: Any, name: str) -> Schema:
    """Return what stands in a schema; nothing where there is no such schema."""
    columns = {row["name"]: tuple(row["columns"]) for row in await connection.fetch(_TABLES, name)}
    version = await connection.fetchval(f'SELECT version_num FROM "{name}".{VERSIONS}') if VERSIONS in columns else None  # noqa: S608
    sorter: TopologicalSorter[str] = TopologicalSorter({table: set() for table in columns if table != VERSIONS})
    for row in await connection.fetch(_REFERS, name):
        sorter.add(row["one"], row["other"])
    return Schema(name=name, version=version, tables={table: columns[table] for table in sorter.static_order()})


async def filled(connection: Any, schema: Schema) -> Sequence[str]:
    """Return the tables of a schema that have a row."""
    found = []
    for table in schema.tables:
        if await connection.fetchval(f'SELECT EXISTS (SELECT FROM "{schema.name}"."{table}")'):  # noqa: S608 - names from the catalogue
            found.append(table)  # noqa: PERF401 - one question after another, on one connection
    return found


async def sequences(connection: Any, schema: str) -> Sequence[KeptSequence]:
    """Return where every sequence of a schema stands."""
    found = []
    for row in await connection.fetch(_SEQUENCES, schema):
        name = row["name"]
        at = await connection.fetchrow(f'SELECT last_value, is_called FROM "{schema}"."{name}"')  # noqa: S608 - names from the catalogue
        found.append(KeptSequence(name=name, last=at["last_value"], called=at["is_called"]))
    return found


async def services_connected(connection: Any) -> Sequence[str]:
    """Return the services that are connected to this database, each by the name that it says there."""
    # The first look within a transaction is kept for all of it.
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return [row["application_name"] for row in await connection.fetch(_CONNECTED)]
