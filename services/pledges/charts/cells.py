"""A map of cells: rows by columns, each cell with its number, darker the more it counts, and a mark of its own where it is a gap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HEAD = 28  # pixels
ROW = 30
LABELS = 14.0  # per cent of the breadth, for the numbers of the rows
SHADES = 4
"""Steps from few to many; a cell with none is step 0."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One cell."""

    row: str
    column: str
    value: int
    shade: int  # from 0, a gap, to SHADES
    x: float  # per cent
    y: int
    width: float  # per cent
    middle: float  # per cent from the left


@dataclass(frozen=True, kw_only=True)
class Head:
    """The label of a row or of a column."""

    code: str
    x: float  # per cent: its middle
    y: int  # pixels: its line


@dataclass(frozen=True, kw_only=True)
class CellMap:
    """A whole map."""

    height: int
    row_height: int
    columns: tuple[Head, ...]
    rows: tuple[Head, ...]
    cells: tuple[Place, ...]


def cells(values: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str], *, mirrored: bool = False) -> CellMap:
    """Return the map of the values of every row by every column; `mirrored` begins at the right."""
    most = max(values.values(), default=0)
    width = (100 - LABELS) / max(len(columns), 1)

    def left(index: int) -> float:
        x = LABELS + index * width
        return round(100 - x - width, 3) if mirrored else round(x, 3)

    placed = [
        Place(
            row=row,
            column=column,
            value=values.get((row, column), 0),
            shade=_shade(values.get((row, column), 0), most),
            x=left(index),
            y=HEAD + line * ROW,
            width=round(width, 3),
            middle=round(left(index) + width / 2, 3),
        )
        for line, row in enumerate(rows)
        for index, column in enumerate(columns)
    ]
    label = 100 - LABELS / 2 if mirrored else LABELS / 2
    return CellMap(
        height=HEAD + len(rows) * ROW,
        row_height=ROW,
        columns=tuple(Head(code=column, x=round(left(index) + width / 2, 3), y=HEAD - 10) for index, column in enumerate(columns)),
        rows=tuple(Head(code=row, x=label, y=HEAD + line * ROW + 20) for line, row in enumerate(rows)),
        cells=tuple(placed),
    )


def _shade(value: int, most: int) -> int:
    return 0 if value == 0 else min(SHADES, -(-value * SHADES // most)) if most else 0
