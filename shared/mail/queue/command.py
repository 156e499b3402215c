"""`tidings mails`: mails to single people that a restore holds, and a person's word on them."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import func, select

from shared import clock, command, outbox
from shared.command import AsJson, print_json, print_table, say
from shared.db import Transaction
from shared.events.codes import Service
from shared.events.every import DecisionMade
from shared.mail.message import message_id_of
from shared.mail.queue import holding
from shared.trace import Cause

app = typer.Typer(
    no_args_is_help=True,
    help="Mails to single people that a restore holds, since they may have left before: see them, release or drop them.",
)

SERVICES = tuple(one.value for one in Service)
BY = "tidings mails"
MOST_LISTED = 10_000
_SHOWN = ("service", "mail_id", "purpose", "since", "until", "message_id")

OneService = Annotated[str | None, typer.Option("--service", help=f"Only this service: {', '.join(SERVICES)}.")]
OneMail = Annotated[UUID | None, typer.Argument(help="The mail; --all in place of it for every one.")]
All = Annotated[bool, typer.Option("--all", help="Every mail that is held.")]

Decide = Callable[[Transaction, UUID | None], Awaitable[int]]


@app.command()
def held(service: OneService = None, *, as_json: AsJson = False) -> None:
    """Show what is held: whether it left between the backup and the restore, only the mail server's log knows."""
    domain = command.parts_of(command.found_settings()).outgoing.domain
    rows = [
        {
            "service": name,
            "mail_id": row.id,
            "purpose": row.purpose,
            "about": row.about,
            "since": clock.rfc3339(row.created_at),
            "until": clock.rfc3339(row.expires_at),
            "message_id": message_id_of(f"mail/{row.id}", domain),
        }
        for name, mails in command.on_each(service, SERVICES, lambda tx: holding.held(tx, MOST_LISTED))
        for row in mails
    ]
    if as_json:
        print_json(rows)
        return
    if rows:
        print_table(_SHOWN, rows)
    say(f"{len(rows)} held. Until its time it waits for `tidings mails release` or `tidings mails drop`; then it ends unsent.")


@app.command()
def release(mail_id: OneMail = None, service: OneService = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Let a mail go that is held. Who got it between the backup and the restore gets it twice."""
    _decide("release", holding.release, mail_id, service, every=every, as_json=as_json)


@app.command()
def drop(mail_id: OneMail = None, service: OneService = None, *, every: All = False, as_json: AsJson = False) -> None:
    """End a mail that is held, unsent, and erase recipient and texts."""
    _decide("drop", holding.drop, mail_id, service, every=every, as_json=as_json)


def _decide(what: str, decide: Decide, mail_id: UUID | None, service: str | None, *, every: bool, as_json: bool) -> None:
    if (mail_id is None) is not every:
        raise typer.BadParameter("name one mail, or --all", param_hint="MAIL_ID")

    async def decided(tx: Transaction) -> int:
        count = await decide(tx, mail_id)
        if count:
            schema = str((await tx.execute(select(func.current_schema()))).scalar_one())
            title = {"en": f"{schema}: {count} held {'mail' if count == 1 else 'mails'}"}
            said = DecisionMade(who=BY, what=what, about="mail", title=title)
            await outbox.put(tx, said, subject=str(mail_id or schema), cause=Cause.start())
        return count

    found = command.on_each(service, SERVICES, decided)
    count = sum(done for _, done in found)
    if mail_id is not None and not count:
        raise command.fail(f"No mail {mail_id} is held. `tidings mails held` shows those that are.")
    if as_json:
        print_json({"done": count, "services": [name for name, done in found if done]})
        return
    say(f"{count} {'mail' if count == 1 else 'mails'}: {what}.")
