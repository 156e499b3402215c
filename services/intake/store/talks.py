"""GCM Talks: announced, changed, listed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update

from services.intake.domain.slugs import slugs_for
from services.intake.domain.talks import StoredTalk, TalkState, when_of
from services.intake.store.slugs import insert_under_free_slug
from services.intake.store.tables import talks
from shared.db import Transaction

_STORED = tuple(talks.c[name] for name in StoredTalk.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which Talks a reader wants to see."""

    objective: int | None = None
    level: str | None = None
    region: str | None = None
    country: str | None = None
    format: str | None = None


async def add(tx: Transaction, talk: StoredTalk, reference: str) -> StoredTalk:
    """Return a Talk that is now kept, under an address of its own."""
    values = {name: value for name, value in asdict(talk).items() if name != "slug"} | {"state": talk.state.value}
    slugs = slugs_for(talk.fields["title"], talk.language, reference)
    slug = await insert_under_free_slug(tx, talks, slugs, **values, **_found_by(talk.fields))
    return replace(talk, slug=slug)


async def save(tx: Transaction, talk: StoredTalk) -> None:
    """Keep a Talk as it is now; its address stays."""
    values = {name: value for name, value in asdict(talk).items() if name not in {"id", "submission_id", "slug"}}
    await tx.execute(update(talks).where(talks.c.id == talk.id).values(**{**values, "state": talk.state.value}, **_found_by(talk.fields)))


def _found_by(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns by which lists find a Talk."""
    when = when_of(fields["when"])
    return {
        "format": fields["format"],
        "level": fields["level"],
        "objectives": list(fields.get("objectives", ())),
        "regions": list(fields.get("regions", ())),
        "countries": list(fields.get("countries", ())),
        "first_day": when.first_day,
        "last_day": when.last_day,
    }


async def _one(tx: Transaction, query: Select[Any]) -> StoredTalk | None:
    row = (await tx.execute(query)).mappings().one_or_none()
    return _talk(row) if row else None


def _talk(row: Mapping[Any, Any]) -> StoredTalk:
    return StoredTalk(**{**row, "state": TalkState(row["state"])})


async def by_slug(tx: Transaction, slug: str) -> StoredTalk | None:
    """Return the Talk of an address, or None."""
    return await _one(tx, select(*_STORED).where(talks.c.slug == slug))


async def of_submission(tx: Transaction, submission_id: UUID) -> StoredTalk | None:
    """Return the Talk that a submission became, or None."""
    return await _one(tx, select(*_STORED).where(talks.c.submission_id == submission_id))


async def lock(tx: Transaction, submission_id: UUID) -> StoredTalk | None:
    """Return the Talk that a submission became, which nobody else can change until the transaction ends, or None."""
    return await _one(tx, select(*_STORED).where(talks.c.submission_id == submission_id).with_for_update())


def _chosen(filters: Filters, today: date, *, past: bool) -> Select[Any]:
    over = talks.c.last_day < today
    chosen = select(*_STORED).where(over if past else or_(~over, talks.c.last_day.is_(None)))
    if filters.objective is not None:
        chosen = chosen.where(talks.c.objectives.contains([filters.objective]))
    if filters.level is not None:
        chosen = chosen.where(talks.c.level == filters.level)
    if filters.region is not None:
        chosen = chosen.where(talks.c.regions.contains([filters.region]))
    if filters.country is not None:
        chosen = chosen.where(talks.c.countries.contains([filters.country]))
    return chosen if filters.format is None else chosen.where(talks.c.format == filters.format)


async def listing(tx: Transaction, filters: Filters, *, today: date, past: bool, limit: int, offset: int) -> Sequence[StoredTalk]:
    """Return Talks: those to come with the next one first, or those that are over with the last one first."""
    order = (talks.c.first_day.desc(), talks.c.id.desc()) if past else (talks.c.first_day, talks.c.id)
    chosen = _chosen(filters, today, past=past).order_by(*order).limit(limit).offset(offset)
    return [_talk(row) for row in (await tx.execute(chosen)).mappings()]


async def count(tx: Transaction, filters: Filters, *, today: date, past: bool) -> int:
    """Return how many Talks there are."""
    total: int = (await tx.execute(select(func.count()).select_from(_chosen(filters, today, past=past).subquery()))).scalar_one()
    return total


async def countries_named(tx: Transaction) -> Sequence[str]:
    """Return the codes of the countries that Talks are about."""
    codes: Sequence[str] = (await tx.execute(select(func.unnest(talks.c.countries)).distinct())).scalars().all()
    return codes
