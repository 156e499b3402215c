"""Is the database there, are its schemas those of this version, may the services do their work, and is its clock ours?"""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.db import engine_of
from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.migrations import versions_of
from shared.settings import Settings, database_of

PART = "database"
TESTED_VERSION = 18
# Signatures of webhooks are good for five minutes, and tokens for some: clocks that differ by less than a second trouble nobody.
SKEW_WARNING_SECONDS = 2.0
SKEW_WRONG_SECONDS = 30.0


def questions(settings: Settings, services: Sequence[str]) -> Sequence[Question]:
    """Return what is to be asked of the database and, for each service that has a role of its own, by that role."""
    do = "Is it running, and is TIDINGS_DATABASE right?"
    found = [Question(part=PART, what="it answers", ask=lambda: _server(settings.database), do=do)]
    found.append(Question(part=PART, what="schemas", ask=lambda: _schemas(settings.database, services), do=do))
    for service in services:
        url = database_of(settings, service)
        if url != settings.database:
            found.append(_about_role(service, url, services))
    return found


def _about_role(service: str, url: str, services: Sequence[str]) -> Question:
    do = f"Look at TIDINGS_DATABASE_{service.upper()}: may its role sign in?"
    return Question(part=PART, what=f"role of {service}", ask=lambda: _role(service, url, services), do=do)


async def _server(url: str) -> Sequence[Finding]:
    engine = engine_of(url)
    try:
        async with engine.connect() as connection:
            size = (await connection.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
            before = clock.now()
            said = text("SELECT current_setting('server_version_num')::int / 10000 AS version, clock_timestamp() AS its_clock")
            row = (await connection.execute(said)).one()
            after = clock.now()
    finally:
        await engine.dispose()
    place = make_url(url)
    where = f"PostgreSQL {row.version} at {place.host or 'its socket'}"
    found = [ok(PART, "it answers", where)]
    if row.version < TESTED_VERSION:
        found = [warning(PART, "it answers", where, f"Tidings is tested with PostgreSQL {TESTED_VERSION}; bring it up when you can.")]
    # How much room is left on its disk no query tells.
    found.append(ok(PART, "its size", f"{size / 1024**3:.2f} GiB; see that its disk has room for twice that"))
    apart = abs((row.its_clock - (before + (after - before) / 2)).total_seconds())
    said_apart, do = f"{apart:.1f} s apart from ours", "Let both machines follow the same time servers (NTP)."
    if apart > SKEW_WRONG_SECONDS:
        return [*found, wrong(PART, "its clock", said_apart, do)]
    return [*found, warning(PART, "its clock", said_apart, do) if apart > SKEW_WARNING_SECONDS else ok(PART, "its clock", said_apart)]


async def seen(connection: AsyncConnection) -> Mapping[str, bool]:
    """Return the schemas of a database, each with whether the role that asks may look into it: a service's own sees one."""
    rows = await connection.execute(text("SELECT nspname, has_schema_privilege(oid, 'USAGE') AS may FROM pg_namespace"))
    return {row.nspname: row.may for row in rows}


async def _schemas(url: str, services: Sequence[str]) -> Sequence[Finding]:
    engine, found = engine_of(url), []
    try:
        async with engine.connect() as connection:
            sees = await seen(connection)
            for service in services:
                what, newest = f"schema {service}", versions_of(service)[-1]
                if sees.get(service) is False:
                    found.append(ok(PART, what, "another role's, so not looked at"))
                    continue
                there = text("SELECT to_regclass(:name) IS NOT NULL")
                if service not in sees or not (await connection.execute(there, {"name": f"{service}.schema_version"})).scalar_one():
                    found.append(wrong(PART, what, "it is not there", "Run `tidings migrate`."))
                    continue
                version = (await connection.execute(text(f"SELECT version_num FROM {service}.schema_version"))).scalar_one()  # noqa: S608
                if version == newest:
                    found.append(ok(PART, what, f"version {version}"))
                elif version in versions_of(service):
                    found.append(wrong(PART, what, f"version {version}, and this program's is {newest}", "Run `tidings migrate`."))
                else:
                    said = f"version {version}, newer than this program's {newest}"
                    found.append(warning(PART, what, said, "A newer Tidings has migrated; run that one everywhere."))
    finally:
        await engine.dispose()
    return found


_LACKS = text("""
    SELECT count(*) FILTER (WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))) AS lacks, count(*) AS tables
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relname <> 'schema_version'
""")
_SEES = text("""
    SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(CAST(:others AS text[])) AND c.relkind = 'r' AND has_schema_privilege(n.oid, 'USAGE')
        AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1
""")


async def _role(service: str, url: str, services: Sequence[str]) -> Sequence[Finding]:
    what, engine = f"role of {service}", engine_of(url)
    try:
        async with engine.connect() as connection:
            role = (await connection.execute(text("SELECT current_user"))).scalar_one()
            enters = text("SELECT coalesce(bool_or(has_schema_privilege(oid, 'USAGE')), false) FROM pg_namespace WHERE nspname = :schema")
            may_enter = (await connection.execute(enters, {"schema": service})).scalar_one()
            lacks = (await connection.execute(_LACKS, {"schema": service})).one()
            sees = (await connection.execute(_SEES, {"others": [other for other in services if other != service]})).scalars().all()
    finally:
        await engine.dispose()
    if not may_enter or lacks.lacks or not lacks.tables:
        said = f"{role} may not read and write {lacks.lacks if may_enter else 'any'} of {lacks.tables} tables"
        return [wrong(PART, what, said, "Run `tidings migrate` as the owner, and grant the role what it needs on its schema.")]
    if sees:
        said = f"{role} also reads the tables of {', '.join(sees)}"
        return [warning(PART, what, said, f"Take these rights away: a service needs the schema {service} alone.")]
    return [ok(PART, what, f"{role} reads and writes its {lacks.tables} tables, and no others")]
