"""Lists from elsewhere: each service that takes some has a sub-command of `tidings import`."""

import typer

from services.calendar import import_command as calendar_import
from services.demo.inbox.server import is_rehearsal
from services.newsletter import import_command as newsletter_import
from services.pledges import import_command as pledges_import

imports = typer.Typer(no_args_is_help=True, help="Lists from elsewhere, taken in as a whole or not at all.")


@imports.callback()
def _imports() -> None:
    """Take in lists; each has a sub-command of its own."""


imports.command("subscribers")(newsletter_import.subscribers)
imports.command("workplan")(calendar_import.workplan)
imports.command("observances")(calendar_import.observances)
imports.command("pledges")(pledges_import.pledges_command(is_rehearsal))
imports.command("champions")(pledges_import.champions_command)
