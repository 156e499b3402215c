"""Practices: published, corrected, withdrawn."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain import StoredSubmission, submission_cause
from services.intake.domain import practices as rules
from services.intake.domain.slugs import practice_path
from services.intake.store import practices
from shared import outbox
from shared.db import Transaction
from shared.events.intake import PracticeWithdrawn
from shared.ids import new_id


async def accept(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> str:
    """Publish a practice; returns the address of its page."""
    practice = rules.practice_from(found, fields, practice_id=new_id(), at=at)
    address = f"{public_url}{practice_path(await practices.publish(tx, practice, found.reference))}"
    event = rules.published_event(practice, address)
    await outbox.put(tx, event, subject=str(practice.id), cause=submission_cause(found), revision=practices.FIRST_REVISION)
    return address


async def correct(tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
    """Change what a practice says, and tell it again."""
    practice = await practices.correct(tx, found.id, rules.words_of(fields), at)
    event = rules.published_event(practice, f"{public_url}{practice_path(practice.slug)}")
    await outbox.put(tx, event, subject=str(practice.id), cause=submission_cause(found), revision=practice.revision)


async def withdraw(tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
    """Take a practice from the public pages, and tell those who may have plans with it."""
    practice = await practices.withdraw(tx, found.id, reason=reason, at=at)
    await outbox.put(
        tx, PracticeWithdrawn(reason=reason), subject=str(practice.id), cause=submission_cause(found), revision=practice.revision
    )


async def standing(tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
    """Return what a practice says now."""
    practice = await practices.of_submission(tx, submission_id)
    if practice is None:
        return None
    words = {name: getattr(practice, name) for name in rules.PracticeWords.__dataclass_fields__}
    return {name: value for name, value in words.items() if value is not None} | {"language": practice.language}
