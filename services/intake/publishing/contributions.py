"""Contributions to the newsletter: accepted, corrected, withdrawn; they have no page of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain import StoredSubmission, submission_cause
from services.intake.domain.records import facts_for, told_files
from services.intake.store import records
from services.intake.store.tables import contributions
from shared import outbox
from shared.db import Transaction
from shared.events.intake import ContributionAccepted, ContributionWithdrawn


async def accept(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Hand a contribution to the newsletter; it has no page until an issue prints it."""
    record = await records.add(tx, contributions, found, fields, at)
    event = ContributionAccepted(**facts_for(ContributionAccepted, record), files=told_files(found))
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def correct(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Change what a contribution to the newsletter says, and tell it again."""
    record = await records.correct(tx, contributions, found.id, fields, at)
    event = ContributionAccepted(**facts_for(ContributionAccepted, record), files=told_files(found))
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def withdraw(tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
    """Take a contribution to the newsletter back, and tell those who may have plans with it."""
    record = await records.withdraw(tx, contributions, found.id, reason=reason, at=at)
    event = ContributionWithdrawn(reason=reason)
    await outbox.put(tx, event, subject=str(record.id), cause=submission_cause(found), revision=record.revision)


async def standing(tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return what a contribution to the newsletter says now."""
    return await records.fields_of(tx, contributions, submission_id)
