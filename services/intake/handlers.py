"""Events in: what other services decide on the submissions that they review."""

from uuid import UUID

from services.intake.domain import UnknownSubmissionError, told_decision
from services.intake.store import submissions
from shared.auth import people
from shared.db import Transaction
from shared.events.every import SubmissionDecided
from shared.listening import Received, each, listeners


async def note_decision(tx: Transaction, event: Received[SubmissionDecided]) -> None:
    """Show on the tracking page what the reviewing service decided; an older word than the one known changes nothing."""
    submission = await submissions.lock(tx, UUID(event.subject))
    if submission is None:
        raise UnknownSubmissionError(UnknownSubmissionError.__doc__)
    decision = told_decision(submission, event.data, event.revision)
    if decision is not None:
        await submissions.decide(tx, submission.id, decision, event.time)


LISTENS = listeners(each(SubmissionDecided, note_decision), people.LISTENER)
