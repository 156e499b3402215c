"""The `tidings` command: what there is, and where each command stands."""

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from services.owners import OWNERS

COMMANDS: Mapping[str, str] = {
    "person": "services.desk.command:person",
    "token": "services.desk.command:token",
    "audit": "services.desk.command:audit",
    "partner": "services.intake.command:app",
    "events": "shared.operations.command:app",
    "mails": "shared.mail.queue.command:app",
    "import": "services.lists:imports",
    "all": "services.together:run_all",
    "demo-parts": "services.together:run_demo_parts",
    **{owner: f"services.alone:{owner}" for owner in OWNERS},
    "demo": "services.demo.walk.command:demo",
    "sender": "services.newsletter.command:sender",
    "why": "services.newsletter.ledger_command:why",
    "reconcile": "services.newsletter.ledger_command:reconcile",
    "doctor": "services.upkeep:doctor",
    "backup": "services.upkeep:backup",
    "restore": "services.upkeep:restore",
    "migrate": "services.migrating:migrate",
    "key": "shared.auth.key_command:key",
}
"""Each command and the function or group behind it, as module:name; a module is imported when its command is asked for.

The commands of one service thus carry no other's code, which is most of what a short command would wait for.
"""


class _Found(UserDict[str, Any]):
    """The commands by name, each made when it is first asked for."""

    def __getitem__(self, name: str) -> Any:
        standing = super().__getitem__(name)
        if isinstance(standing, str):
            standing = self.data[name] = _command(name, standing)
        return standing


def _command(name: str, where: str) -> Any:
    module, _, attribute = where.partition(":")
    behind = getattr(import_module(module), attribute)
    if isinstance(behind, typer.Typer):
        group = typer.main.get_group(behind)
        group.name = name
        return group
    only = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    only.command(name)(behind)
    return typer.main.get_command(only)


class _Commands(TyperGroup):
    """What stands behind `tidings`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "commands": _Found(COMMANDS)})

    def get_command(self, _: Any, cmd_name: str) -> Any:
        # Not by `get`, which would take an error of a module's own for a name that is not there.
        if cmd_name not in self.commands:
            return None
        return self.commands[cmd_name]


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The communications desk of the UN Network on Migration.",
)


@app.callback()
def main_group() -> None:
    """Say with a command what is to be done."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
