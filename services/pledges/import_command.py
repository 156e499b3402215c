"""`tidings import pledges` and `tidings import champions`: lists from elsewhere, judged row by row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from services.pledges import importing
from services.pledges.domain.champion_rows import champion_of
from services.pledges.domain.rows import Refused
from services.pledges.importing import COLUMNS, Import, Judged, Outcome, RowVerdict, read
from services.pledges.letters import sealed_contact
from services.pledges.store import champions
from services.pledges.store.champions import Champion
from shared import command, i18n, reference, sheets
from shared.command import AsJson, CommandError, print_json, print_table, say
from shared.parts import Parts
from shared.settings import Settings
from shared.sheets import SheetRow, text_of

# More lines than this nobody reads in a terminal; `--json` gives them all.
ROWS_SHOWN = 100

WORDS = {
    "description-too-short": "The description has {length} characters; at least {n} are required.",
    "description-too-long": "The description has {length} characters; at most {n} are taken.",
    "unknown-kind": "The kind '{kind}' is not one of {kinds}.",
    "objective-out-of-range": "Objective {number} does not exist; the objectives run from 1 to 23.",
    "matching-without-matched-id": "A matching pledge must name the identifier of the pledge it matches.",
    "due-before-start": "The due date, {due}, comes before the start date, {start}.",
    "refugees-only": "The pledge covers refugees only; the initiative takes pledges for migrants under the GCM.",
    "synthetic-in-service": "Invented sample data is taken only where Tidings runs with its demo parts.",
    "duplicate": "The same identifier stands in this file before, on line {first_line}.",
    "in-future": "{day} lies in the future.",
    "out-of-order": "{day} comes before the day that stands before it.",
    "differs-from-updates": "It differs from the last of the updates, {last}.",
    "unknown-state": "The state is none of {states}.",
    "unknown-pledge": "No pledge has the number or the identifier {name}, on the register or among the good rows of this file.",
    "withdrawn": "The pledge was withdrawn here; nothing of it changes any more.",
    "unknown-mark": "It is none of {marks}.",
}
"""What is wrong, for whoever looks at a line of a file."""

CHAMPION_COLUMNS: Mapping[str, Sequence[str]] = {
    "country": ("country", "iso_alpha2", "code"),
    "since": ("since",),
    "seen": ("seen",),
    "until": ("until",),
    "source": ("source",),
    "verified": ("verified",),
    "note": ("note",),
}

CHAMPIONS = Path(reference.__file__).parent / "data" / "champions.csv"
SAMPLES = Path(__file__).parent / "samples" / "pledges-sample.csv"
"""The lists that come with Tidings: what was found of champion countries, and pledges that nobody made."""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Give the verdicts and change nothing.")]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    file: Path
    dry_run: bool
    historic: bool = False
    skip_refused: bool = False


def pledges_command(rehearses: Callable[[Settings], bool]) -> Callable[..., None]:
    """Return the command; `rehearses` says whether a system with these settings runs with demo parts, and may hold invented pledges."""

    def pledges(
        file: Annotated[Path, typer.Argument(help="CSV or XLSX with the columns of pledges-sample.csv; the first is id.")],
        *,
        dry_run: DryRun = False,
        historic: Annotated[bool, typer.Option("--historic", help="They are of the past: no draft, item or notice follows.")] = False,
        skip_refused: Annotated[bool, typer.Option("--skip-refused", help="Take the good rows though others are wrong.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Take in pledges from a list, all of it or, where one row is wrong, nothing; the same row twice changes nothing."""
        asked = _Asked(file=file, dry_run=dry_run, historic=historic, skip_refused=skip_refused)
        settings = command.found_settings()
        outcome = command.run(_pledges(command.parts_of(settings), asked, rehearsing=rehearses(settings)))
        if as_json:
            print_json(_json(outcome, asked))
        else:
            _show(outcome, asked)
        if outcome.refused and not skip_refused:
            raise typer.Exit(1)

    return pledges


async def _pledges(parts: Parts, asked: _Asked, *, rehearsing: bool) -> Outcome:
    database = parts.database("pledges")
    how = Import(
        public_url=parts.public_url,
        seal=lambda name, mail: sealed_contact(parts.vault, name, mail),
        historic=asked.historic,
        skip_refused=asked.skip_refused,
        dry_run=asked.dry_run,
    )
    try:
        # Read before the transaction begins: a database lets none rest for long.
        entries, wrong = read(sheets.read(asked.file, COLUMNS), rehearsing=rehearsing)
        async with database.transaction() as tx:
            return await importing.take_in(tx, entries, wrong, how)
    except sheets.SheetError as error:
        raise CommandError(str(error)) from error
    finally:
        await database.close()


