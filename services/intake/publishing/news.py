"""Statements, press releases, blog articles and news items: published, corrected, withdrawn."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain import StoredSubmission, submission_cause
from services.intake.domain.records import facts_for
from services.intake.domain.slugs import news_path, slugs_for
from services.intake.store import records
from services.intake.store.tables import news
from shared import outbox
from shared.db import Transaction
from shared.events.intake import NewsPublished, NewsWithdrawn


async def accept(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> str:
    """Publish an item; returns the address of its page."""
    slugs = slugs_for(fields["title"], found.language, found.reference)
    item = await records.add(tx, news, found, fields, at, slugs=slugs, **_found_by(fields))
    event = NewsPublished(**facts_for(NewsPublished, item), address=f"{public_url}{news_path(item.slug)}")
    await outbox.put(tx, event, subject=str(item.id), cause=submission_cause(found), revision=item.revision)
    return f"{public_url}{news_path(item.slug)}"


async def correct(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Change what an item says, and tell it again."""
    item = await records.correct(tx, news, found.id, fields, at, **_found_by(fields))
    event = NewsPublished(**facts_for(NewsPublished, item), address=f"{public_url}{news_path(item.slug)}")
    await outbox.put(tx, event, subject=str(item.id), cause=submission_cause(found), revision=item.revision)


async def withdraw(tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
    """Take an item from the public pages, and tell those who may have plans with it."""
    item = await records.withdraw(tx, news, found.id, reason=reason, at=at)
    await outbox.put(tx, NewsWithdrawn(reason=reason), subject=str(item.id), cause=submission_cause(found), revision=item.revision)


async def standing(tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return what an item says now."""
    return await records.fields_of(tx, news, submission_id)


def _found_by(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns by which lists find an item."""
    lists = {name: list(fields.get(name, ())) for name in ("objectives", "countries")}
    return {"kind": fields["kind"], "level": fields["level"], **lists}
