"""`tidings import workplan` and `tidings import observances`: lists of dates, judged row by row and taken in as a whole or not at all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.calendar import importing
from services.calendar.domain.sheets import Judged, Verdict
from services.calendar.importing import Sheet
from services.calendar.planning import Planning
from shared import command, sheets
from shared.command import AsJson, CommandError, print_json, print_table, say
from shared.parts import Parts

File = Annotated[Path, typer.Argument(help="CSV or XLSX whose first line names the columns.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Give the verdicts and change nothing.")]
Historic = Annotated[bool, typer.Option("--historic", help="Take all of it as the past: no draft, item or notice comes of it.")]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    sheet: Sheet
    file: Path
    dry_run: bool
    historic: bool


def workplan(file: File, *, dry_run: DryRun = False, historic: Historic = False, as_json: AsJson = False) -> None:
    """Take in the activities of the work plan, all of them or, where one row is wrong, nothing."""
    _take(_Asked(sheet=Sheet.WORKPLAN, file=file, dry_run=dry_run, historic=historic), as_json=as_json)


def observances(file: File, *, dry_run: DryRun = False, historic: Historic = False, as_json: AsJson = False) -> None:
    """Take in named days and meetings, all of them or, where one row is wrong, nothing; yearly ones for this year and the next too."""
    _take(_Asked(sheet=Sheet.OBSERVANCES, file=file, dry_run=dry_run, historic=historic), as_json=as_json)


def _take(asked: _Asked, *, as_json: bool) -> None:
    judged = command.run(_import(command.parts_of(command.found_settings()), asked))
    if as_json:
        print_json(_json(judged, asked))
    else:
        _show(judged, asked)
    if not importing.was_imported(judged):
        raise typer.Exit(1)


async def _import(parts: Parts, asked: _Asked) -> Sequence[Judged]:
    try:
        rows = importing.read(asked.sheet, asked.file)
    except sheets.SheetError as error:
        raise CommandError(str(error)) from error
    database = parts.database("calendar")
    planning = Planning(parts.public_url, parts.settings.timezone)
    try:
        async with database.transaction() as tx:
            return await importing.import_rows(tx, planning, asked.sheet, rows, historic=asked.historic, dry_run=asked.dry_run)
    finally:
        await database.close()


async def take_own_lists(parts: Parts) -> None:
    """Take in the lists that come with Tidings, as the past, so that nothing is drafted from them; what is there already stays as it is."""
    database = parts.database("calendar")
    planning = Planning(parts.public_url, parts.settings.timezone)
    try:
        for sheet, path in importing.OWN.items():
            async with database.transaction() as tx:
                await importing.import_rows(tx, planning, sheet, importing.read(sheet, path), historic=True)
    finally:
        await database.close()


def _counts(judged: Sequence[Judged]) -> dict[str, int]:
    counted = Counter(one.verdict for one in judged)
    return {verdict.value: counted[verdict] for verdict in Verdict if counted[verdict]}


def _json(judged: Sequence[Judged], asked: _Asked) -> dict[str, object]:
    return {
        "file": str(asked.file),
        "dry_run": asked.dry_run,
        "imported": importing.was_imported(judged) and not asked.dry_run,
        "rows": len(judged),
        "counts": _counts(judged),
        "verdicts": [
            {"line": one.line, "key": one.key, "verdict": one.verdict, "field": one.field, "code": one.code, "reason": one.reason}
            for one in judged
        ],
    }


def _show(judged: Sequence[Judged], asked: _Asked) -> None:
    remarked = [one for one in judged if one.verdict not in {Verdict.ADDED, Verdict.UNCHANGED}]
    if remarked:
        columns = ["line", "key", "verdict", "field", "reason"]
        print_table(columns, [{name: str(getattr(one, name)) for name in columns} for one in remarked])
    say(", ".join(f"{verdict} {count}" for verdict, count in _counts(judged).items()) or "The file holds no rows.")
    refused = sum(one.verdict is Verdict.REFUSED for one in judged)
    if refused:
        say(f"{refused} of {len(judged)} rows are wrong, so nothing was imported. Mend them or take them out, and import again.")
    elif asked.dry_run:
        say("A dry run: nothing was changed.")
