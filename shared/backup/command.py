"""`tidings backup` and `tidings restore`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from asyncpg.exceptions import PostgresError

from shared import clock, command
from shared.backup import restoring, taking
from shared.backup.archive import ArchiveError, Manifest, reading
from shared.backup.held import AfterRestore
from shared.backup.restoring import Restored, RestoreError
from shared.broker import Probe
from shared.cluster import cluster_of
from shared.command import AsJson, CommandError, print_json, print_table, say
from shared.embedded import run_file
from shared.embedded.errors import EmbeddedError
from shared.events import registry
from shared.settings import Settings

KEYS_FILE = "keys.json"
UNDONE = "What a restore undoes"
"""The heading, in docs/do/back-up-and-restore.md, of what people must do again after a restore."""
_HELD = ("service", "kind", "name", "why", "address")


def backup_command(services: Sequence[str]) -> Callable[..., None]:
    """Return the command that takes the schemas of these services into a file."""

    def backup(
        file: Annotated[Path, typer.Argument(help="The archive to make; its folder must be there.", dir_okay=False)],
        *,
        as_json: AsJson = False,
    ) -> None:
        """Take one archive of all schemas, as of one moment, while the services work on.

        It holds personal data and encrypted secrets, and none of the keys that open them: keep TIDINGS_DATA_KEYS apart from it.
        """
        manifest = command.run(_backup(command.read_settings(), services, file))
        if as_json:
            print_json({"file": str(file), "bytes": file.stat().st_size, "rows": _rows(manifest), **manifest.model_dump(mode="json")})
            return
        say(f"{file}: {_rows(manifest)} rows as of {clock.rfc3339(manifest.taken_at)}, {file.stat().st_size} bytes.")
        say("It holds personal data: it can be read by its owner alone (mode 600). Keep it so wherever you take it.")
        say("The keys that open what is encrypted in it are not in it. Keep TIDINGS_DATA_KEYS and TIDINGS_SIGNING_KEY apart from it,")
        say(f"or the file {KEYS_FILE} of TIDINGS_VAR where no setting gives them; without them no contact and no subscriber can be read.")

    return backup


async def _backup(settings: Settings, services: Sequence[str], file: Path) -> Manifest:
    async with _database(settings) as url:
        vault = command.parts_of(settings).vault
        try:
            return await taking.take(url, services, vault, file, say)
        except ArchiveError as error:
            raise CommandError(str(error)) from error
        except PostgresError as error:
            raise CommandError(
                f"The database refused: {type(error).__name__}. TIDINGS_DATABASE must name the owner of the schemas."
            ) from error


def restore_command(after: Mapping[str, AfterRestore]) -> Callable[..., None]:
    """Return the command that puts an archive back; `after` is what each service then does to its own tables."""

    def restore(
        file: Annotated[Path, typer.Argument(help="The archive.", exists=True, dir_okay=False, readable=True)],
        *,
        lacking_keys: Annotated[bool, typer.Option("--lacking-keys", help="Restore although some of it can never be opened.")] = False,
        moved: Annotated[bool, typer.Option("--moved", help="A planned move: nothing ran since the backup, so nothing is held.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Put a backup back into an empty database, while no service runs: all of it, or nothing.

        What would leave by itself is held until a person releases it, for it may have left after the backup was taken.
        """
        done = command.run(_restore(command.read_settings(), after, file, lacking_keys=lacking_keys, moved=moved))
        if as_json:
            print_json(_json(done))
            return
        _say(done)

    return restore


async def _restore(settings: Settings, after: Mapping[str, AfterRestore], file: Path, *, lacking_keys: bool, moved: bool) -> Restored:
    if not settings.data_keys and not (settings.var / KEYS_FILE).exists():
        raise CommandError(f"No keys open the backup: set TIDINGS_DATA_KEYS as they were, or put the old {KEYS_FILE} into {settings.var}.")
    try:
        with reading(file) as archive:
            async with _database(settings, alone=True) as url:
                await restoring.check_nothing_is_there(url, archive.manifest)
                if settings.kafka != "embedded":
                    probe = Probe(cluster_of(settings))
                    try:
                        await restoring.check_topics_are_empty(probe, registry.TOPICS)
                        await restoring.check_no_group_is_ahead(probe, registry.TOPICS)
                    finally:
                        await probe.close()
                vault = command.parts_of(settings).vault
                return await restoring.put_back(url, archive, vault, after, say, lacking_keys=lacking_keys, moved=moved)
    except (ArchiveError, RestoreError) as error:
        raise CommandError(str(error)) from error


@asynccontextmanager
async def _database(settings: Settings, *, alone: bool = False) -> AsyncIterator[str]:
    """Give the URL of the database; an embedded one that nobody runs is started for this. `alone`: nobody may run it, and it may be new."""
    if settings.database != "embedded":
        yield settings.database
        return
    running = run_file.read(settings.var)
    if running is not None and alone:
        raise CommandError(f"Tidings runs on {settings.var} ({running.web}). End it, then restore.")
    if running is not None and running.database:
        yield running.database
        return
    if not alone and not (settings.var / "postgres").exists():
        raise CommandError(f"There is nothing in {settings.var} to back up. Set TIDINGS_VAR or TIDINGS_DATABASE to the system you mean.")
    from shared.embedded.postgres import EmbeddedPostgres

    try:
        with run_file.claim(settings.var), EmbeddedPostgres(settings.var / "postgres") as server:
            yield server.url
    except EmbeddedError as error:
        raise CommandError(str(error)) from error


def _rows(manifest: Manifest) -> int:
    return sum(schema.rows for schema in manifest.schemas.values())


def _json(done: Restored) -> dict[str, object]:
    return {
        "taken_at": done.manifest.taken_at,
        "rows": _rows(done.manifest),
        "offered_again": done.offered_again,
        "uncertain_mails": done.uncertain_mails,
        "moved": done.moved,
        "held": [{name: getattr(one, name) for name in _HELD} for one in done.held],
    }


def _say(done: Restored) -> None:
    say(f"Restored as of {clock.rfc3339(done.manifest.taken_at)}: {_rows(done.manifest)} rows.")
    say(f"{done.offered_again} events are told again when the services start; those who had them drop them.")
    if done.moved:
        say("It has moved: everything goes on where it stood, and nothing is held. Never start the old system again.")
        return
    say("Everybody signs in again: sessions and sign-in links from before have ended.")
    if done.uncertain_mails:
        say(f"{done.uncertain_mails} mails to single people were leaving at that moment; they count as uncertain and are not sent again.")
    if done.held:
        say("Held, since it may have left after the backup was taken. It leaves once a person says so, on its page or by the command:")
        print_table(_HELD, [{name: getattr(one, name) for name in _HELD} for one in done.held])
    else:
        say("Nothing was about to leave, so nothing is held.")
    say("Mails about what was decided before this restore are held as well when services come to write them: see `tidings mails held`.")
    say(
        "What was done after the backup is undone: keys and tokens that were revoked are good again, readers who left are subscribed, "
        f"pauses are off, and what was sent may look as if it was not: see “{UNDONE}” in docs/do/back-up-and-restore.md."
    )
