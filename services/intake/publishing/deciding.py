"""A decision on a submission: written down, told to the audit trail, and awaited by nobody any more."""

from collections.abc import Mapping
from typing import Any

from services.intake import domain
from services.intake.domain import DECIDED, Decision, StoredSubmission
from services.intake.store import reviews, submissions
from services.intake.store.reviews import PATH
from shared import clock, outbox
from shared.auth.tokens import Person
from shared.db import Transaction


async def decide(tx: Transaction, found: StoredSubmission, decision: Decision, *, by: Person, public_url: str) -> None:
    """Write a decision on a submission down, with all that follows from any of them."""
    await submissions.decide(tx, found.id, decision, clock.now(), by=by)
    await note(tx, found, DECIDED[decision.state], by=by, public_url=public_url, reason=decision.reason)
    await reviews.close_review(tx, found, by=by.id, cause=domain.submission_cause(found))


async def note(
    tx: Transaction,
    found: StoredSubmission,
    what: str,
    *,
    by: Person,
    public_url: str,
    reason: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> None:
    """Tell the audit trail what a person has done with a submission or with what it became."""
    page = f"{public_url}{PATH}{found.id}"
    event = domain.decision_made(found, what, who=by.id, page=page, reason=reason, fields=fields)
    await outbox.put(tx, event, subject=str(found.id), cause=domain.submission_cause(found))
