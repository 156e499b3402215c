"""Bringing the schemas of all owners to their newest version."""

from services.owners import OWNERS
from shared import command
from shared.command import AsJson, CommandError, print_json, say
from shared.migrations import BusyError, roles
from shared.migrations import migrate as migrate_owners
from shared.settings import Settings, database_of


def migrate(*, as_json: AsJson = False) -> None:
    """Bring all schemas to the newest version; safe to run twice and from several places at once."""
    settings = command.found_settings()
    command.run(_migrate(settings))
    if as_json:
        print_json({"migrated": OWNERS})
        return
    say(f"The schemas of {', '.join(OWNERS)} are at the newest version that this program knows, or at a newer one, which stays as it is.")


async def _migrate(settings: Settings) -> None:
    await migrate_schemas(settings.database)
    try:
        await roles.grant(settings.database, {name: database_of(settings, name) for name in OWNERS})
    except roles.RightsError as error:
        raise CommandError(str(error)) from error


async def migrate_schemas(url: str) -> None:
    """Make and change tables; raises `CommandError` when another migration does not come to its end."""
    try:
        await migrate_owners(url, OWNERS)
    except BusyError as error:
        raise CommandError(str(error)) from error
