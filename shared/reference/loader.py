"""Reads the files in `data/`: UTF-8, comma, a header line, lists inside a cell separated by `;`."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from shared.reference.titles import LANGUAGES, Mark, Titles, Wording

Row = Mapping[str, str]
R = TypeVar("R")

_DATA = Path(__file__).parent / "data"


class ReferenceDataError(Exception):
    """A file of reference data cannot be read as it should; the message names the file, the record and the fault."""


class UnknownCodeError(LookupError):
    """No record has this code; the message names the kind of record and the code that was asked."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a record comes from, and what in it still needs a person's eye."""

    source: str
    unverified: tuple[str, ...]  # what was not read at its source, for example `title fr second-hand`; empty when all was
    note: str  # what is ambiguous or missing; empty when nothing is


def read(name: str) -> tuple[Row, ...]:
    """Return the records of `data/<name>.csv`. Raises ReferenceDataError for a line with too few or too many fields."""
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        records = tuple(csv.DictReader(file, strict=True))
    for number, record in enumerate(records, start=1):
        if None in record or None in record.values():
            raise ReferenceDataError(f"{name}.csv, record {number}: the number of fields differs from the header")
    return records


def first(matching: Iterator[R], *, otherwise: str) -> R:
    """Return the first of `matching`. Raises UnknownCodeError, saying `otherwise`, when there is none."""
    for record in matching:
        return record
    raise UnknownCodeError(otherwise)


def items(cell: str) -> tuple[str, ...]:
    """Return the parts of a list inside a cell."""
    return tuple(part for part in cell.split(";") if part)


def numbers(cell: str) -> tuple[int, ...]:
    """Return the numbers of a list inside a cell."""
    return tuple(int(part) for part in items(cell))


def titles(row: Row, prefix: str) -> Titles:
    """Return the texts of the columns `<prefix>_en`, `<prefix>_fr` and so on, with the marks of `<prefix>_verified`."""
    marks = _marks(row[f"{prefix}_verified"])
    wordings = []
    for lang in LANGUAGES:
        if text := row.get(f"{prefix}_{lang}"):
            mark = marks.get(lang, marks.get(""))
            if mark is None:
                raise ReferenceDataError(f"{prefix}_{lang} of {row['source']!r} has a text and no mark: {text!r}")
            wordings.append(Wording(lang=lang, text=text, mark=mark))
    return Titles(wordings=tuple(wordings))


def provenance(row: Row, *unverified: str, **named: Titles) -> Provenance:
    """Return the provenance of a record: its source and note, with the unverified wordings of the titles in `named`."""
    wordings = [f"{name} {wording}" for name, texts in named.items() for wording in texts.unverified]
    return Provenance(source=row["source"], unverified=(*wordings, *unverified), note=row["note"])


def _marks(cell: str) -> dict[str, Mark]:
    """Return a mark per language from `second-hand;en:yes`; the bare word holds for every language not named."""
    pairs = (part.rpartition(":") for part in items(cell))
    return {lang: Mark(mark) for lang, _, mark in pairs}
