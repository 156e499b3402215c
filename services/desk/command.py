"""`tidings person`, `tidings token` and `tidings audit`, and the sign-in links that `tidings all` prints."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Annotated, TypedDict, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from services.desk import store, trail
from services.desk.domain import (
    API_TOKEN_DAYS,
    API_TOKEN_DAYS_MAX,
    PRINTED_LINK_LASTS,
    DeskError,
    DisabledError,
    StoredPerson,
    UnknownPersonError,
)
from services.desk.links import START, address_of
from shared import command
from shared.auth.cookies import SIGN_IN
from shared.auth.require import STAFF
from shared.auth.tokens import Kind
from shared.command import AsJson, CommandError, print_json, say
from shared.db import Transaction
from shared.events.codes import LANGUAGES, Language, Role
from shared.events.kinds.parts import MailAddress
from shared.events.texts import Line
from shared.parts import Parts
from shared.web.addresses import on_loopback

_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)
_NAME: TypeAdapter[str] = TypeAdapter(Line)
_LANGUAGE: TypeAdapter[Language] = TypeAdapter(Language)
ROLES = tuple(role for role in Role if role in STAFF)

Mail = Annotated[str, typer.Argument(help="The person's mail address.", metavar="EMAIL")]

person = typer.Typer(no_args_is_help=True, help="People who work here.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens for programs.")
audit = typer.Typer(no_args_is_help=True, help="The trail of what people decided.")

T = TypeVar("T")


@person.command("add")
def add_person(
    mail: Mail,
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; several times for several.")],
    language: Annotated[list[str] | None, typer.Option(help="A language that they work in; several times for several.")] = None,
    name: Annotated[str, typer.Option(help="Name to show; without it, what stands before the @.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Make a person; prints a link that signs them in once, within 24 hours."""
    address = _mail(mail)
    roles = [Role(_word(one, ROLES, "--role")) for one in role]
    languages: list[Language] = [_LANGUAGE.validate_python(_word(one, LANGUAGES, "--language")) for one in language or ()]
    try:
        shown = _NAME.validate_python(name or address.partition("@")[0])
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--name") from error

    async def add(tx: Transaction) -> StoredPerson:
        return await store.add_person(tx, mail=address, name=shown, roles=roles, languages=languages)

    parts = command.parts_of(command.found_settings())
    _show_link(command.run(_link(parts, add)), as_json=as_json)


@person.command("link")
def link_person(mail: Mail, *, as_json: AsJson = False) -> None:
    """Print a new link for somebody who is there already; it signs them in once, within 24 hours."""
    address = _mail(mail)

    async def find(tx: Transaction) -> StoredPerson:
        return await _known(tx, address)

    parts = command.parts_of(command.found_settings())
    _show_link(command.run(_link(parts, find)), as_json=as_json)


@token.callback()
def _group() -> None:
    """Keep `add` a sub-command though it is the only one."""