def champions_command(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX with the columns country, since, seen, until, source, verified and note.")],
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in champion countries from a list, each with its source; all of it or, where one row is wrong, nothing."""
    asked = _Asked(file=file, dry_run=dry_run)
    outcome = command.run(_champions(command.parts_of(command.found_settings()), asked))
    if as_json:
        print_json(_json(outcome, asked))
    else:
        _show(outcome, asked)
    if outcome.refused:
        raise typer.Exit(1)


async def _champions(parts: Parts, asked: _Asked) -> Outcome:
    database = parts.database("pledges")
    try:
        rows = list(sheets.read(asked.file, CHAMPION_COLUMNS))
        async with database.transaction() as tx:
            known = {one.country: one for one in await champions.listing(tx)}
            found = [(row, _champion(row)) for row in rows]
            outcome = _judged_champions(found, known, asked)
            if outcome.kept:
                await champions.keep(tx, [one for _, one in found if isinstance(one, Champion)])
            return outcome
    except sheets.SheetError as error:
        raise CommandError(str(error)) from error
    finally:
        await database.close()


async def take_own_lists(parts: Parts) -> None:
    """Take in the champions of the reference data and the invented sample pledges, as the past; what is there already stays as it is.

    Only for a system with demo parts: sample pledges have no place in any other.
    """
    await _champions(parts, _Asked(file=CHAMPIONS, dry_run=False))
    await _pledges(parts, _Asked(file=SAMPLES, dry_run=False, historic=True, skip_refused=True), rehearsing=True)


def _champion(row: SheetRow) -> Champion | Refused:
    try:
        return Champion(**champion_of({name: text_of(row.cells.get(name)) for name in CHAMPION_COLUMNS}))  # type: ignore[arg-type]
    except Refused as refused:
        return refused


def _judged_champions(found: Sequence[tuple[SheetRow, Champion | Refused]], known: Mapping[str, Champion], asked: _Asked) -> Outcome:
    judged: list[Judged] = []
    lines: dict[str, int] = {}
    for row, one in found:
        key = text_of(row.cells.get("country"))
        if isinstance(one, Champion) and (first := lines.setdefault(one.country, row.line)) != row.line:
            one = Refused("country", "duplicate", {"first_line": first})  # noqa: PLW2901  # a second row of the same country is a wrong one
        if isinstance(one, Refused):
            judged.append(Judged(line=row.line, import_key=key, verdict=RowVerdict.REFUSED, refused=one))
            continue
        before = known.get(one.country)
        verdict = RowVerdict.ADDED if before is None else RowVerdict.UNCHANGED if before == one else RowVerdict.CHANGED
        judged.append(Judged(line=row.line, import_key=one.country, verdict=verdict))
    return Outcome(judged=judged, kept=not asked.dry_run and not any(one.refused for one in judged))


def _words(one: Judged) -> str:
    if one.refused is None:
        return ""
    if one.refused.key:
        return i18n.translate(i18n.DEFAULT, one.refused.key, **{str(name): value for name, value in one.refused.params.items()})
    return WORDS[one.code].format(**one.refused.params)


def _json(outcome: Outcome, asked: _Asked) -> dict[str, object]:
    return {
        "file": str(asked.file),
        "dry_run": asked.dry_run,
        "imported": outcome.kept,
        "rows": len(outcome.judged),
        "counts": dict(outcome.counts),
        "verdicts": [
            {
                "line": one.line,
                "id": one.import_key,
                "verdict": one.verdict,
                "number": one.number,
                "field": one.field,
                "code": one.code,
                "reason": _words(one),
            }
            for one in outcome.judged
        ],
    }


def _show(outcome: Outcome, asked: _Asked) -> None:
    remarked = [one for one in outcome.judged if one.refused is not None]
    if remarked:
        shown = [
            {"line": one.line, "id": one.import_key, "verdict": one.verdict.value, "field": one.field, "reason": _words(one)}
            for one in remarked[:ROWS_SHOWN]
        ]
        print_table(["line", "id", "verdict", "field", "reason"], shown)
    if len(remarked) > ROWS_SHOWN:
        say(f"… and {len(remarked) - ROWS_SHOWN} more; --json gives them all.")
    say(", ".join(f"{verdict.value} {count}" for verdict, count in outcome.counts.items()))
    if asked.dry_run:
        say("A dry run: nothing was changed.")
    elif not outcome.kept:
        say(f"{outcome.refused} of {len(outcome.judged)} rows are wrong, so nothing was imported. Mend them or take them out.")
