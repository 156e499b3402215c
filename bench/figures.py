"""A measured figure beside its ceiling and its aim, and the table that shows them."""

import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Label, Table, func, literal_column


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the report."""

    what: str
    value: float
    unit: str
    ceiling: float | None = None  # the same unit, measured in the same run; None where there is none
    ceiling_is: str = ""  # what the ceiling is
    aim: float | None = None  # in `unit`, or in per cent of the ceiling where `aim_is_share`
    aim_is_share: bool = False
    lower_is_better: bool = False
    note: str = ""

    @property
    def share(self) -> float | None:
        """The figure in per cent of its ceiling."""
        return 100 * self.value / self.ceiling if self.ceiling else None

    @property
    def holds(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        measured = self.share if self.aim_is_share else self.value
        if self.aim is None or measured is None:
            return None
        return measured <= self.aim if self.lower_is_better else measured >= self.aim


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print figures as they are ready, so that a run that is broken off has said something."""
    sys.stdout.write(f"\n{title}\n")
    for figure in figures:
        line = f"  {figure.what:<64} {figure.value:>10,.1f} {figure.unit}"
        if figure.ceiling is not None and figure.share is not None:
            line += f" = {figure.share:.0f} % of {figure.ceiling:,.{0 if figure.ceiling > 99 else 1}f} ({figure.ceiling_is})"
        if figure.aim is not None:
            aim = f"{figure.aim:,.1f} {'%' if figure.aim_is_share else figure.unit}"
            line += f"; aim {'at most' if figure.lower_is_better else 'at least'} {aim}: {'holds' if figure.holds else 'MISSED'}"
        sys.stdout.write(f"{line}{f'; {figure.note}' if figure.note else ''}\n")
    sys.stdout.flush()


def percentile(values: Sequence[float], per_cent: int) -> float:
    """Return the value below which `per_cent` of the values lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[per_cent - 1] if len(values) > 1 else values[0]


def middle(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return the pair whose ratio is the middle one: both of the same round, since the machine drifts and others share it."""
    in_order = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    return in_order[len(in_order) // 2]


def committed_at(table: Table) -> Label[datetime]:
    """Return the column that says when the transaction that wrote a row was committed; the server must keep those times."""
    written_by: ColumnElement[Any] = literal_column(f"{table.name}.xmin")
    return func.pg_xact_commit_timestamp(written_by, type_=DateTime(timezone=True)).label("committed_at")


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._began
