"""`tidings partner`, and the first steps that `tidings all` prints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from services.intake.store import partners
from services.intake.webhooks import snippets
from shared import clock, command, outbox
from shared.command import AsJson, print_json, say
from shared.db import Database
from shared.events.every import DecisionMade
from shared.events.kinds.parts import MailAddress
from shared.events.kinds.practice import PracticeSubmission
from shared.events.texts import Line
from shared.parts import Parts
from shared.trace import Cause
from shared.vault import SealError, Vault
from shared.web.addresses import on_loopback

_NAME: TypeAdapter[str] = TypeAdapter(Line)
_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)

DEMO_NAME = "Example City"
DEMO_CONTACT = "partner@example.org"

app = typer.Typer(no_args_is_help=True, help="Partners, who send by signed webhook.")


@app.callback()
def _group() -> None:
    """Keep `add` a sub-command though it is the only one."""


@app.command()
def add(
    name: str,
    contact: Annotated[str, typer.Option(help="Mail address of the person to ask about what they send.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a partner; prints the webhook address and the first secret, which is shown this once."""
    try:
        name, contact = _NAME.validate_python(name), _MAIL.validate_python(contact)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error
    parts = command.parts_of(command.found_settings())
    new = command.run(_add(parts, name, contact))
    address = door_of(parts.public_url, new)
    if as_json:
        print_json({"id": new.id, "address": address, "secret": new.secret})
        return
    say(f"Partner {name} may send to:")
    typer.echo(address)
    say("signed with this secret, which is not shown again:")
    typer.echo(new.secret)
    say(f"How to send: {parts.public_url}/intake/catalogue")


async def _add(parts: Parts, name: str, contact: str) -> partners.NewPartner:
    database = parts.database("intake")
    try:
        async with database.transaction() as tx:
            made = await partners.add_partner(tx, parts.vault, name=name, contact=contact)
            page = f"{parts.public_url}/intake/partners/{made.id}"
            said = DecisionMade(who="tidings partner", what="add", about="partner", title={"en": name}, address=page)
            await outbox.put(tx, said, subject=str(made.id), cause=Cause.start())
            return made
    finally:
        await database.close()


def door_of(public_url: str, partner: object) -> str:
    """Return the webhook address of a partner."""
    return f"{public_url}/intake/webhooks/{getattr(partner, 'id', partner)}"


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    """The partner of trial runs."""

    id: UUID
    secret: str = field(repr=False)


async def demo_partner(database: Database, vault: Vault) -> DemoPartner:
    """Return the partner of trial runs with a secret that works; the same each time, made where it is missing."""
    async with database.transaction() as tx:
        await partners.add_demo_partner(tx, vault, name=DEMO_NAME, contact=DEMO_CONTACT)
        found = await partners.demo_partner_of(tx)
        assert found is not None
        for key in await partners.keys_of(tx, found.id):
            if key.revoked_at is None and key.kind == "secret":
                try:
                    return DemoPartner(id=found.id, secret=vault.open(key.sealed).decode())
                except SealError:  # the data keys of an earlier run are gone
                    continue
        return DemoPartner(id=found.id, secret=await partners.add_secret(tx, vault, found.id))


async def first_steps(parts: Parts) -> Sequence[str]:
    """Return lines that let a person send a first webhook: the partner of trial runs and a line for the shell.

    None where others reach this: a partner whose secret is printed at every start is for one's own machine alone.
    """
    if not on_loopback(parts.public_url):
        return []
    database = parts.database("intake")
    try:
        partner = await demo_partner(database, parts.vault)
    finally:
        await database.close()
    body = {"type": PracticeSubmission.type, "timestamp": clock.now().isoformat(timespec="seconds"), "data": PracticeSubmission.example}
    sample = snippets.Sample(address=door_of(parts.public_url, partner), example=body, secret=partner.secret)
    return [
        f"Trial partner:  {sample.address}",
        "Send a practice from another terminal:",
        "",
        snippets.curl_line(sample),
        "",
    ]
