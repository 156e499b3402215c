"""What readers see of the calendar: by period, by filter, one by one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, cast, func, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.types import TIMESTAMP, BigInteger, Date, Text

from services.calendar.domain.dates import NEVER_PUBLIC
from services.calendar.domain.entries import CANCELLED_KEPT, Entry
from services.calendar.domain.filters import Filters
from services.calendar.domain.periods import Month
from services.calendar.store.dates import WHEN
from services.calendar.store.tables import dates, moves
from shared.db import Transaction
from shared.events.codes import SYNTHETIC_COUNTRIES, DateKind, DateStatus
from shared.events.times import When

EXACT = ("time", "day")
PUBLIC = and_(dates.c.public, dates.c.kind.not_in([kind.value for kind in NEVER_PUBLIC]))
# How many dates are read at once, so that other requests are served in between.
PIECE = 500

_COLUMNS = [dates.c[field.name] for field in fields(Entry) if field.name in dates.c]
_NAMES = [column.name for column in _COLUMNS]
_LISTS = ("regions", "countries", "objectives", "principles", "lead", "participants", "links")


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a feed is made from: as long as it is the same, so is the feed."""

    dates: int
    sum: int  # of all times of change: a change that is committed after a later one counts too
    changed_at: datetime | None  # the last change; or when the last cancelled date was dropped, if that is later


def entry_of(row: Row[Any], moved_from: When | None = None) -> Entry:
    """Return a row of `_COLUMNS` as its readers see it."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in _LISTS:
        values[name] = tuple(values[name])
    if windows := values["windows"]:
        windows = [(date.fromisoformat(one["first"]), _day(one.get("last"))) for one in windows]
    values["windows"] = tuple(windows)
    return Entry(**values, moved_from=moved_from)


def _entries_of(rows: Sequence[Row[Any]], last: Mapping[UUID, When]) -> Sequence[Entry]:
    return [entry_of(row, last.get(row.id)) for row in rows]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _within(first: date | None, last: date | None) -> ColumnElement[bool]:
    """What lies in a stretch of time with some part of it, of an approximate date some part of one of its periods."""
    if first is None and last is None:
        return true()
    hull = and_(
        true() if last is None else dates.c.first_day <= last,
        true() if first is None else or_(dates.c.last_day.is_(None), dates.c.last_day >= first),
    )
    window = func.jsonb_array_elements(dates.c.windows).table_valued("value").alias("period")
    begins, ends = (cast(window.c.value.op("->>")(name), Date) for name in ("first", "last"))
    inside = select(literal(1)).where(
        true() if last is None else begins <= last, true() if first is None else or_(ends.is_(None), ends >= first)
    )
    return and_(hull, or_(dates.c.precision.in_(EXACT), inside.exists()))


def _any_of(column: ColumnElement[Any], values: Sequence[object], of: type[Any] = Text) -> ColumnElement[bool]:
    return column.op("&&", is_comparison=True)(cast(list(values), ARRAY(of)))


def chosen(filters: Filters) -> ColumnElement[bool]:
    """Return the condition that public dates pass which the reader wants."""
    about_regions = or_(_any_of(dates.c.regions, filters.region), _any_of(dates.c.countries, filters.region_countries))
    conditions = (
        (filters.kind, dates.c.kind.in_(filters.kind)),
        (filters.objective, dates.c.objectives.op("&&")(list(filters.objective))),
        (filters.principle, _any_of(dates.c.principles, filters.principle)),
        (filters.region, about_regions),
        (filters.country, _any_of(dates.c.countries, filters.country)),
        (filters.theme, dates.c.theme.in_(filters.theme)),
        (filters.priority, dates.c.priority.in_(filters.priority)),
        (filters.lead, _any_of(dates.c.lead, filters.lead)),
        (filters.language, dates.c.title.op("?|", is_comparison=True)(cast(list(filters.language), ARRAY(Text)))),
        (filters.hide_cancelled, dates.c.status != DateStatus.CANCELLED.value),
    )
    return and_(PUBLIC, *(condition for wanted, condition in conditions if wanted), _within(filters.first, filters.last))


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A month with how many dates it has."""

    month: Month
    exact: int
    approximate: int


async def months(tx: Transaction, filters: Filters) -> Sequence[Filled]:
    """Return the months that have dates, in their order; what goes on without an end fills none."""
    one_period = func.jsonb_build_array(func.jsonb_build_object("first", dates.c.first_day, "last", dates.c.last_day))
    periods = case((dates.c.precision.in_(EXACT), one_period), else_=dates.c.windows)
    window = func.jsonb_array_elements(periods).table_valued("value").alias("period")
    begins, ends = (func.date_trunc("month", cast(window.c.value.op("->>")(name), TIMESTAMP)) for name in ("first", "last"))
    parts = select(dates.c.precision, begins.label("begins"), ends.label("ends")).select_from(dates.join(window, true()))
    span = parts.where(chosen(filters)).subquery()
    month = func.generate_series(span.c.begins, span.c.ends, text("interval '1 month'")).table_valued("first").render_derived(name="month")
    exact = func.count().filter(span.c.precision.in_(EXACT))
    query = (
        select(cast(month.c.first, Date), exact, func.count() - exact)
        .select_from(span.join(month, true()))
        .group_by(month.c.first)
        .order_by(month.c.first)
    )
    return [Filled(month=Month.of(first), exact=one, approximate=other) for first, one, other in await tx.execute(query)]


async def exact_within(tx: Transaction, filters: Filters, first: date, last: date) -> Sequence[Entry]:
    """Return the dates with a day or an hour that lie between two days, as they begin."""
    query = select(*_COLUMNS).where(chosen(filters), dates.c.precision.in_(EXACT), dates.c.first_day <= last, dates.c.last_day >= first)
    return await _entries(tx, query.order_by(dates.c.first_day, dates.c.starts_at.nulls_first(), dates.c.id))


