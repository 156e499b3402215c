"""Tables that people hand in, as CSV or XLSX: found out which it is, and read row by row with the line that each stands on."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

Cell = str | int | float | bool | date | datetime | None

# More is no list of subscribers of ours; it would only fill the memory.
ROWS_MAX = 1_000_000
CELL_MAX_CHARACTERS = 10_000
_SEPARATORS = ",;\t"
# Spreadsheets take a cell that begins like this for a formula and run it (OWASP, "CSV injection"). Where commas stand for decimals they
# split at semicolons or tabs, whatever stands in quotes behind a comma: so a cell may begin within a text, too, and a line as well.
_FORMULA = r"""(?:\A|(?<=[;\t\r\n])){mark}(?=["']*[=+\-@])|\A{mark}(?='*[\t\r])"""
_UNMARKED, _MARKED = re.compile(_FORMULA.format(mark="")), re.compile(_FORMULA.format(mark="'"))
_ZIP = b"PK\x03\x04"


class SheetError(Exception):
    """This file cannot be read as a table; save it as CSV in UTF-8, or as XLSX."""


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row, by the names in the head of the table."""

    line: int  # as a person counts: the head stands on line 1
    cells: Mapping[str, Cell]


def read(path: Path, columns: Mapping[str, Sequence[str]]) -> Iterator[SheetRow]:
    """Give the rows of a file that are not empty; raises SheetError, and OSError where there is no such file.

    `columns` gives each column that is wanted the names that it may bear, in small letters; others are left out. The first column is
    needed.
    """
    with path.open("rb") as file:
        rows = _xlsx(path) if file.read(4) == _ZIP else _csv(path)
    places: dict[str, int] = {}
    count = 0
    for line, cells in rows:
        if not places:
            if any(_text(cell) for cell in cells):
                places = _places(cells, columns)
            continue
        if not any(_text(cell) for cell in cells):
            continue
        count += 1
        if count > ROWS_MAX:
            raise SheetError(f"The file has more than {ROWS_MAX:,} rows; hand it in in parts.")
        yield SheetRow(line=line, cells={name: cells[place] if place < len(cells) else None for name, place in places.items()})
    if not places:
        raise SheetError("The file is empty; its first line names the columns.")


def _places(head: Sequence[Cell], columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    named = [_text(cell).strip().lower().replace(" ", "_").replace("-", "_") for cell in head]
    found: dict[str, int] = {}
    for column, names in columns.items():
        places = [place for place, name in enumerate(named) if name in names]
        if len(places) > 1:
            raise SheetError(f"The file has the column {column} more than once: {', '.join(named[place] for place in places)}.")
        if places:
            found[column] = places[0]
    first = next(iter(columns))
    if first not in found:
        wanted = ", ".join(columns)
        raise SheetError(f"The first line names no column {first}; it reads: {', '.join(filter(None, named))[:200]}. Columns: {wanted}.")
    return found


def _csv(path: Path) -> Iterator[tuple[int, Sequence[Cell]]]:
    with path.open("rb") as raw:
        encoding = "utf-16" if raw.read(2) in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        with path.open(encoding=encoding, newline="") as file:
            head = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=head.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            line = 1
            for cells in reader:
                if any(len(cell) > CELL_MAX_CHARACTERS for cell in cells):
                    raise SheetError(f"Line {line} has a cell of more than {CELL_MAX_CHARACTERS:,} characters; a quote is left open there.")
                yield line, [_MARKED.sub("", cell) for cell in cells]
                line = reader.line_num + 1
    except UnicodeError as error:
        raise SheetError("The file is not in UTF-8; save it as `CSV UTF-8`, or as XLSX.") from error
    except csv.Error as error:
        raise SheetError(f"The file cannot be read as CSV: {error}.") from error


def _xlsx(path: Path) -> Iterator[tuple[int, Sequence[Cell]]]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_index(0)
        # With its empty rows, so that a line's number is the one that the program shows.
        rows = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise SheetError(f"The file cannot be read as XLSX: {error}.") from error
    for line, cells in enumerate(rows, start=1):
        yield line, [None if cell == "" else cell for cell in cells]  # type: ignore[misc]


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def text_of(cell: Cell) -> str:
    """Return a cell as text; whole numbers without the point that spreadsheets put behind them."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else _text(cell)


def as_cell(text: str) -> str:
    """Return text for a cell of a CSV file of which no spreadsheet takes any part for a formula; `read` gives the text as it was."""
    return _UNMARKED.sub("'", text)
