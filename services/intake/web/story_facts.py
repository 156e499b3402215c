"""Intake's part of the story of one thing: it came in at a door, and somebody decided on it."""

from collections.abc import Sequence
from uuid import UUID

from services.intake.domain import SubmissionState
from services.intake.store import submissions
from services.intake.store.reviews import PATH
from shared.db import Transaction
from shared.operations.story import Fact


async def facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    """Return what intake did within the trace of this id, which is also that of the receipt."""
    submission = await submissions.find(tx, UUID(trace_id))
    if submission is None:
        return ()
    address = f"{PATH}{submission.id}"
    came = Fact(
        time=submission.received_at,
        title_key=f"staff.fact.{submission.channel}",
        params={"reference": submission.reference},
        address=address,
    )
    known = [came]
    if submission.contact_confirmed_at is not None:
        known.append(Fact(time=submission.contact_confirmed_at, title_key="staff.fact.confirmed", address=address))
    if submission.decided_at is None or submission.state is SubmissionState.RECEIVED:
        return known
    return *known, Fact(time=submission.decided_at, title_key=f"staff.fact.{submission.state.value}", address=address)
