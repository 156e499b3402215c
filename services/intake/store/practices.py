"""Practices: published, withdrawn, listed."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update

from services.intake.domain.practices import NewPractice, PracticeState, PracticeWords
from services.intake.domain.slugs import slugs_for
from services.intake.store.slugs import insert_under_free_slug
from services.intake.store.tables import practices
from shared.db import Transaction

FIRST_REVISION = 1


async def publish(tx: Transaction, practice: NewPractice, reference: str) -> str:
    """Return the last part of the public address of a practice that is now published."""
    return await insert_under_free_slug(
        tx,
        practices,
        slugs_for(practice.title, practice.language, reference),
        **asdict(practice),
        state=PracticeState.PUBLISHED.value,
        revision=FIRST_REVISION,
        updated_at=practice.published_at,
    )


async def correct(tx: Transaction, submission_id: UUID, words: PracticeWords, at: datetime) -> Row[Any]:
    """Change what a published practice says; returns it as it is now, its address the same."""
    done = await tx.execute(
        update(practices)
        .where(practices.c.submission_id == submission_id, practices.c.state == PracticeState.PUBLISHED.value)
        .values(**asdict(words), revision=practices.c.revision + 1, updated_at=at)
        .returning(practices)
    )
    row: Row[Any] = done.one()
    return row


async def withdraw(tx: Transaction, submission_id: UUID, *, reason: str, at: datetime) -> Row[Any]:
    """Take the practice of a submission from the public pages; returns its id and its new revision."""
    done = await tx.execute(
        update(practices)
        .where(practices.c.submission_id == submission_id, practices.c.state == PracticeState.PUBLISHED.value)
        .values(state=PracticeState.WITHDRAWN.value, revision=practices.c.revision + 1, withdrawn_because=reason, updated_at=at)
        .returning(practices.c.id, practices.c.revision)
    )
    row: Row[Any] = done.one()
    return row


async def of_submission(tx: Transaction, submission_id: UUID) -> Row[Any] | None:
    """Return the practice that a submission became, withdrawn or not, or None."""
    return (await tx.execute(select(practices).where(practices.c.submission_id == submission_id))).one_or_none()


async def by_slug(tx: Transaction, slug: str) -> Row[Any] | None:
    """Return a practice, withdrawn or not, or None where there is none."""
    return (await tx.execute(select(practices).where(practices.c.slug == slug))).one_or_none()


async def standing_among(tx: Transaction, slugs: Collection[str]) -> frozenset[str]:
    """Return the addresses among `slugs` at which a practice is published, and not withdrawn."""
    stands = select(practices.c.slug).where(practices.c.slug.in_(slugs), practices.c.state == PracticeState.PUBLISHED.value)
    return frozenset((await tx.execute(stands)).scalars())


def _published(objective: int | None, country: str | None) -> Select[Any]:
    chosen = select(practices).where(practices.c.state == PracticeState.PUBLISHED.value)
    if objective is not None:
        chosen = chosen.where(practices.c.objectives.contains([objective]))
    return chosen if country is None else chosen.where(practices.c.countries.contains([country]))


async def listing(tx: Transaction, *, objective: int | None, country: str | None, limit: int, offset: int) -> Sequence[Row[Any]]:
    """Return published practices, newest first."""
    chosen = _published(objective, country).order_by(practices.c.published_at.desc(), practices.c.id.desc())
    rows: Sequence[Row[Any]] = (await tx.execute(chosen.limit(limit).offset(offset))).all()
    return rows


async def count(tx: Transaction, *, objective: int | None, country: str | None) -> int:
    """Return how many published practices there are."""
    total: int = (await tx.execute(select(func.count()).select_from(_published(objective, country).subquery()))).scalar_one()
    return total


async def countries_named(tx: Transaction) -> Sequence[str]:
    """Return the codes of the countries that published practices are about."""
    named = select(func.unnest(practices.c.countries)).where(practices.c.state == PracticeState.PUBLISHED.value).distinct()
    codes: Sequence[str] = (await tx.execute(named)).scalars().all()
    return codes
