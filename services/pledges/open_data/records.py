"""A pledge, and what is counted of many, as JSON."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from services.pledges.domain.figures import SEVERAL, Figures
from services.pledges.domain.pledges import FINISHED, Change, Facts, Standing, freshness, pledge_path
from services.pledges.store.pledges import facts_in
from shared import clock

NOTICE = (
    "Known to this system as of {day}; it may lack pledges made elsewhere. A joint pledge is recorded once, by one of its parties; a "
    "matching pledge is counted once, as a pledge of its own; sums are never added across currencies. Where you use this, name the "
    "register and this day."
)
"""What stands beside all open data. Programs read it in English."""


def record(row: Row[Any], day: date, matched_by: Sequence[str], public_url: str) -> dict[str, Any]:
    """Return all that is public of a pledge, seen from a day."""
    facts = facts_in(row)
    return {
        "number": row.number,
        "id": str(row.id),
        "address": f"{public_url}{pledge_path(row.number)}",
        "synthetic": facts.synthetic,
        "revision": row.revision,
        **_facts(facts, day),
        "matched_by": list(matched_by),
    }


def change(row: Row[Any], cursor: str, public_url: str) -> dict[str, Any]:
    """Return one change: what was changed, when, and the pledge as it was from then on; of one that was withdrawn nothing but that."""
    told = {
        "cursor": cursor,
        "change": row.change,
        "recorded_at": clock.rfc3339(row.recorded_at),
        "stands_from": row.stands_from.isoformat(),
        "number": row.number,
        "id": str(row.pledge_id),
        "revision": row.revision,
        "address": f"{public_url}{pledge_path(row.number)}",
        "synthetic": row.synthetic,
    }
    if row.change == Change.WITHDRAWN.value or row.standing == Standing.WITHDRAWN.value:
        return {**told, "pledge": None}
    return {**told, "pledge": _facts(facts_in(row), row.stands_from)}


def figures_record(figures: Figures) -> dict[str, Any]:
    """Return the numbers that stand behind the charts."""
    return {
        "total": figures.total,
        "matching": figures.matching,
        "joint": figures.joint,
        "overdue": figures.overdue,
        "synthetic": figures.synthetic,
        "by": {
            measure.value: {
                "one_pledge_may_count_in_several": measure in SEVERAL,
                "counts": [{"code": one.code, "pledges": one.pledges} for one in counts],
            }
            for measure, counts in figures.counts.items()
        },
        "objective_by_region": [{"objective": cell.objective, "region": cell.region, "pledges": cell.pledges} for cell in figures.cells],
        "money": [{"currency": one.currency, "amount": plain(one.amount), "pledges": one.pledges} for one in figures.sums],
    }


def plain(amount: Decimal) -> str:
    """Return an amount as digits and a point."""
    return f"{amount:f}"


def is_overdue(facts: Facts, day: date) -> bool:
    """Say whether a pledge was to be fulfilled before a day, and its owner has said no last word."""
    return facts.due < day and facts.state not in FINISHED


def _facts(facts: Facts, day: date) -> dict[str, Any]:
    fresh = freshness(facts, day)
    return {
        "language": facts.language,
        "title": dict(facts.title),
        "description": dict(facts.description),
        "entity": facts.entity,
        "entity_type": facts.entity_type,
        "participants": list(facts.participants),
        "kinds": list(facts.kinds),
        "way": facts.way,
        "matches": facts.matched_number,
        "scope": facts.scope,
        "countries": list(facts.countries),
        "regions": list(facts.regions),
        "objectives": list(facts.objectives),
        "principles": list(facts.principles),
        "metric": facts.metric,
        "baseline": facts.baseline,
        "target": facts.target,
        "progress": facts.progress,
        "money": None if facts.amount is None else {"currency": facts.currency, "amount": plain(facts.amount)},
        "start": _iso(facts.start),
        "due": _iso(facts.due),
        "overdue": is_overdue(facts, day),
        "links": [dict(link) for link in facts.links],
        "claimed": {"state": facts.state.value, "on": _iso(facts.reported_on)},
        "evidence": {"links": list(facts.evidence), "seen_on": _iso(facts.evidenced_on)},
        "freshness": fresh.value if fresh else None,
        "superseded_by": facts.superseded_by,
        "published_on": _iso(facts.published_on),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def head(day: date, query: str, public_url: str, path: str, licence: str | None) -> Mapping[str, Any]:
    """Return what stands at the head of every answer: the day, the query that made it, and how it may be used."""
    address = f"{public_url}{path}" + (f"?{query}" if query else "")
    return {
        "as_of": day.isoformat(),
        "query": query,
        "made_by": address,
        "notice": NOTICE.format(day=day.isoformat()),
        **({"license": licence} if licence else {}),
    }
