"""Taking a backup: every table of every schema as of one moment, while the services work on."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared import clock
from shared.backup import schemas
from shared.backup.archive import FORM, ArchiveError, ArchiveWriter, KeptSchema, KeptTable, Manifest, writing
from shared.backup.schemas import Schema
from shared.db import engine_of
from shared.migrations import LOCK
from shared.vault import Vault
from shared.version import VERSION

log = logging.getLogger(__name__)

Say = Callable[[str], None]
_FORM_OF_VALUES = (
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO'",
    "IntervalStyle = 'iso_8601'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
)
KEY_WORD = b"tidings"
"""What the data keys seal in the manifest."""


async def take(url: str, services: Sequence[str], vault: Vault, file: Path, say: Say) -> Manifest:
    """Return the manifest of the backup that now stands in `file`; raises ArchiveError, and what PostgreSQL raises.

    No migration runs meanwhile, and everything else goes on.
    """
    engine = engine_of(url)
    try:
        with writing(file) as archive:
            async with engine.connect() as pooled:
                connection: Any = (await pooled.get_raw_connection()).driver_connection
                # Before the snapshot is taken: one that was taken first would be older than what a migration has just made.
                await connection.execute(f"SELECT pg_advisory_lock_shared({LOCK})")
                try:
                    # Before the snapshot as well as after its last row: who ends its work meanwhile may have sent what the snapshot holds.
                    were_at_work = bool(await schemas.services_connected(connection))
                    async with connection.transaction(isolation="repeatable_read", readonly=True):
                        return await _take(connection, services, vault, archive, say, were_at_work=were_at_work)
                finally:
                    await connection.execute(f"SELECT pg_advisory_unlock_shared({LOCK})")
    finally:
        await engine.dispose()


async def _take(
    connection: Any, services: Sequence[str], vault: Vault, archive: ArchiveWriter, say: Say, *, were_at_work: bool
) -> Manifest:
    # The form of what COPY writes must not follow the server's settings.
    for setting in _FORM_OF_VALUES:
        await connection.execute(f"SET LOCAL {setting}")
    found = [await schemas.look(connection, service) for service in services]
    if missing := [schema.name for schema in found if schema.version is None]:
        raise ArchiveError(f"The schemas of {', '.join(missing)} are not there. Run `tidings migrate` first, or look at TIDINGS_DATABASE.")
    taken_at = clock.now()
    kept = {}
    for schema in found:
        kept[schema.name] = await _take_schema(connection, schema, archive)
        say(f"{schema.name}: {kept[schema.name].rows} rows of {len(schema.tables)} tables")
    # After the last row: who starts meanwhile is seen.
    at_rest = not (were_at_work or await schemas.services_connected(connection))
    manifest = Manifest(form=FORM, tidings=VERSION, taken_at=taken_at, at_rest=at_rest, sealed=vault.seal(KEY_WORD).decode(), schemas=kept)
    archive.finish(manifest)
    return manifest


async def _take_schema(connection: Any, schema: Schema, archive: ArchiveWriter) -> KeptSchema:
    tables = []
    for name, columns in schema.tables.items():
        with archive.table(schema.name, name) as member:
            done = await connection.copy_from_table(name, schema_name=schema.name, columns=columns, output=member.write)
        rows = int(done.rpartition(" ")[2])
        tables.append(KeptTable(name=name, columns=columns, rows=rows, bytes=member.size, sha256=member.sha256))
    assert schema.version is not None
    return KeptSchema(version=schema.version, tables=tuple(tables), sequences=tuple(await schemas.sequences(connection, schema.name)))
