"""The figures of the register as charts: each with its table and its text, all three of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.pledges.charts.bars import Bars, bars
from services.pledges.charts.cells import CellMap, cells
from services.pledges.domain.figures import SEVERAL, Count, Figures, Measure
from services.pledges.domain.filters import CODES
from services.pledges.web.words import commission, title_of
from shared import i18n
from shared.web.pages import Sentence, plain

SAID = 3
"""How many of the largest a chart's text names."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a chart's table."""

    code: str
    label: Sentence
    pledges: int
    query: str  # by which the list shows these pledges; empty where no filter does


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart, its table, and what its text says."""

    name: str
    several: bool  # whether a pledge may stand in several of its lines
    drawn: Bars
    lines: Sequence[Line]
    most: Sequence[Line]
    none: Sequence[Line]  # lines without a pledge


@dataclass(frozen=True, kw_only=True)
class GapMap:
    """Objectives by regions, its table, and the gaps."""

    drawn: CellMap
    columns: Sequence[tuple[str, str, Sentence]]  # code, short name, name
    rows: Sequence[tuple[Sentence, Sequence[int]]]
    gaps: int  # cells without a pledge
    bare: Sequence[Sentence]  # objectives without a pledge in any region


def charts(figures: Figures, reader: str) -> Sequence[Chart]:
    """Return a chart for each measure, in the reader's language and direction."""
    return [_chart(figures, measure, counts, reader) for measure, counts in figures.counts.items() if counts]


def _chart(figures: Figures, measure: Measure, counts: Sequence[Count], reader: str) -> Chart:
    lines = [
        Line(
            code=one.code,
            label=title_of(measure.value, one.code, reader),
            pledges=one.pledges,
            query=_query(figures, measure, one.code),
        )
        for one in counts
    ]
    ranked = sorted((line for line in lines if line.pledges), key=lambda line: -line.pledges)
    return Chart(
        name=measure.value,
        several=measure in SEVERAL,
        drawn=bars([(line.code, plain(line.label), line.pledges) for line in lines], mirrored=_mirrored(reader)),
        lines=lines,
        most=ranked[:SAID],
        none=[line for line in lines if not line.pledges],
    )


def _query(figures: Figures, measure: Measure, code: str) -> str:
    if measure is Measure.DUE_YEAR:
        return ""
    value: Any = int(code) if measure is Measure.OBJECTIVE else code
    return replace(figures.filters, **{measure.value: value}).query()


def gap_map(figures: Figures, reader: str) -> GapMap:
    """Return the map of objectives by regions."""
    values = {(str(cell.objective), cell.region): cell.pledges for cell in figures.cells}
    objectives, regions = CODES["objective"], CODES["region"]
    rows = [
        (title_of("objective", objective, reader), [values.get((objective, region), 0) for region in regions]) for objective in objectives
    ]
    return GapMap(
        drawn=cells(values, objectives, regions, mirrored=_mirrored(reader)),
        columns=[(region, commission(region), title_of("region", region, reader)) for region in regions],
        rows=rows,
        gaps=sum(not number for _, numbers in rows for number in numbers),
        bare=[title for title, numbers in rows if not any(numbers)],
    )


def sums(figures: Figures, reader: str) -> Sequence[tuple[str, str, int]]:
    """Return currency, sum in the reader's format, and number of pledges."""
    return [(one.currency, i18n.money(one.amount, one.currency, reader), one.pledges) for one in figures.sums]


def _mirrored(reader: str) -> bool:
    return i18n.direction(reader) == "rtl"
