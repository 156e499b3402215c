"""What is counted of the register: each pledge once, each sum in its own currency. No I/O.

A pledge that several made in common or in partnership is one pledge, recorded by one of them; one that matches another is a pledge of its
own, and adds nothing to the one that it matches. One that advances two objectives stands in the count of both: counts by a property of
which a pledge may have several add up to more than the total, and say so. A sum that another pledge took over is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.pledges.domain.filters import CODES, Filters


class Measure(StrEnum):
    """By what pledges are counted."""

    OBJECTIVE = "objective"
    KIND = "kind"
    REGION = "region"
    STATE = "state"
    ENTITY_TYPE = "entity_type"
    DUE_YEAR = "due_year"


SEVERAL = frozenset({Measure.OBJECTIVE, Measure.KIND, Measure.REGION})
"""Properties of which one pledge may have several."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many pledges there are of one code."""

    code: str
    pledges: int


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What financial pledges promise in one currency; never added to another."""

    currency: str
    amount: Decimal
    pledges: int


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How many pledges advance an objective in a region; a cell with none is a gap."""

    objective: int
    region: str
    pledges: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All that is counted for one wish, from one look at the register."""

    filters: Filters
    day: date  # that the register is shown of
    total: int
    matching: int  # of these, those that match another pledge
    joint: int  # of these, those that several made
    overdue: int
    synthetic: int  # of these, invented sample data
    counts: Mapping[Measure, Sequence[Count]]  # every code of a closed set, also with none; years from the first to the last
    cells: Sequence[Cell]  # every objective by every region
    sums: Sequence[Sum]


def complete(measure: Measure, found: Mapping[str, int]) -> Sequence[Count]:
    """Return counts for every code there is, in the order of the codes; what was not found is none."""
    if measure is Measure.DUE_YEAR:
        years = sorted(int(year) for year in found)
        codes: Sequence[str] = [str(year) for year in range(years[0], years[-1] + 1)] if years else []
    else:
        codes = CODES[measure.value]
    return [Count(code=code, pledges=found.get(code, 0)) for code in codes]


def whole_map(found: Mapping[tuple[int, str], int]) -> Sequence[Cell]:
    """Return a cell for every objective in every region."""
    return [
        Cell(objective=int(objective), region=region, pledges=found.get((int(objective), region), 0))
        for objective in CODES["objective"]
        for region in CODES["region"]
    ]
