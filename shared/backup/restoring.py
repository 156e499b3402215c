"""Putting a backup back: whole, in one transaction, into a database in which nothing has happened yet.

Whatever ends it in the middle, a kill too, leaves the database as it was. What would leave by itself is held before anybody can see it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg.exceptions import PostgresError
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock, retention
from shared.backup import schemas, sealed
from shared.backup.archive import ArchiveError, ArchiveReader, KeptSchema, Manifest
from shared.backup.held import AfterRestore, Held
from shared.backup.taking import KEY_WORD, Say
from shared.broker import BrokerAwayError, Probe, group_of
from shared.db import engine_of
from shared.events import registry
from shared.events.codes import Service
from shared.mail.queue import holding
from shared.mail.queue import store as mails
from shared.migrations import LOCK, upgrade, versions_of
from shared.vault import SealError, Vault

log = logging.getLogger(__name__)

MADE_BY_MIGRATIONS: Mapping[str, frozenset[str]] = {"newsletter": frozenset({"issue_rule"})}
"""Tables into which a migration itself puts rows; the archive's rows take their place."""


class RestoreError(Exception):
    """The backup was not restored, and nothing has changed; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    held: Sequence[Held]
    offered_again: int  # events that the relays tell again
    uncertain_mails: int  # one-off mails that were leaving when the backup was taken
    moved: bool  # everything goes on where it stood


async def put_back(
    url: str,
    archive: ArchiveReader,
    vault: Vault,
    after: Mapping[str, AfterRestore],
    say: Say,
    *,
    lacking_keys: bool = False,
    moved: bool = False,
) -> Restored:
    """Return what was restored and what is held; `after` is what each service does to its own.

    `moved` says that nothing happened since the backup, so that everything goes on where it stood.
    Raises RestoreError, ArchiveError, and what PostgreSQL raises; nothing has changed then.
    """
    _check_known(archive.manifest, after)
    if moved and not archive.manifest.at_rest:
        raise RestoreError(
            "Services were at work when this backup was taken, so things may have left since. Restore it without --moved, "
            "which holds them; or end the old system's services, take another backup, and move that one."
        )
    if not lacking_keys:
        _check_key(archive.manifest, vault)
    engine = engine_of(url)
    try:
        async with engine.begin() as tx:
            connection: Any = (await tx.get_raw_connection()).driver_connection
            await tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
            await _check_nobody_works(tx)
            await put_as_it_was(tx, archive, say)
            if not lacking_keys:
                await _check_all_opens(connection, archive.manifest, vault)
            done = await _settle(tx, archive.manifest, after, moved=moved)
            # Who has started meanwhile may have written beside what came back.
            await _check_nobody_works(tx)
            return done
    finally:
        await engine.dispose()


async def put_as_it_was(tx: AsyncConnection, archive: ArchiveReader, say: Say) -> None:
    """Put every row back into schemas of the versions that the archive has; raises RestoreError where one is not empty, ArchiveError."""
    connection: Any = (await tx.get_raw_connection()).driver_connection
    for service in archive.manifest.schemas:
        await _prepare(tx, connection, service, archive.manifest)
    for service, kept in archive.manifest.schemas.items():
        await _put_schema(connection, archive, service, kept)
        say(f"{service}: {kept.rows} rows of {len(kept.tables)} tables")


async def check_nothing_is_there(url: str, manifest: Manifest) -> None:
    """Raise RestoreError where a service is at work on the database, or a schema has rows: before anybody is told to empty Kafka for it."""
    engine = engine_of(url)
    try:
        async with engine.connect() as seen:
            await _check_nobody_works(seen)
            connection: Any = (await seen.get_raw_connection()).driver_connection
            for service in manifest.schemas:
                await _check_empty(connection, service, await schemas.look(connection, service), manifest)
    finally:
        await engine.dispose()


async def check_topics_are_empty(probe: Probe, topics: Sequence[str]) -> None:
    """Raise RestoreError where Kafka holds a record, or does not answer: what it holds would be told beside what the outboxes tell."""
    try:
        found = {topic: records for topic, records in (await probe.records(topics)).items() if records}
    except BrokerAwayError as error:
        raise RestoreError(f"{error}. A restore must see that its topics are empty; look at TIDINGS_KAFKA.") from error
    if found:
        raise RestoreError(
            f"Kafka still holds records: {', '.join(f'{topic} ({records})' for topic, records in found.items())}. "
            "Delete these topics while no service runs; they are made anew, and the restored outboxes fill them."
        )


async def check_no_group_is_ahead(probe: Probe, topics: Sequence[str]) -> None:
    """Raise RestoreError where Kafka remembers that a service had read further than a topic reaches: it would skip what is told first."""
    ahead = []
    try:
        there = list(await probe.described(topics))
        ends = await probe.ends(there)
        for service in Service:
            heard = [topic for topic in registry.topics_heard_by(service.value) if topic in there]
            committed = await probe.committed(group_of(service.value), heard) if heard else {}
            if any(offset > ends.get(partition, 0) for partition, offset in committed.items()):
                ahead.append(group_of(service.value))
    except BrokerAwayError as error:
        raise RestoreError(f"{error}. A restore must see how far the services had read; look at TIDINGS_KAFKA.") from error
    if ahead:
        raise RestoreError(
            f"Kafka remembers more than its topics hold for {', '.join(ahead)}: these groups would skip what is told first. "
            "Delete them (kafka-consumer-groups.sh --delete --group …) while no service runs."
        )


def _check_known(manifest: Manifest, after: Mapping[str, AfterRestore]) -> None:
    if unknown := sorted(set(manifest.schemas) - set(after)):
        raise RestoreError(f"The backup holds schemas that this version does not know: {', '.join(unknown)}. Restore it with a newer one.")
    if missing := sorted(set(after) - set(manifest.schemas)):
        raise RestoreError(f"The backup lacks the schemas of {', '.join(missing)}. Restore it with Tidings {manifest.tidings}.")
    newer = [name for name, kept in manifest.schemas.items() if kept.version not in versions_of(name)]
    if newer:
        raise RestoreError(
            f"The backup was taken by Tidings {manifest.tidings}, whose schemas of {', '.join(newer)} are newer than this version. "
            "Restore it with that version or a later one."
        )


def _check_key(manifest: Manifest, vault: Vault) -> None:
    try:
        right = vault.open(manifest.sealed.encode()) == KEY_WORD
    except SealError:
        right = False
    if not right:
        raise RestoreError(
            "TIDINGS_DATA_KEYS do not open this backup. Give the keys that the system had when it was taken: they were kept apart from it, "
            "in your settings or in the file keys.json of the old TIDINGS_VAR."
        )


async def _check_nobody_works(tx: AsyncConnection) -> None:
    if names := await schemas.services_connected((await tx.get_raw_connection()).driver_connection):
        raise RestoreError(f"Services are connected to this database: {', '.join(names)}. End them, then restore.")


async def _check_empty(connection: Any, service: str, there: schemas.Schema, manifest: Manifest) -> None:
    made = MADE_BY_MIGRATIONS.get(service, frozenset())
    full = [table for table in await schemas.filled(connection, there) if table not in made]
    if not full:
        return
    if "restores" in full:
        asked = f'SELECT restored_at FROM "{service}".restores WHERE taken_at = $1'  # noqa: S608 - a name of ours
        if (done := await connection.fetchval(asked, manifest.taken_at)) is not None:
            raise RestoreError(
                f"This backup was put back here already, whole, at {done:%Y-%m-%d %H:%M} UTC. "
                "Go on from there: `tidings migrate`, then start the services. What awaits people and `tidings mails held` "
                "name what is held, `tidings doctor` how much. To put it back once more, take a database that was just made."
            )
    raise RestoreError(
        f"The schema {service} is not empty: {', '.join(full[:5])} {'has' if len(full) == 1 else 'have'} rows. "
        "Restore into a database that was just made, or that `tidings migrate` has made and nothing else has touched."
    )


async def _prepare(tx: AsyncConnection, connection: Any, service: str, manifest: Manifest) -> None:
    """Bring an empty schema to the version that the archive's has; raises RestoreError where it is not empty, or newer."""
    kept = manifest.schemas[service]
    there = await schemas.look(connection, service)
    await _check_empty(connection, service, there, manifest)
    if there.version is None and there.tables:
        raise RestoreError(f"The schema {service} has tables that no migration made. Restore into a database that was just made.")
    if there.version is not None and there.version > kept.version:
        raise RestoreError(
            f"The schema {service} is at version {there.version}, and the backup's is at {kept.version}. Restore into a database that was "
            "just made, before `tidings migrate`: the backup's tables are made as they were, and then brought to the newest version."
        )
    await upgrade(tx, service, kept.version)
    made = MADE_BY_MIGRATIONS.get(service, frozenset())
    for table in sorted(made & {table.name for table in kept.tables}):
        await tx.execute(text(f'DELETE FROM "{service}"."{table}"'))  # noqa: S608 - names of ours


