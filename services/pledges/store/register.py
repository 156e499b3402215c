"""The register as the public reads it: what a wish finds, as it stands or as it stood on a day, and all about one pledge."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Row,
    Select,
    Uuid,
    and_,
    cast,
    func,
    literal,
    literal_column,
    not_,
    select,
)

from services.pledges.domain.filters import Due, Filters
from services.pledges.domain.pledges import FINISHED, RED_AFTER_YEARS, YELLOW_AFTER_YEARS, Freshness, Standing
from services.pledges.domain.search import tsquery_of
from services.pledges.store.pledges import FACTS
from services.pledges.store.tables import pledges, versions
from shared.db import Transaction
from shared.events.codes import SYNTHETIC_COUNTRIES

Key = tuple[UUID, int]
"""Id of a pledge, and a revision of it: one version, for ever the same."""
_FINISHED = sorted(state.value for state in FINISHED)


def standing_on(day: date | None) -> FromClause:
    """Return id, number, revision, time of the last change and facts of each pledge, as it stands or as it stood at the end of a day."""
    if day is None:
        facts = (pledges.c[name] for name in FACTS)
        return select(pledges.c.id, pledges.c.number, pledges.c.revision, pledges.c.updated_at, *facts).subquery("standing")
    # The keys alone are sought first: whole rows are wide.
    last = (
        select(versions.c.pledge_id, func.max(versions.c.revision).label("revision"))
        .where(versions.c.stands_from <= day)
        .group_by(versions.c.pledge_id)
        .subquery("last")
    )
    facts = (versions.c[name] for name in FACTS)
    then = select(
        versions.c.pledge_id.label("id"), versions.c.number, versions.c.revision, versions.c.recorded_at.label("updated_at"), *facts
    )
    joined = then.join(last, and_(last.c.pledge_id == versions.c.pledge_id, last.c.revision == versions.c.revision))
    return joined.subquery("standing")


def chosen(filters: Filters, today: date) -> tuple[FromClause, ColumnElement[bool]]:
    """Return where a wish is looked for, and what must be true of it."""
    source = standing_on(filters.as_of)
    return source, and_(source.c.standing == Standing.PUBLISHED.value, *conditions(source, filters, filters.as_of or today))


def conditions(source: FromClause, filters: Filters, day: date) -> Sequence[ColumnElement[bool]]:
    """Return what a wish asks of a pledge or of a version of one, seen from a day; whether it stands, and when, is not among it."""
    column = source.c
    lists: Mapping[str, Any] = {
        "objectives": filters.objective,
        "principles": filters.principle,
        "kinds": filters.kind,
        "countries": filters.country,
        "regions": filters.region,
    }
    found: list[ColumnElement[bool]] = [
        column[name].op("@>", is_comparison=True)([value]) for name, value in lists.items() if value is not None
    ]
    same = ("way", "scope", "entity_type", "state", "language")
    found += [column[name] == value for name in same if (value := getattr(filters, name)) is not None]
    if filters.q is not None:
        words = func.search_words(column.title, column.description, column.entity)
        found.append(words.op("@@")(func.to_tsquery(literal_column("'pg_catalog.simple'::regconfig"), tsquery_of(filters.q))))
    if filters.due == Due.OVERDUE.value:
        found.append(is_overdue(source, day))
    if filters.freshness is not None:
        found.append(_is(source, Freshness(filters.freshness), day))
    return found


def is_overdue(source: FromClause, day: date) -> ColumnElement[bool]:
    """Return the condition that a pledge was to be fulfilled before a day, and its owner has said no last word."""
    return and_(source.c.due < day, source.c.state.not_in(_FINISHED))


def _is(source: FromClause, wanted: Freshness, day: date) -> ColumnElement[bool]:
    # As `Facts.last_word_on` has it; PostgreSQL passes over what is empty.
    last_word = func.greatest(source.c.reported_on, source.c.published_on, type_=Date)

    def passed(years: int) -> ColumnElement[bool]:
        # Added to the last word, not taken from today: PostgreSQL gives 29 February a year later as the 28th, as `years_after` does.
        return last_word + func.make_interval(years) <= literal(day, Date)

    within = {
        Freshness.GREEN: not_(passed(YELLOW_AFTER_YEARS)),
        Freshness.YELLOW: and_(passed(YELLOW_AFTER_YEARS), not_(passed(RED_AFTER_YEARS))),
        Freshness.RED: passed(RED_AFTER_YEARS),
    }
    return and_(within[wanted], source.c.state.not_in(_FINISHED))


def newest_first(source: FromClause) -> Sequence[ColumnElement[Any]]:
    """Return the order of every list: by the day of publication, then by number, the newest first."""
    return source.c.published_on.desc(), source.c.number.desc()


async def count(tx: Transaction, filters: Filters, today: date) -> int:
    """Return how many pledges a wish finds."""
    source, where = chosen(filters, today)
    total: int = (await tx.execute(select(func.count()).select_from(source).where(where))).scalar_one()
    return total


async def listing(tx: Transaction, filters: Filters, today: date, *, limit: int, offset: int) -> Sequence[Row[Any]]:
    """Return the pledges that a wish finds, newest first."""
    rows: Sequence[Row[Any]] = (await tx.execute(_listed(filters, today).limit(limit).offset(offset))).all()
    return rows


async def latest(tx: Transaction, filters: Filters, today: date, *, limit: int) -> Sequence[Row[Any]]:
    """Return the pledges that a wish finds and that changed last, the last first."""
    source, where = chosen(filters, today)
    changed = select(versions.c.pledge_id, versions.c.revision, versions.c.recorded_at).subquery("changed")
    # What the team keeps beside a pledge, such as whom to ask, changes its row and is nobody's news.
    columns = [column for column in source.c if column.name != "updated_at"]
    joined = select(*columns, changed.c.recorded_at.label("updated_at")).join(
        changed, and_(changed.c.pledge_id == source.c.id, changed.c.revision == source.c.revision)
    )
    query: Select[Any] = joined.where(where).order_by(changed.c.recorded_at.desc(), source.c.number.desc()).limit(limit)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def keys(tx: Transaction, filters: Filters, today: date) -> Sequence[Key]:
    """Return id and revision of all that a wish finds, newest first: enough to read it later, as it stands now."""
    source, where = chosen(filters, today)
    query = select(source.c.id, source.c.revision).where(where).order_by(*newest_first(source))
    return [(row[0], row[1]) for row in await tx.execute(query)]


async def versions_of(tx: Transaction, wanted: Sequence[Key]) -> Sequence[Row[Any]]:
    """Return these versions in the order in which they are asked for; none of them is ever changed."""
    asked = (
        func.unnest(cast([pledge_id for pledge_id, _ in wanted], ARRAY(Uuid)), cast([revision for _, revision in wanted], ARRAY(Integer)))
        .table_valued("pledge_id", "revision", with_ordinality="place", name="asked")
        .render_derived()
    )
    facts = (versions.c[name] for name in FACTS)
    query = (
        select(versions.c.pledge_id.label("id"), versions.c.number, versions.c.revision, *facts)
        .join(asked, and_(asked.c.pledge_id == versions.c.pledge_id, asked.c.revision == versions.c.revision))
        .order_by(asked.c.place)
    )
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


def _listed(filters: Filters, today: date) -> Select[Any]:
    source, where = chosen(filters, today)
    return select(source).where(where).order_by(*newest_first(source))


async def one(tx: Transaction, number: str, day: date | None = None) -> Row[Any] | None:
    """Return a pledge by its number, withdrawn or not, as it stands or as it stood on a day; None where there was none."""
    source = standing_on(day)
    return (await tx.execute(select(source).where(source.c.number == number))).one_or_none()


async def number_of(tx: Transaction, pledge_id: UUID) -> str | None:
    """Return the number of a pledge, withdrawn or not, or None where none has this id."""
    number: str | None = (await tx.execute(select(pledges.c.number).where(pledges.c.id == pledge_id))).scalar_one_or_none()
    return number


async def past_of(tx: Transaction, number: str) -> Sequence[Row[Any]]:
    """Return every version of a pledge, oldest first."""
    query = select(versions).where(versions.c.number == number).order_by(versions.c.revision)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def matching(tx: Transaction, numbers: Collection[str] | None, day: date | None) -> Mapping[str, Sequence[str]]:
    """Return the numbers of the pledges on the register that match each of these, or each there is, where any do."""
    source = standing_on(day)
    query = select(source.c.matched_number, source.c.number).where(source.c.standing == Standing.PUBLISHED.value)
    which = source.c.matched_number.is_not(None) if numbers is None else source.c.matched_number.in_(list(numbers))
    found: dict[str, list[str]] = {}
    for row in await tx.execute(query.where(which).order_by(source.c.number)):
        found.setdefault(row.matched_number, []).append(row.number)
    return found


async def titles(tx: Transaction, numbers: Collection[str], day: date | None) -> Mapping[str, Row[Any]]:
    """Return number, title and entity of those of these pledges that stand on the register, by number."""
    source = standing_on(day)
    query: Select[Any] = select(source.c.number, source.c.title, source.c.entity).where(
        source.c.number.in_(list(numbers)), source.c.standing == Standing.PUBLISHED.value
    )
    return {row.number: row for row in await tx.execute(query)}


async def countries_named(tx: Transaction) -> Sequence[str]:
    """Return the codes of the countries that pledges on the register are about."""
    named = select(func.unnest(pledges.c.countries)).where(pledges.c.standing == Standing.PUBLISHED.value).distinct()
    codes: Sequence[str] = (await tx.execute(named)).scalars().all()
    return codes


async def invented_names(tx: Transaction) -> Mapping[str, str]:
    """Return the name of the entity that goes by each code of sample data; such a code is no country's."""
    code = func.unnest(pledges.c.countries).label("code")
    named = select(code, pledges.c.entity).where(pledges.c.synthetic).subquery()
    query = select(named.c.code, func.min(named.c.entity)).where(named.c.code.in_(list(SYNTHETIC_COUNTRIES))).group_by(named.c.code)
    return {row[0]: row[1] for row in await tx.execute(query)}


async def stamp(tx: Transaction) -> str:
    """Return a text that is another one whenever anything on the register is: every change makes a version, and none is ever changed.

    A version bears the hour at which its transaction began, and may be seen only after a later one: so those of the last hour are
    counted too, and no transaction takes as long.
    """
    newest = select(func.max(versions.c.recorded_at)).scalar_subquery()
    lately = versions.c.recorded_at > newest - func.make_interval(0, 0, 0, 0, 1)
    row = (await tx.execute(select(newest, func.count()).select_from(versions).where(lately))).one()
    return f"{row[0].isoformat() if row[0] else ''}/{row[1]}"
