"""Running every service in one process; and what stands for the world beside services that run in processes of their own."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from typing import Annotated

import typer

from services.calendar import import_command as calendar_import
from services.demo.inbox import app as inbox
from services.demo.inbox.server import demo_inbox, inbox_wanted, seen_by_others
from services.desk import command as desk_command
from services.intake import command as intake_command
from services.migrating import migrate_schemas
from services.owners import OWNERS
from services.pledges import import_command as pledges_import
from services.wiring import built, kafka_of
from shared import command, log
from shared import settings as settings_
from shared.command import CommandError, say
from shared.embedded import run_file
from shared.embedded.errors import EmbeddedError
from shared.events import registry
from shared.parts import Parts
from shared.process import Process, ending_by_signal, open_port, serve
from shared.settings import Settings
from shared.web.addresses import on_loopback

_log = logging.getLogger(__name__)


def run_all(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the web pages; TIDINGS_PORT, else 8000.")] = None,
) -> None:
    """Run every service in one process, on embedded PostgreSQL and Kafka unless set otherwise. Ctrl-C ends it cleanly."""
    settings = command.read_settings(**({} if port is None else {"port": port}))
    if settings.database == "embedded" and settings_.is_for_compose():
        raise command.fail(
            "The .env here is that of docker compose: its keys and addresses belong to the system that `docker compose up` starts. "
            "Run this in another directory."
        )
    log.configure(settings.log)
    failure = command.run(_run_all(settings))
    if failure:
        raise command.fail(failure)


async def _run_all(settings: Settings) -> str:
    # Embedded parts are imported only where they are wanted: the image does not carry them.
    from services.demo.sandbox.server import is_wanted, sandbox
    from shared.embedded.kafka import EmbeddedKafka
    from shared.embedded.postgres import EmbeddedPostgres

    ending, to_be_tried = ending_by_signal(), is_to_be_tried(settings)
    async with AsyncExitStack() as stack:
        started: dict[str, int] = {}
        try:
            claimed = stack.enter_context(run_file.claim(settings.var))
            web = stack.enter_context(closing(open_port(settings.host, settings.port)))
            changes: dict[str, object] = {"port": web.getsockname()[1]}
            if settings.database == "embedded":
                server = stack.enter_context(EmbeddedPostgres(settings.var / "postgres"))
                changes["database"] = server.url
                if server.pid is not None:
                    started["postgres"] = server.pid
            embedded = settings.kafka == "embedded"
            if embedded:
                topics = dict.fromkeys(registry.TOPICS, registry.PARTITIONS)
                changes["kafka"] = stack.enter_context(EmbeddedKafka(topics)).address
        except EmbeddedError as error:
            raise CommandError(str(error)) from error
        networks: dict[str, str] = {}
        if is_wanted(settings):
            x = await stack.enter_async_context(sandbox(settings.var / "sandbox"))
            changes |= x.as_settings
            networks["x"] = x.address
        settings = settings.model_copy(update=changes)
        rehearsal = await stack.enter_async_context(demo_inbox()) if inbox_wanted(settings) else None
        await migrate_schemas(settings.database)
        parts = command.parts_of(settings, inbox=rehearsal.server if rehearsal else None)
        services = [built(owner, parts) for owner in OWNERS] + ([inbox.build(parts, rehearsal.inbox, networks)] if rehearsal else [])

        async def announce(process: Process) -> None:
            smtp = f"{rehearsal.server.host}:{rehearsal.server.port}" if rehearsal else None
            lines = await _first_lines(
                parts, loopback=on_loopback(process.address)
            )  # the people of trial runs are there before anybody finds the system
            claimed.write(
                run_file.Run(
                    web=process.address, database=settings.database, kafka=settings.kafka, smtp=smtp, networks=networks, parts=started
                )
            )
            _announce(parts, process, networks, lines)
            if to_be_tried:
                # After the pages answer: nobody waits for lists.
                taking = asyncio.create_task(_take_own_lists(parts), name="own lists")
                stack.callback(taking.cancel)

        process = await serve(services, parts, kafka_of(settings, embedded=embedded), web, ending, announce)
        return process.failure


def run_demo_parts(
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the inbox's mail server.")] = 2525,
    sandbox_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the sandbox of X.")] = 8400,
    sandbox_url: Annotated[str, typer.Option(help="Where a browser finds the sandbox; its host and port unless said otherwise.")] = "",
) -> None:
    """Run what stands for the world beside services in processes of their own: demo inbox, sandbox networks, people, sample data."""
    settings = command.read_settings()
    log.configure(settings.log)
    failure = command.run(_run_demo_parts(settings, smtp_port, sandbox_port, sandbox_url))
    if failure:
        raise command.fail(failure)


async def _run_demo_parts(settings: Settings, smtp_port: int, sandbox_port: int, sandbox_url: str) -> str:
    from services.demo.sandbox.keys import keys_of
    from services.demo.sandbox.server import sandbox

    if why := seen_by_others(settings):
        raise CommandError(f"The demo parts do not start: {why}.")
    ending = ending_by_signal()
    async with AsyncExitStack() as stack:
        web = stack.enter_context(closing(open_port(settings.host, settings.port)))
        x = await stack.enter_async_context(sandbox(keys=keys_of(settings), host=settings.host, port=sandbox_port))
        rehearsal = await stack.enter_async_context(demo_inbox(settings.host, smtp_port))
        networks = {"x": sandbox_url or x.address}
        parts = command.parts_of(settings, inbox=rehearsal.server)
        lines = await _first_lines(parts, loopback=True)
        await _take_own_lists(parts)

        async def announce(process: Process) -> None:
            _announce(parts, process, networks, lines)

        process = await serve(
            [inbox.build(parts, rehearsal.inbox, networks)], parts, kafka_of(settings, embedded=False), web, ending, announce
        )
        return process.failure


def is_to_be_tried(settings: Settings) -> bool:
    """Say whether a system with these settings is there to be tried: its database, its broker and its mails all stay inside it."""
    return settings.database == "embedded" and settings.kafka == "embedded" and inbox_wanted(settings)


async def _take_own_lists(parts: Parts) -> None:
    """Take in what comes with Tidings, for a system that is there to be tried; what is there already stays as it is.

    A system on servers of its own takes in what its operator imports, and nothing else.
    """
    for take in (calendar_import.take_own_lists, pledges_import.take_own_lists):
        try:
            await take(parts)
        except Exception:  # whatever is wrong with one list, the other is taken and the system stays up
            _log.exception("a list that comes with Tidings could not be taken in")


async def _first_lines(parts: Parts, *, loopback: bool) -> Sequence[str]:
    """Return what signs people in and lets somebody send, making the people and the partner of trial runs where they are missing."""
    lines = await desk_command.sign_in_lines(parts, loopback=loopback)
    return [*lines, *await intake_command.first_steps(parts)]


def _announce(parts: Parts, process: Process, networks: Mapping[str, str], lines: Sequence[str]) -> None:
    """Tell the person who started this where to go next."""
    address = parts.settings.public_url or process.address
    say()
    say(f"Tidings runs at {address}/")
    if parts.banner == "demo":
        say(f"Demo inbox:     {address}/demo/")
    for network, place in networks.items():
        say(f"Sandbox of {network.upper()}:   {place}/")
    for line in lines:
        say(line)
    say("Ctrl-C ends it; what came in is kept.")
    say()
