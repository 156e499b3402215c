"""`tidings why` and `tidings reconcile`: what became of one copy, and of those of which nobody could know."""

import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO
from uuid import UUID

import typer
from sqlalchemy import text

from services.newsletter.addresses import Shelf
from services.newsletter.sending import evidence, ledger
from services.newsletter.sending.evidence import Evidence, EvidenceError, Found
from services.newsletter.sending.ledger import Settled
from services.newsletter.sending.rules import AudienceState, message_id
from services.newsletter.subscribing import subscribers
from services.newsletter.subscribing import why as explaining
from services.newsletter.subscribing.why import Facts
from shared import clock, command, i18n
from shared.command import AsJson, CommandError, print_json, print_table, say
from shared.db import Transaction
from shared.mail.address import AddressError, checked
from shared.parts import Parts

RELAY = "relay"
"""The reason of a copy that the relay's log shows as refused."""


def why(
    address: Annotated[str, typer.Argument(help="The reader's whole mail address.")],
    issue: Annotated[str, typer.Argument(help="The issue, by its number or its id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say why somebody did or did not get an issue: from subscribers, audience, attempts, pauses and receipts."""
    try:
        wanted = checked(address)
    except AddressError as error:
        raise typer.BadParameter(str(error)) from error
    parts = command.parts_of(command.found_settings())
    issue_id, known = command.run(_facts(parts, wanted, issue))
    sentences = [explaining.in_words(i18n.DEFAULT, parts.settings.timezone, said) for said in explaining.explain(known)]
    if as_json:
        print_json(_json(known, issue_id, sentences))
        return
    for sentence in sentences:
        typer.echo(sentence)
    if known.receipts:
        say()
        say("What they did, latest first:")
        rows = [{"at": clock.rfc3339(one.at), "act": one.act, "by way of": one.source, "language": one.language} for one in known.receipts]
        print_table(["at", "act", "by way of", "language"], rows)


async def _facts(parts: Parts, address: str, issue: str) -> tuple[UUID, Facts]:
    database = parts.database("newsletter")
    try:
        book = await Shelf(database, parts.vault).book()
        async with database.transaction() as tx:
            issue_id = await _issue(tx, issue)
            row = await subscribers.by_hash(tx, book.hash(address))
            return issue_id, await explaining.facts(tx, row.id if row is not None else None, issue_id)
    finally:
        await database.close()


async def _issue(tx: Transaction, named: str) -> UUID:
    """Return the id of an issue that was named by its number, such as 2026-06, or by its id."""
    try:
        return UUID(named)
    except ValueError:
        pass
    found = None
    if (await tx.execute(text("SELECT to_regclass('issues') IS NOT NULL"))).scalar_one():
        found = (await tx.execute(text("SELECT id FROM issues WHERE number = :number"), {"number": named})).scalar_one_or_none()
    if found is None:
        raise CommandError(f"There is no issue {named}. Name it by its number, such as 2026-06, or by its id.")
    return UUID(str(found))


def _json(known: Facts, issue_id: UUID, sentences: Sequence[str]) -> Mapping[str, object]:
    row, receipts = known.row, known.receipts
    return {
        "issue": issue_id,
        "subscriber": None if known.subscriber is None else known.subscriber.id,
        "subscriber_state": None if known.subscriber is None else known.subscriber.state,
        "issue_state": None if known.send is None else known.send.state,
        "state": None if row is None else row.state,
        "reason": None if row is None else row.reason,
        "said": sentences,
        "attempts": [
            {"at": one.at, "outcome": one.outcome, "phase": one.phase, "code": one.code, "reply": one.reply, "queue_id": one.queue_id}
            for one in known.attempts
        ],
        "receipts": [
            {name: getattr(one, name) for name in ("at", "act", "source", "by", "language", "version", "words", "note", "given_at")}
            for one in receipts
        ],
    }


def reconcile(
    file: Annotated[Path, typer.Argument(help="A log of Postfix, also as .gz, or a CSV with the columns message_id and outcome.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be settled and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Settle copies of which nobody could know whether the mail server took them, by its own log. Nothing is ever sent again."""
    found = command.run(_reconcile(command.parts_of(command.found_settings()), file, dry_run=dry_run))
    counts = Counter(str(one["outcome"]) for one in found)
    if as_json:
        print_json({"file": str(file), "dry_run": dry_run, "counts": counts, "copies": found})
        return
    if found:
        print_table(["issue", "message_id", "outcome", "line"], found)
    say(f"accepted {counts['accepted']}, refused {counts['refused']}, still uncertain {counts['uncertain']}")
    if dry_run:
        say("A dry run: nothing was changed.")


async def _reconcile(parts: Parts, file: Path, *, dry_run: bool) -> Sequence[Mapping[str, object]]:
    try:
        with _opened(file) as lines:
            said = evidence.read(lines)
    except EvidenceError as error:
        raise CommandError(f"{file}: {error}") from error
    database = parts.database("newsletter")
    settled: list[Mapping[str, object]] = []
    try:
        async with database.transaction() as tx:
            for row in await ledger.all_uncertain(tx):
                name = message_id(row.issue_id, row.subscriber_id, parts.outgoing.domain)
                shown = said.get(name.strip("<>").partition("@")[0])
                if shown is not None and not dry_run and not await ledger.settle(tx, _settled(row, name, shown)):
                    continue  # its own sender has told meanwhile
                outcome = "uncertain" if shown is None else shown.found.value
                settled.append({"issue": row.issue_id, "message_id": name, "outcome": outcome, "line": shown.line if shown else ""})
    finally:
        await database.close()
    return settled


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8-sig", errors="replace")
    return file.open(encoding="utf-8-sig", errors="replace")


def _settled(row: Any, name: str, shown: Evidence) -> Settled:
    accepted = shown.found is Found.ACCEPTED
    return Settled(
        issue_id=row.issue_id,
        subscriber_id=row.subscriber_id,
        epoch=row.epoch,
        state=AudienceState.ACCEPTED if accepted else AudienceState.REFUSED,
        reason="" if accepted else RELAY,
        code=shown.code,
        reply=shown.reply,
        queue_id=shown.queue_id,
        message_id=name,
    )
