"""Statements, press releases, blog articles and news items: found and listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from services.intake.domain.records import RecordState
from services.intake.store.tables import news
from shared.db import Transaction


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which items a reader wants to see."""

    kind: str | None = None
    level: str | None = None
    objective: int | None = None
    country: str | None = None


async def by_slug(tx: Transaction, slug: str) -> Row[Any] | None:
    """Return an item, withdrawn or not, or None where there is none."""
    return (await tx.execute(select(news).where(news.c.slug == slug))).one_or_none()


def _published(filters: Filters) -> Select[Any]:
    chosen = select(news).where(news.c.state == RecordState.PUBLISHED.value)
    if filters.kind is not None:
        chosen = chosen.where(news.c.kind == filters.kind)
    if filters.level is not None:
        chosen = chosen.where(news.c.level == filters.level)
    if filters.objective is not None:
        chosen = chosen.where(news.c.objectives.contains([filters.objective]))
    return chosen if filters.country is None else chosen.where(news.c.countries.contains([filters.country]))


async def listing(tx: Transaction, filters: Filters, *, limit: int, offset: int = 0) -> Sequence[Row[Any]]:
    """Return published items, newest first."""
    chosen = _published(filters).order_by(news.c.published_at.desc(), news.c.id.desc())
    rows: Sequence[Row[Any]] = (await tx.execute(chosen.limit(limit).offset(offset))).all()
    return rows


async def count(tx: Transaction, filters: Filters) -> int:
    """Return how many published items there are."""
    total: int = (await tx.execute(select(func.count()).select_from(_published(filters).subquery()))).scalar_one()
    return total


async def countries_named(tx: Transaction) -> Sequence[str]:
    """Return the codes of the countries that published items are about."""
    named = select(func.unnest(news.c.countries)).where(news.c.state == RecordState.PUBLISHED.value).distinct()
    codes: Sequence[str] = (await tx.execute(named)).scalars().all()
    return codes
