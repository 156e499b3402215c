"""`tidings import subscribers`: a list from elsewhere, judged row by row and taken in as a whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.newsletter.addresses import Shelf
from services.newsletter.subscribing import importing
from services.newsletter.subscribing.importing import COLUMNS, Judged, MovedError, Plan, Reason, Verdict
from shared import command, sheets
from shared.command import AsJson, CommandError, print_json, print_table, say
from shared.db import Database
from shared.parts import Parts

# More lines than this nobody reads in a terminal; `--json` gives them all.
ROWS_SHOWN = 100
TRIES = 3

WORDS = {
    Reason.MISSING: "is missing",
    Reason.NOT_AN_ADDRESS: "is no address that a mail can be sent to",
    Reason.NOT_A_LANGUAGE: "is none of en, fr, es, ar, ru, zh",
    Reason.NOT_A_STATE: "is none of confirmed, unsubscribed, suppressed",
    Reason.NOT_A_DATE: "is no date; write it like 2026-01-31",
    Reason.NO_OFFSET: "has an hour without its offset; write it like 2026-01-31T09:00:00+01:00, or the day alone",
    Reason.IN_FUTURE: "lies in the future",
    Reason.TOO_OLD: "is more than two years ago; with --historic it is taken all the same",
    Reason.TOO_LONG: f"has more than {importing.SOURCE_MAX_CHARACTERS} characters",
    Reason.CONTRADICTS: "is another than the same address has in this file, on line {line}",
    Reason.DUPLICATE: "stands in this file before, on line {line}",
    Reason.UNSUBSCRIBED: "has unsubscribed",
    Reason.ERASED: "was erased at its owner's wish",
    Reason.COMPLAINT: "has complained about a mail of ours",
    Reason.DEAD: "reaches nobody",
    Reason.REQUEST: "belongs to somebody who asked us never to write",
    Reason.CONFIRMED_HERE: "has subscribed by a link of ours since; unsubscribe it by hand if that is what is meant",
}


@dataclass(frozen=True, kw_only=True)
class _Asked:
    file: Path
    dry_run: bool
    historic: bool


def subscribers(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX with the columns address, language, consent_at, consent_source and state.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Give the verdicts and change nothing.")] = False,
    historic: Annotated[bool, typer.Option("--historic", help="Take consents that are more than two years old too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in subscribers from a list, all of it or, where one row is wrong, nothing."""
    asked = _Asked(file=file, dry_run=dry_run, historic=historic)
    plan = command.run(_import(command.parts_of(command.found_settings()), asked))
    if as_json:
        print_json(_json(plan, asked))
    else:
        _show(plan, asked)
    if plan.refused:
        raise typer.Exit(1)


async def _import(parts: Parts, asked: _Asked) -> Plan:
    database = parts.database("newsletter")
    try:
        for _ in range(TRIES):
            try:
                return await _once(parts, database, asked)
            except MovedError:
                continue
            except sheets.SheetError as error:
                raise CommandError(str(error)) from error
        raise CommandError("Subscribers kept changing while the list was taken in; nothing of it was kept. Try again at a quieter hour.")
    finally:
        await database.close()


async def _once(parts: Parts, database: Database, asked: _Asked) -> Plan:
    book = await Shelf(database, parts.vault).book()
    # Read before the transaction begins: a database lets none rest for long, and this takes seconds where the list is long.
    entries = importing.read(book, sheets.read(asked.file, COLUMNS), zone=parts.settings.timezone, historic=asked.historic)
    async with database.transaction() as tx:
        plan = await importing.plan(tx, entries)
        if not asked.dry_run:
            await importing.carry_out(tx, book, plan)
    return plan


def _words(one: Judged) -> str:
    return "" if one.reason is None else WORDS[one.reason].format(line=one.first_line)


def _json(plan: Plan, asked: _Asked) -> dict[str, object]:
    return {
        "file": str(asked.file),
        "dry_run": asked.dry_run,
        "imported": not (plan.refused or asked.dry_run),
        "rows": len(plan.judged),
        "counts": dict(plan.counts),
        "verdicts": [
            {"line": one.line, "verdict": one.verdict, "field": one.field, "code": one.reason or "", "reason": _words(one)}
            for one in plan.judged
        ],
    }


def _show(plan: Plan, asked: _Asked) -> None:
    refused = [one for one in plan.judged if one.verdict is Verdict.REFUSED]
    remarked: Sequence[Judged] = [*refused, *(one for one in plan.judged if one.verdict is Verdict.LEFT_OUT)]
    if remarked:
        shown = [
            {"line": one.line, "verdict": one.verdict.value, "field": one.field, "reason": _words(one)} for one in remarked[:ROWS_SHOWN]
        ]
        print_table(["line", "verdict", "field", "reason"], shown)
    if len(remarked) > ROWS_SHOWN:
        say(f"… and {len(remarked) - ROWS_SHOWN} more; --json gives them all.")
    say(", ".join(f"{verdict.value} {count}" for verdict, count in plan.counts.items()))
    if refused:
        say(f"{len(refused)} of {len(plan.judged)} rows are wrong, so nothing was imported. Mend them or take them out, and import again.")
    elif asked.dry_run:
        say("A dry run: nothing was changed.")
