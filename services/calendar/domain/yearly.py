"""Named days that come again each year: one date a year, for this year and the next."""

from calendar import isleap
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.calendar.domain.dates import NewDate, StoredDate
from shared.events.times import Days, When


def years_in_reach(today: date) -> tuple[int, int]:
    """Return the years for which a day stands in the calendar beside its first one."""
    return today.year, today.year + 1


def key_of(yearly: str, year: int) -> str:
    """Return the import key of one year's instance."""
    return f"{yearly}-{year}"


def in_year(when: When, year: int, *, leaps: bool = False) -> When:
    """Return the same days in another year; 29 February is kept on the 28th. Raises TypeError for what is not whole days.

    `leaps` says that what is kept on 28 February is really on the 29th, and is so again where there is one.
    """
    if not isinstance(when, Days):
        raise TypeError("only days come again each year")
    kept = leaps and isleap(year) and (when.first.month, when.first.day) == (2, 28)
    first = date(year, 2, 29) if kept else _in(when.first, year)
    return Days(precision="day", first=first, last=first + (when.last - when.first))


def _in(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def instance_of(known: StoredDate | NewDate, year: int, *, id_: UUID, trace_id: str, leaps: bool = False) -> NewDate:
    """Return the instance of a year of a day that is known from another one; `leaps` where it is really on 29 February."""
    words = replace(known.description, place=None)
    yearly = known.yearly or known.import_key or ""
    return NewDate(
        id=id_,
        kind=known.kind,
        description=words,
        when=in_year(known.when, year, leaps=leaps),
        public=known.public,
        import_key=key_of(yearly, year),
        yearly=yearly,
        trace_id=trace_id,
    )