@token.command("add")
def add_token(
    mail: Mail,
    days: Annotated[int, typer.Option(min=1, max=API_TOKEN_DAYS_MAX, help="How long it is good for.")] = API_TOKEN_DAYS,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a bearer token with which a program does what this person may; it ends early when the person loses a role or is disabled."""
    parts = command.parts_of(command.found_settings())
    text, who = command.run(_token(parts, _mail(mail), days))
    if as_json:
        print_json({"token": text, "person": who.id, "roles": who.roles, "days": days})
        return
    say(f"For programs of {who.name}, for {days} days, with the roles {', '.join(who.roles)}; not shown again:")
    typer.echo(text)


async def sign_in_lines(parts: Parts, *, loopback: bool) -> Sequence[str]:
    """Return what `tidings all` prints about signing in.

    `loopback`: nobody else reaches this. Then a system without people gets three of trial runs, and each of them a link at every
    start; elsewhere nothing is printed that lets somebody in.
    """
    demo = loopback and on_loopback(parts.public_url)
    database = parts.database("desk")
    try:
        async with database.transaction() as tx:
            everybody = await store.list_people(tx)
            if demo and not everybody:
                everybody = [await store.add_person(tx, demo=True, **wanted) for wanted in _DEMO]
            active = [one for one in everybody if one.active]
            links = [(one, await store.add_link(tx, one.id, wanted=START, lasts=PRINTED_LINK_LASTS)) for one in active if demo and one.demo]
    finally:
        await database.close()
    lines = []
    if links:
        lines.append("Sign in by a link; each works once, for 24 hours:")
        lines += [f"  {one.name:<28}{address_of(parts.public_url, secret)}" for one, secret in links]
    if not any(one.is_admin for one in active):
        lines.append("Nobody can manage people yet. Make the first admin: tidings person add name@example.org --role admin")
    elif not links:
        lines.append(f"Sign in at:     {parts.public_url}{SIGN_IN}")
    return lines


class _Demo(TypedDict):
    mail: str
    name: str
    roles: Sequence[Role]
    languages: Sequence[Language]


# Two with every role that changes something, because nobody may approve their own work; and one who only reads.
_DOERS = (Role.DRAFTER, Role.APPROVER, Role.MODERATOR, Role.OPERATOR, Role.ADMIN)
_DEMO: Sequence[_Demo] = (
    {"mail": "alex@example.org", "name": "Alex (every role)", "roles": _DOERS, "languages": ("en", "fr")},
    {"mail": "noor@example.org", "name": "Noor (every role, too)", "roles": _DOERS, "languages": ("en", "ar")},
    {"mail": "sam@example.org", "name": "Sam (auditor)", "roles": (Role.AUDITOR,), "languages": ("en", "es")},
)


@audit.command("verify")
def verify_audit(
    head: Annotated[str, typer.Option(help="Hash that an earlier check printed: shows whether the end was cut off since.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Check that no decision was changed or taken out; ends with 1 and names the first row that does not hold."""
    verdict = command.run(_on_trail(lambda tx: trail.verify(tx, head)))
    if as_json:
        print_json({"rows": verdict.rows, "head": verdict.head, "broken": asdict(verdict.broken) if verdict.broken else None})
    if verdict.broken is not None:
        raise command.fail(f"Row {verdict.broken.number} of the audit trail does not hold: {verdict.broken.why}. {verdict.rows} rows hold.")
    if not as_json:
        say(f"The audit trail holds: {verdict.rows} rows. Note this hash elsewhere, for `tidings audit verify --head`:")
        typer.echo(verdict.head)


@audit.command("export")
def export_audit() -> None:
    """Print the whole trail as JSON, the first row first."""
    print_json(command.run(_on_trail(trail.export)))


async def _on_trail(ask: Callable[[Transaction], Awaitable[T]]) -> T:
    database = command.parts_of(command.found_settings()).database("desk")
    try:
        async with database.transaction() as tx:
            return await ask(tx)
    finally:
        await database.close()


@dataclass(frozen=True, kw_only=True)
class _Printed:
    """A person with the address that signs them in."""

    person: StoredPerson
    address: str = field(repr=False)


async def _link(parts: Parts, who: Callable[[Transaction], Awaitable[StoredPerson]]) -> _Printed:
    database = parts.database("desk")
    try:
        async with database.transaction() as tx:
            person = await who(tx)
            secret = await store.add_link(tx, person.id, wanted=START, lasts=PRINTED_LINK_LASTS)
    except DeskError as error:
        raise CommandError(str(error)) from error
    finally:
        await database.close()
    return _Printed(person=person, address=address_of(parts.public_url, secret))


async def _token(parts: Parts, mail: str, days: int) -> tuple[str, StoredPerson]:
    if parts.signer is None:
        raise CommandError("This needs the key that signs tokens: run it where desk runs, with its TIDINGS_SIGNING_KEY.")
    database = parts.database("desk")
    try:
        async with database.transaction() as tx:
            person = await _known(tx, mail)
    except DeskError as error:
        raise CommandError(str(error)) from error
    finally:
        await database.close()
    return parts.signer.sign(person.as_person, kind=Kind.API, valid_for=timedelta(days=days), address=person.mail), person


async def _known(tx: Transaction, mail: str) -> StoredPerson:
    found = await store.person_by_mail(tx, mail)
    if found is None:
        raise UnknownPersonError(UnknownPersonError.__doc__)
    if not found.active:
        raise DisabledError(DisabledError.__doc__)
    return found


def _show_link(printed: _Printed, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": printed.person.id, "address": printed.address})
        return
    say(f"{printed.person.name} signs in here, once, within 24 hours:")
    typer.echo(printed.address)


def _mail(text: str) -> str:
    try:
        return _MAIL.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="EMAIL") from error


def _word(given: str, words: Sequence[str], hint: str) -> str:
    if given not in words:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(words)}", param_hint=hint)
    return given
