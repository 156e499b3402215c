"""The work plan and the named days, taken in from lists: every row gets its verdict, and either the whole list is taken in or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import text

from services.calendar.domain import yearly
from services.calendar.domain.dates import Description, StoredDate
from services.calendar.domain.sheets import Activity, Judged, Observance, SheetRow, Verdict
from services.calendar.planning import Planning, past
from services.calendar.store import dates, imports
from services.calendar.yearly import LOCK, Years
from shared import sheets
from shared.db import Transaction
from shared.events.times import When
from shared.ids import new_id
from shared.trace import Cause

DATA = Path(__file__).parent / "data"


class Sheet(StrEnum):
    """A list that the calendar takes in."""

    WORKPLAN = "workplan"  # activities of the Network's work plan
    OBSERVANCES = "observances"  # named days and meetings


MODELS: Mapping[Sheet, type[SheetRow]] = {Sheet.WORKPLAN: Activity, Sheet.OBSERVANCES: Observance}
OWN: Mapping[Sheet, Path] = {Sheet.WORKPLAN: DATA / "workplan-2021-2022.csv", Sheet.OBSERVANCES: DATA / "observances.csv"}
"""The lists that come with Tidings."""


def read(sheet: Sheet, path: Path) -> Sequence[sheets.SheetRow]:
    """Return the rows of a file; raises SheetError, and OSError where there is no such file."""
    return list(sheets.read(path, {name: (name,) for name in MODELS[sheet].columns}))


async def import_rows(
    tx: Transaction,
    planning: Planning,
    sheet: Sheet,
    rows: Iterable[sheets.SheetRow],
    *,
    historic: bool = False,
    dry_run: bool = False,
) -> Sequence[Judged]:
    """Return what becomes of each row; nothing is taken in where one is refused, or with `dry_run`.

    A row is known again by its key: one that says something else than when it was last taken in moves or corrects its date, one that says
    the same changes nothing, whatever people have changed since. With `historic`, and for what is over, nobody is told news.
    """
    await tx.execute(text(LOCK))
    read_rows, refused = _read(MODELS[sheet], rows)
    known = await imports.rows_of(tx, [row.id for _, row in read_rows])
    found = await dates.of_import(tx, [row.id for _, row in read_rows])
    judged = [_judge(line, row, known.get(row.id), found.get(row.id)) for line, row in read_rows]
    if not refused and not dry_run:
        carrying = _Carrying(planning, historic=historic, cause=Cause.start())
        for one, (_, row) in zip(judged, read_rows, strict=True):
            await carrying.take(tx, one.verdict, row, found.get(row.id))
        if sheet is Sheet.OBSERVANCES:
            await Years(planning).add_missing(tx, planning.today, cause=carrying.cause, historic=historic)
    return sorted([*judged, *refused], key=lambda one: one.line)


def was_imported(judged: Sequence[Judged]) -> bool:
    """Say whether a list is one that is taken in."""
    return all(one.verdict is not Verdict.REFUSED for one in judged)


def _read(model: type[SheetRow], rows: Iterable[sheets.SheetRow]) -> tuple[Sequence[tuple[int, SheetRow]], Sequence[Judged]]:
    good: list[tuple[int, SheetRow]] = []
    refused: list[Judged] = []
    first: dict[str, int] = {}
    for row in rows:
        cells = {name: _cell(value) for name, value in row.cells.items()}
        key = cells.get("id", "")
        try:
            one = model.model_validate(cells)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            field = str(wrong["loc"][0]) if wrong["loc"] else "windows"
            code = "missing" if wrong["input"] in ("", None) else wrong["type"]
            refused.append(_refused(row.line, key, field, code, wrong["msg"]))
            continue
        if one.id in first:
            refused.append(_refused(row.line, key, "id", "duplicate", f"stands in this file before, on line {first[one.id]}"))
            continue
        first[one.id] = row.line
        good.append((row.line, one))
    return good, refused


def _refused(line: int, key: str, field: str, code: str, reason: str) -> Judged:
    return Judged(line=line, key=key, verdict=Verdict.REFUSED, field=field, code=code, reason=reason)


def _cell(value: sheets.Cell) -> str:
    # A spreadsheet gives days as moments at midnight.
    return value.isoformat()[:10] if isinstance(value, date) else sheets.text_of(value)


def _judge(line: int, row: SheetRow, known: Mapping[str, Any] | None, found: StoredDate | None) -> Judged:
    if known is None or found is None:
        verdict = Verdict.ADDED
    elif known == imports.row_as_kept(row):
        verdict = Verdict.UNCHANGED
    elif found.is_cancelled:
        verdict = Verdict.CANCELLED
    else:
        before = type(row).model_validate(known)
        verdict = Verdict.MOVED if before.when() != row.when() else Verdict.CORRECTED
    return Judged(line=line, key=row.id, verdict=verdict)


class _Carrying:
    """Carries verdicts out."""

    def __init__(self, planning: Planning, *, historic: bool, cause: Cause) -> None:
        self._planning = planning
        self._historic = historic
        self.cause = cause

    async def take(self, tx: Transaction, verdict: Verdict, row: SheetRow, found: StoredDate | None) -> None:
        if verdict is Verdict.UNCHANGED:
            return
        if found is None:
            new = row.as_new(id_=new_id(), historic=self._historic, trace_id=self.cause.trace_id)
            await self._planning.add(tx, past(new, self._planning.today), cause=self.cause)
        elif verdict in {Verdict.MOVED, Verdict.CORRECTED}:
            await self._change(tx, row, found, moves=verdict is Verdict.MOVED)
        await imports.keep(tx, row)

    async def _change(self, tx: Transaction, row: SheetRow, found: StoredDate, *, moves: bool) -> None:
        await self._bring(tx, row, found, row.when() if moves else found.when)
        if not isinstance(row, Observance) or not row.is_yearly:
            return
        for instance in await dates.years_of(tx, row.id):
            if instance.id != found.id and not instance.is_cancelled:
                year = instance.when.first_day.year
                await self._bring(tx, row, instance, yearly.in_year(row.when(), year) if moves else instance.when)

    async def _bring(self, tx: Transaction, row: SheetRow, found: StoredDate, when: When) -> None:
        moves = when != found.when
        plan = row.plan() if isinstance(row, Activity) else None
        found = await self._planning.reword(tx, found, self._words(row, found), cause=self.cause, plan=plan, tells=not moves)
        if moves:
            await self._planning.move(tx, found, when, cause=self.cause)

    @staticmethod
    def _words(row: SheetRow, found: StoredDate) -> Description:
        """Return what the row says, and of what it says nothing what people have added."""
        said, known = row.description(), found.description
        if isinstance(row, Activity):
            return replace(said, summary=known.summary, place=known.place, entity=known.entity, links=known.links)
        return replace(known, title={**known.title, **said.title})
