"""Months to turn over, and the stretches of time that an approximate date is known by."""

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from shared.events.times import YEARS, ApproximateDate

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, order=True)
class Month:
    """A month of a year."""

    year: int
    month: int  # 1 to 12

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month that a day lies in."""
        return cls(year=day.year, month=day.month)

    @classmethod
    def read(cls, text: str) -> "Month | None":
        """Return the month written as 2026-11, or None where it is written otherwise or lies outside the years of the calendar."""
        found = _MONTH.fullmatch(text)
        if found is None:
            return None
        year, month = int(found[1]), int(found[2])
        return cls(year=year, month=month) if year in YEARS and 1 <= month <= 12 else None

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def shifted(self, months: int) -> "Month | None":
        """Return the month so many later (or earlier), or None beyond the years of the calendar."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year=year, month=month + 1) if year in YEARS else None

    @property
    def weeks(self) -> Sequence[Sequence[date | None]]:
        """Its days in weeks that begin on Monday (ISO 8601); None for days of the months beside it."""
        monday = self.first - timedelta(days=self.first.weekday())
        weeks: list[Sequence[date | None]] = []
        while monday <= self.last:
            days = [monday + timedelta(days=number) for number in range(7)]
            weeks.append([day if Month.of(day) == self else None for day in days])
            monday += _WEEK
        return weeks


def nearest(months: Iterable[Month], now: Month) -> Month | None:
    """Return the month to open at: this one or the next that is there, else the last before; None where there is none."""
    there = sorted(months)
    return next((month for month in there if month >= now), there[-1] if there else None)


StretchKind = Literal["month", "quarter", "half", "year", "years", "months", "ongoing"]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of time as it is named: "2nd quarter of 2021"."""

    kind: StretchKind  # `years`: several whole ones; `months`: any other whole months; `ongoing`: no end
    first: date
    last: date | None

    @property
    def order(self) -> tuple[date, date]:
        """By what stretches stand in a list: as they begin, the shorter first, what has no end last."""
        return (self.first, self.last) if self.last else (date.max, self.first)


_NAMED: dict[int, StretchKind] = {1: "month", 3: "quarter", 6: "half", 12: "year"}


def stretch(first: date, last: date | None) -> Stretch:
    """Return how the time from the first day of a month to the last day of one is named."""
    if last is None:
        return Stretch(kind="ongoing", first=first, last=None)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    kind: StretchKind = "years" if months % 12 == 0 and first.month == 1 else "months"
    if months in _NAMED and (first.month - 1) % months == 0:
        kind = _NAMED[months]
    return Stretch(kind=kind, first=first, last=last)


def stretches(when: ApproximateDate) -> Sequence[Stretch]:
    """Return the periods of an approximate date, as they are named."""
    return [stretch(window.first, window.last) for window in when.windows]
