"""Requests for promotion on social media: taken up, corrected, withdrawn; they have no page of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain import StoredSubmission, submission_cause
from services.intake.domain.records import facts_for, told_files
from services.intake.store import records
from services.intake.store.tables import promotions
from shared import outbox
from shared.db import Transaction
from shared.events.intake import PromotionRequested, PromotionWithdrawn


async def accept(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Hand a request to those who draft posts; it has no page of its own."""
    record = await records.add(tx, promotions, found, fields, at)
    event = PromotionRequested(**facts_for(PromotionRequested, record), **_wishes(found), files=told_files(found))
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def correct(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Change what a request for promotion says, and tell it again."""
    record = await records.correct(tx, promotions, found.id, fields, at)
    event = PromotionRequested(**facts_for(PromotionRequested, record), **_wishes(found), files=told_files(found))
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def withdraw(tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
    """Take a request for promotion back, and tell those who may have plans with it."""
    record = await records.withdraw(tx, promotions, found.id, reason=reason, at=at)
    event = PromotionWithdrawn(reason=reason)
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def standing(tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return what a request for promotion says now."""
    return await records.fields_of(tx, promotions, submission_id)


def _wishes(found: StoredSubmission) -> dict[str, Any]:
    """Return what is wished for: it is not for publication, but those who draft need it."""
    return {name: found.internal[name] for name in ("networks", "wished") if name in found.internal}
