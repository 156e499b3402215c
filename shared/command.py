"""What the commands of `tidings` have in common: finding the running system, and speaking to people and to programs."""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from shared import clock
from shared import settings as settings_
from shared.auth.tokens import Signer, Verifier
from shared.db import Database, Transaction
from shared.embedded import run_file
from shared.keys import kept_keys
from shared.mail.outgoing import outgoing
from shared.mail.server import MailServer
from shared.parts import Parts
from shared.settings import Settings, SettingsError, database_of
from shared.vault import Vault
from shared.web.addresses import on_loopback

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Give JSON on standard output.")]
"""The option that every command has whose outcome a program may want."""


class CommandError(Exception):
    """A command cannot do its work; the message says what happened and what to do."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; ends the command with exit code 1 and a plain sentence when it cannot be done."""
    try:
        return _loop()(work)
    except (CommandError, SettingsError) as error:
        raise fail(str(error)) from error
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise fail(
            f"The database refused: {why}. Look at TIDINGS_DATABASE, and bring the schemas up to date by `tidings migrate`."
        ) from error
    except (ConnectionError, TimeoutError) as error:
        raise fail(f"The database does not answer: {error}. Is it running, and is TIDINGS_DATABASE right?") from error
    except OSError as error:
        raise fail(str(error)) from error


def on_each(service: str | None, services: Sequence[str], ask: Callable[[Transaction], Awaitable[T]]) -> Sequence[tuple[str, T]]:
    """Return what `ask` gives in a transaction of each of `services`, or of the one named; exit code 2 for one that is none of them."""
    if service is not None and service not in services:
        raise typer.BadParameter(f"there is no such service; these are: {', '.join(services)}", param_hint="--service")
    return run(_ask_each([service] if service else services, ask))


async def _ask_each(services: Sequence[str], ask: Callable[[Transaction], Awaitable[T]]) -> Sequence[tuple[str, T]]:
    settings = found_settings()
    answers = []
    for service in services:
        database = Database(database_of(settings, service), service)
        try:
            async with database.transaction() as tx:
                answers.append((service, await ask(tx)))
        finally:
            await database.close()
    return answers


def _loop() -> Callable[[Coroutine[Any, Any, T]], T]:
    try:
        import uvloop
    except ImportError:  # it does not exist for every system
        return asyncio.run
    return uvloop.run


def fail(sentence: str) -> typer.Exit:
    """Say why on standard error and return the exit to raise."""
    typer.echo(f"tidings: {sentence}", err=True)
    return typer.Exit(1)


def read_settings(**given: Any) -> Settings:
    """Return the settings; ends the command with exit code 1 when one is wrong."""
    try:
        return settings_.read(**given)
    except SettingsError as error:
        raise fail(str(error)) from error


def found_settings() -> Settings:
    """Return the settings with the addresses of the running system's embedded parts in place of the word `embedded`.

    Ends the command when parts are embedded and nothing runs on TIDINGS_VAR.
    """
    settings = read_settings()
    if "embedded" not in {settings.database, settings.kafka}:
        return settings
    running = run_file.read(settings.var)
    if running is None:
        raise fail(
            f"Nothing runs on {settings.var}. Start it with `tidings all`, "
            "or set TIDINGS_DATABASE and TIDINGS_KAFKA to the system you mean. "
            "Where it runs in containers, so do its commands: docs/do/compose.md says which runs where."
        )
    changes: dict[str, object] = {}
    if settings.database == "embedded":
        changes["database"] = running.database
    if settings.kafka == "embedded":
        changes["kafka"] = running.kafka
    if settings.public_url is None:
        changes["public_url"] = running.web
    return settings.model_copy(update=changes)


def parts_of(settings: Settings, *, public_url: str | None = None, inbox: MailServer | None = None) -> Parts:
    """Return what services are built from; keys that no setting gives are those kept in the state directory.

    `inbox` is the demo inbox where this process runs one; pages then say so, as they do where one runs beside it.
    """
    data_keys = [key.get_secret_value() for key in settings.data_keys]
    try:
        vault = Vault(data_keys or kept_keys(settings.var).data_keys)
    except ValueError as error:
        raise SettingsError("TIDINGS_DATA_KEYS is wrong: one of its keys is not one that `tidings key` makes.") from error
    signer, verifier = _token_keys(settings, vault)
    return Parts(
        settings=settings,
        vault=vault,
        public_url=public_url or settings.address,
        outgoing=outgoing(settings, demo=inbox),
        banner="demo" if inbox or (settings.demo and on_loopback(settings.address)) else None,
        verifier=verifier,
        signer=signer,
    )


def _token_keys(settings: Settings, vault: Vault) -> tuple[Signer | None, Verifier]:
    """Return what signs tokens, where this process may, and what reads them; the public half of a key that signs need not be named."""
    private = [key.get_secret_value() for key in settings.signing_key]
    public = list(settings.verify_keys)
    if not private and not public:
        private = kept_keys(settings.var).signing_key
    try:
        signer = Signer(private, vault) if private else None
    except ValueError as error:
        raise SettingsError(f"TIDINGS_SIGNING_KEY is wrong: {error}. `tidings key --signing` makes one.") from error
    try:
        return signer, Verifier([*(signer.public_keys if signer else ()), *public])
    except ValueError as error:
        raise SettingsError(f"TIDINGS_VERIFY_KEYS is wrong: {error}. `tidings key --signing` makes one.") from error


def say(sentence: str = "") -> None:
    """Tell people something, on standard error."""
    typer.echo(sentence, err=True)


def print_json(value: object) -> None:
    """Give programs something, on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_in_json)
    sys.stdout.write("\n")


def _in_json(value: object) -> str:
    return clock.rfc3339(value) if isinstance(value, datetime) else str(value)


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under their columns' names, on standard output."""
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(text) for text in [column, *(line[place] for line in cells)]) for place, column in enumerate(columns)]
    for line in [list(columns), *cells]:
        sys.stdout.write("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n")


def quiet_libraries() -> None:
    """Keep libraries from talking between a command's own lines."""
    logging.getLogger().setLevel(logging.ERROR)