async def _put_schema(connection: Any, archive: ArchiveReader, service: str, kept: KeptSchema) -> None:
    there = await schemas.look(connection, service)
    if set(there.tables) != {table.name for table in kept.tables}:
        raise ArchiveError(f"The backup's tables of {service} are not those of its version {kept.version}. Take another backup.")
    # Nothing that an archive says of itself becomes part of a statement unless the catalogue knows it: whoever restores is the owner.
    if {one.name for one in await schemas.sequences(connection, service)} != {one.name for one in kept.sequences}:
        raise ArchiveError(f"The backup's sequences of {service} are not those of its version {kept.version}. Take another backup.")
    for table in kept.tables:
        pieces = archive.pieces(service, table)
        try:
            done = await connection.copy_to_table(table.name, schema_name=service, columns=table.columns, source=pieces)
        except PostgresError as error:
            # Its detail would quote the row, which is personal.
            raise ArchiveError(
                f"PostgreSQL does not take {service}.{table.name} back ({type(error).__name__}). Take another backup."
            ) from None
        if int(done.rpartition(" ")[2]) != table.rows:
            raise ArchiveError(f"{service}.{table.name} came back with other rows than it had. Take another backup.")
    for sequence in kept.sequences:
        where = schemas.quoted(service, sequence.name)
        try:
            await connection.fetchval("SELECT setval($1::text::regclass, $2, $3)", where, sequence.last, sequence.called)
        except PostgresError as error:
            raise ArchiveError(
                f"PostgreSQL does not set {service}.{sequence.name} back ({type(error).__name__}). Take another backup."
            ) from None