async def approximate_within(tx: Transaction, filters: Filters, first: date, last: date, limit: int) -> Sequence[Entry]:
    """Return the approximate dates of which a period touches the time between two days, the soonest over first."""
    query = select(*_COLUMNS).where(chosen(filters), dates.c.precision.not_in(EXACT), _within(first, last))
    return await _entries(tx, query.order_by(dates.c.last_day.nulls_last(), dates.c.first_day, dates.c.id).limit(limit))


async def upcoming(tx: Transaction, filters: Filters, day: date, limit: int) -> Sequence[Entry]:
    """Return the next dates with a day or an hour that are not over on a day."""
    query = select(*_COLUMNS).where(chosen(filters), dates.c.precision.in_(EXACT), dates.c.last_day >= day)
    return await _entries(tx, query.order_by(dates.c.first_day, dates.c.starts_at.nulls_first(), dates.c.id).limit(limit))


async def by_slug(tx: Transaction, slug: str) -> Entry | None:
    """Return a public date by the last part of its address, or None where there is none."""
    found = await _entries(tx, select(*_COLUMNS).where(PUBLIC, dates.c.slug == slug))
    return found[0] if found else None


async def bound_to(tx: Transaction, entry: Entry) -> tuple[Entry | None, Sequence[Entry]]:
    """Return the meeting that a date moves with, if any, and the dates that move with it."""
    meeting = [] if entry.follows is None else await _entries(tx, select(*_COLUMNS).where(PUBLIC, dates.c.id == entry.follows))
    following = select(*_COLUMNS).where(PUBLIC, dates.c.follows == entry.id).order_by(dates.c.first_day, dates.c.id)
    return (meeting[0] if meeting else None), await _entries(tx, following)


async def activities(tx: Transaction) -> Sequence[Entry]:
    """Return the activities of the work plan, as they stand in it."""
    query = select(*_COLUMNS).where(PUBLIC, dates.c.kind == DateKind.ACTIVITY.value, dates.c.priority.is_not(None))
    return await _entries(tx, query.order_by(dates.c.priority, dates.c.import_key, dates.c.first_day, dates.c.id))


async def leads(tx: Transaction) -> Sequence[str]:
    """Return who leads something public, as printed."""
    query = select(func.unnest(dates.c.lead)).where(PUBLIC).distinct()
    return sorted((await tx.execute(query)).scalars())


async def countries(tx: Transaction) -> Sequence[str]:
    """Return the countries that something public is about."""
    return sorted((await tx.execute(select(func.unnest(dates.c.countries)).where(PUBLIC).distinct())).scalars())


async def invented_names(tx: Transaction) -> Mapping[str, str]:
    """Return the name of the entity that goes by each code of sample data; such a code is no country's."""
    code = func.unnest(dates.c.countries).label("code")
    named = select(code, dates.c.entity).where(PUBLIC, dates.c.synthetic, dates.c.entity.is_not(None)).subquery()
    query = select(named.c.code, func.min(named.c.entity)).where(named.c.code.in_(list(SYNTHETIC_COUNTRIES))).group_by(named.c.code)
    return {row[0]: row[1] for row in await tx.execute(query)}


async def stamp(tx: Transaction, now: datetime) -> Stamp:
    """Return the stamp of all feeds, by one look at the times of change and at no text."""
    microseconds = cast(func.date_part("epoch", dates.c.updated_at) * 1_000_000, BigInteger)
    dropped = func.max(dates.c.cancelled_at).filter(dates.c.cancelled_at <= now - CANCELLED_KEPT)
    row = (await tx.execute(select(func.count(), func.sum(microseconds), func.max(dates.c.updated_at), dropped))).one()
    times = [time for time in (row[2], row[3] + CANCELLED_KEPT if row[3] else None) if time is not None]
    return Stamp(dates=row[0], sum=int(row[1] or 0), changed_at=max(times, default=None))


async def pieces(tx: Transaction, filters: Filters, now: datetime, *, exact: bool) -> AsyncIterator[Sequence[Entry]]:
    """Give what belongs into a feed piece by piece: what was cancelled long ago is gone, and with `exact` what has no day."""
    kept = or_(dates.c.status != DateStatus.CANCELLED.value, dates.c.cancelled_at > now - CANCELLED_KEPT)
    query = select(*_COLUMNS).where(chosen(filters), kept).order_by(dates.c.first_day, dates.c.id)
    if exact:
        query = query.where(dates.c.precision.in_(EXACT))
    last = await _last_moves(tx, None)
    async with tx.stream(query.execution_options(yield_per=PIECE)) as result:
        async for rows in result.partitions():
            yield await asyncio.to_thread(_entries_of, rows, last)


async def _entries(tx: Transaction, query: Select[Any]) -> Sequence[Entry]:
    rows = (await tx.execute(query)).all()
    last = await _last_moves(tx, [row.id for row in rows if row.sequence])
    return _entries_of(rows, last)


async def _last_moves(tx: Transaction, ids: Sequence[UUID] | None) -> Mapping[UUID, When]:
    """Return when dates were before their last move: these dates, or all."""
    if ids is not None and not ids:
        return {}
    query = select(moves.c.date_id, moves.c.was).ext(distinct_on(moves.c.date_id)).order_by(moves.c.date_id, moves.c.sequence.desc())
    if ids is not None:
        query = query.where(moves.c.date_id.in_(ids))
    return {row.date_id: WHEN.validate_python(row.was) for row in await tx.execute(query)}
