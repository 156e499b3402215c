"""The figures of the register, all by one statement, so that none of them has seen more than another."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Numeric, Select, Text, and_, cast, func, literal, null, select, union_all

from services.pledges.domain.figures import Figures, Measure, Sum, complete, whole_map
from services.pledges.domain.filters import Filters
from services.pledges.store.register import chosen, is_overdue
from shared.db import Transaction
from shared.events.codes import PledgeState, PledgeWay

_JOINT = (PledgeWay.COMMON.value, PledgeWay.PARTNERSHIP.value)


async def figures(tx: Transaction, filters: Filters, today: date) -> Figures:
    """Return all that is counted of the pledges that a wish finds."""
    counts: dict[Measure, dict[str, int]] = {measure: {} for measure in Measure}
    totals: dict[str, int] = {}
    cells: dict[tuple[int, str], int] = {}
    sums: list[Sum] = []
    for row in await tx.execute(_statement(filters, today)):
        if row.what == "total":
            totals[row.code] = row.pledges
        elif row.what == "cell":
            cells[int(row.code), row.beside] = row.pledges
        elif row.what == "sum":
            sums.append(Sum(currency=row.code, amount=row.amount, pledges=row.pledges))
        else:
            counts[Measure(row.what)][row.code] = row.pledges
    return Figures(
        filters=filters,
        day=filters.as_of or today,
        total=totals["all"],
        matching=totals["matching"],
        joint=totals["joint"],
        overdue=totals["overdue"],
        synthetic=totals["synthetic"],
        counts={measure: complete(measure, found) for measure, found in counts.items()},
        cells=whole_map(cells),
        sums=sorted(sums, key=lambda one: one.currency),
    )


def _statement(filters: Filters, today: date) -> CompoundSelect[Any]:
    source, where = chosen(filters, today)
    kept = ("objectives", "kinds", "regions", "state", "entity_type", "way", "currency", "amount", "synthetic")
    wanted = (
        select(
            *(source.c[name] for name in kept),
            cast(func.extract("year", source.c.due), Integer).label("due_year"),
            is_overdue(source, filters.as_of or today).label("overdue"),
        )
        .where(where)
        .cte("wanted")
        .prefix_with("MATERIALIZED")
    )
    found = wanted.c
    several = {
        measure: select(func.unnest(found[name]).label("code")).subquery(measure.value)
        for measure, name in ((Measure.OBJECTIVE, "objectives"), (Measure.KIND, "kinds"), (Measure.REGION, "regions"))
    }
    by_objective = select(func.unnest(found.objectives).label("objective"), found.regions).subquery("by_objective")
    pairs = select(by_objective.c.objective, func.unnest(by_objective.c.regions).label("region")).subquery("pairs")
    pledged = and_(found.amount.is_not(None), found.state != PledgeState.SUPERSEDED.value)
    none = null()
    return union_all(
        _row("total", literal("all"), none).select_from(wanted),
        _row("total", literal("matching"), none).select_from(wanted).where(found.way == PledgeWay.MATCHING.value),
        _row("total", literal("joint"), none).select_from(wanted).where(found.way.in_(_JOINT)),
        _row("total", literal("overdue"), none).select_from(wanted).where(found.overdue),
        _row("total", literal("synthetic"), none).select_from(wanted).where(found.synthetic),
        *(_row(measure.value, each.c.code, none).group_by(each.c.code) for measure, each in several.items()),
        _row(Measure.STATE.value, found.state, none).select_from(wanted).group_by(found.state),
        _row(Measure.ENTITY_TYPE.value, found.entity_type, none).select_from(wanted).group_by(found.entity_type),
        _row(Measure.DUE_YEAR.value, found.due_year, none).select_from(wanted).group_by(found.due_year),
        _row("cell", pairs.c.objective, pairs.c.region).group_by(pairs.c.objective, pairs.c.region),
        _row("sum", found.currency, none, func.sum(found.amount)).select_from(wanted).where(pledged).group_by(found.currency),
    )


def _row(what: str, code: ColumnElement[Any], beside: ColumnElement[Any], amount: ColumnElement[Any] | None = None) -> Select[Any]:
    """Return the columns that all parts of the statement have: what is counted, of which code, beside which other, and how often."""
    return select(
        literal(what).label("what"),
        cast(code, Text).label("code"),
        cast(beside, Text).label("beside"),
        func.count().label("pledges"),
        cast(null() if amount is None else amount, Numeric).label("amount"),
    )