async def _check_all_opens(connection: Any, manifest: Manifest, vault: Vault) -> None:
    if closed := [one for one in await sealed.look(connection, manifest.schemas, vault) if one.closed]:
        said = ", ".join(f"{one.column} ({one.closed} of {one.looked_at})" for one in closed)
        raise RestoreError(
            f"TIDINGS_DATA_KEYS do not open all that is sealed: {said}. Add the older keys behind the newest one. "
            "Where they are lost for good, --lacking-keys restores the rest."
        )


async def _settle(tx: AsyncConnection, manifest: Manifest, after: Mapping[str, AfterRestore], *, moved: bool) -> Restored:
    """Bring every schema to the newest version; unless it only moved, end what was under way, and hold what would leave by itself."""
    held: list[Held] = []
    offered = uncertain = 0
    for service, hold in after.items():
        await upgrade(tx, service)  # leaves the path of search on this schema
        # Kafka is empty: the relays tell all that is kept, in its order, and the restored inboxes drop what they had.
        offered += (await tx.execute(text("UPDATE outbox SET sent_at = NULL"))).rowcount
        await retention.remember_taken(tx)
        if moved:
            continue
        held += await hold(tx, manifest.taken_at)
        if (await tx.execute(text("SELECT to_regclass('mails') IS NOT NULL"))).scalar_one():
            uncertain += await mails.give_up_started(tx, clock.now())
            held += [_held_mail(service, row) for row in await holding.hold_all(tx, manifest.taken_at)]
    return Restored(manifest=manifest, held=held, offered_again=offered, uncertain_mails=uncertain, moved=moved)


def _held_mail(service: str, row: Row[Any]) -> Held:
    # By what it is for: whom it goes to is sealed, and nobody's business in a list.
    name, why = f"{row.purpose} {row.id}", f"waited since {row.created_at:%Y-%m-%d %H:%M} UTC"
    return Held(service=service, kind="mail", name=name, why=why, address=f"tidings mails release {row.id}")
