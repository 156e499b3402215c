"""The `tidings` command; the one file that may import two services."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from typing import Annotated

import typer

from services.calendar import app as calendar
from services.calendar import import_command as calendar_import
from services.demo.inbox import app as inbox
from services.demo.inbox.server import demo_inbox, inbox_wanted, is_rehearsal, seen_by_others
from services.demo.walk import command as demo_command
from services.desk import app as desk
from services.desk import command as desk_command
from services.desk import restoring as desk_restoring
from services.intake import app as intake
from services.intake import command as intake_command
from services.newsletter import app as newsletter
from services.newsletter import command as newsletter_command
from services.newsletter import examining as newsletter_examining
from services.newsletter import import_command as newsletter_import
from services.newsletter import ledger_command as newsletter_ledger
from services.newsletter import restoring as newsletter_restoring
from services.pledges import app as pledges
from services.pledges import import_command as pledges_import
from services.social import app as social
from services.social import examining as social_examining
from services.social import restoring as social_restoring
from shared import command, log
from shared import settings as settings_
from shared.auth.tokens import new_key_pair
from shared.backup.command import backup_command, restore_command
from shared.backup.held import AfterRestore, nothing_leaves
from shared.broker import Probe
from shared.cluster import cluster_of
from shared.command import AsJson, CommandError, print_json, say
from shared.doctor.command import doctor_command
from shared.embedded import run_file
from shared.embedded.errors import EmbeddedError
from shared.events import registry
from shared.mail.queue import command as mails_command
from shared.migrations import BusyError, roles
from shared.migrations import migrate as migrate_schemas
from shared.operations import command as operations_command
from shared.parts import Parts
from shared.process import Process, ending_by_signal, open_port, serve
from shared.service import Kafka, Service
from shared.settings import Settings, database_of
from shared.vault import new_key
from shared.web.addresses import on_loopback

_log = logging.getLogger(__name__)

BUILDS: Mapping[str, Callable[[Parts], Service]] = {
    "desk": desk.build,
    "intake": intake.build,
    "pledges": pledges.build,
    "newsletter": newsletter.build,
    "social": social.build,
    "calendar": calendar.build,
}
OWNERS = ("desk", "intake", "pledges", "newsletter", "social", "calendar")
"""The services that keep something, whose schemas `tidings migrate` makes."""

AFTER_RESTORE: Mapping[str, AfterRestore] = {
    "desk": desk_restoring.end_sessions,
    "intake": nothing_leaves,
    "pledges": nothing_leaves,
    "newsletter": newsletter_restoring.hold_everything,
    "social": social_restoring.hold_everything,
    "calendar": nothing_leaves,
}
"""What each owner does to its restored tables before anybody sees them."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The communications desk of the UN Network on Migration.",
)
app.add_typer(desk_command.person, name="person")
app.add_typer(desk_command.token, name="token")
app.add_typer(desk_command.audit, name="audit")
app.add_typer(intake_command.app, name="partner")
app.add_typer(operations_command.app, name="events")
app.add_typer(mails_command.app, name="mails")


imports = typer.Typer(no_args_is_help=True, help="Lists from elsewhere, taken in as a whole or not at all.")
app.add_typer(imports, name="import")


@imports.callback()
def _imports() -> None:
    """Take in lists; each has a sub-command of its own."""


imports.command("subscribers")(newsletter_import.subscribers)
imports.command("workplan")(calendar_import.workplan)
imports.command("observances")(calendar_import.observances)
imports.command("pledges")(pledges_import.pledges_command(is_rehearsal))
imports.command("champions")(pledges_import.champions_command)


@app.command("all")
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
        await _migrate_schemas(settings.database)
        parts = command.parts_of(settings, inbox=rehearsal.server if rehearsal else None)
        services = _built(BUILDS, parts) + ([inbox.build(parts, rehearsal.inbox, networks)] if rehearsal else [])

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

        process = await serve(services, parts, _kafka(settings, embedded=embedded), web, ending, announce)
        return process.failure


def _built(names: Sequence[str] | Mapping[str, object], parts: Parts) -> list[Service]:
    return [BUILDS[name](parts) for name in names]


def _kafka(settings: Settings, *, embedded: bool) -> Kafka:
    # The embedded broker lives in the process that runs every service, so its readers are known: all that listen.
    readers: dict[str, list[str]] = {}
    for name in OWNERS:
        for topic in registry.topics_heard_by(name):
            readers.setdefault(topic, []).append(name)
    cluster = cluster_of(settings)
    return Kafka(address=cluster, embedded=embedded, probe=Probe(cluster), readers=readers)


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
        except Exception:
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


def _one(name: str) -> None:
    settings = command.read_settings()
    log.configure(settings.log)
    if "embedded" in {settings.database, settings.kafka}:
        raise command.fail(
            f"`tidings {name}` runs one service beside others, so it needs a PostgreSQL and a Kafka that they share. "
            "Set TIDINGS_DATABASE and TIDINGS_KAFKA, or run all of them with `tidings all`."
        )
    failure = command.run(_run_one(name, settings))
    if failure:
        raise command.fail(failure)


async def _run_one(name: str, settings: Settings) -> str:
    ending = ending_by_signal()
    if inbox_wanted(settings):
        say("Mails wait: the demo inbox runs only in `tidings all`. Set TIDINGS_SMTP to a mail server for them to leave.")
    if not settings.data_keys or not (settings.signing_key or settings.verify_keys):
        say(f"tidings {name} uses keys of its own in {settings.var}. Services that run elsewhere need the same ones:")
        say("set TIDINGS_DATA_KEYS (made by `tidings key`) and TIDINGS_VERIFY_KEYS for all of them, TIDINGS_SIGNING_KEY for desk alone")
        say("(both made by `tidings key --signing`).")
    with closing(open_port(settings.host, settings.port)) as web:
        parts = command.parts_of(settings.model_copy(update={"port": web.getsockname()[1]}))

        async def announce(process: Process) -> None:
            say(f"tidings {name} answers at {process.address}")

        process = await serve(_built([name], parts), parts, _kafka(settings, embedded=False), web, ending, announce)
        return process.failure


@app.command("demo-parts")
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
            [inbox.build(parts, rehearsal.inbox, networks)], parts, _kafka(settings, embedded=False), web, ending, announce
        )
        return process.failure


def _add_service(name: str) -> None:
    def one() -> None:
        _one(name)

    one.__doc__ = f"Run the service {name}: web, consumers, relay, jobs."
    app.command(name)(one)


for _name in BUILDS:
    _add_service(_name)


app.command("demo")(demo_command.demo)
app.command("sender")(newsletter_command.sender)
app.command("why")(newsletter_ledger.why)
app.command("reconcile")(newsletter_ledger.reconcile)
UNDECIDED = (
    *(("newsletter", one) for one in newsletter_examining.UNDECIDED),
    *(("social", one) for one in social_examining.UNDECIDED),
)
"""What waits for a person's word in tables of services' own."""
app.command("doctor")(doctor_command(OWNERS, social_examining.questions, UNDECIDED, inbox_wanted))
app.command("backup")(backup_command(OWNERS))
app.command("restore")(restore_command(AFTER_RESTORE))


@app.command()
def migrate(*, as_json: AsJson = False) -> None:
    """Bring all schemas to the newest version; safe to run twice and from several places at once."""
    settings = command.found_settings()
    command.run(_migrate(settings))
    if as_json:
        print_json({"migrated": OWNERS})
        return
    say(f"The schemas of {', '.join(OWNERS)} are at their newest version.")


async def _migrate(settings: Settings) -> None:
    await _migrate_schemas(settings.database)
    try:
        await roles.grant(settings.database, {name: database_of(settings, name) for name in OWNERS})
    except roles.RightsError as error:
        raise CommandError(str(error)) from error


async def _migrate_schemas(url: str) -> None:
    try:
        await migrate_schemas(url, OWNERS)
    except BusyError as error:
        raise CommandError(str(error)) from error


@app.command()
def key(
    *,
    signing: Annotated[bool, typer.Option("--signing", help="Make the pair that signs and reads tokens, as two settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a new key for TIDINGS_DATA_KEYS, or with --signing the pair TIDINGS_SIGNING_KEY and TIDINGS_VERIFY_KEYS."""
    pair = new_key_pair()
    made = {"TIDINGS_SIGNING_KEY": pair.private, "TIDINGS_VERIFY_KEYS": pair.public} if signing else {"key": new_key()}
    if as_json:
        print_json(made)
        return
    for name, value in made.items():
        typer.echo(f"{name}={value}" if signing else value)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
