"""What awaits people about a submission: its review, until it is decided on; and a correction that another person is to publish."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from services.intake.domain import DECIDED_HERE, NewSubmission, StoredSubmission
from shared import tasks
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause

PATH = "/intake/review/"
"""The page of a submission for the team is this with its id."""
ENQUIRIES = "/intake/enquiries/"
"""The page on which an enquiry is answered is this with its id."""
AWAITED = DECIDED_HERE | {"enquiry"}
"""The kinds of submission that await somebody here."""
REVIEW = "review-"
"""The kind of task that asks for a review is this with the kind of submission."""
CORRECTION = "publish-"
"""And that which asks another person to publish a correction."""


async def open_review(tx: Transaction, submission: NewSubmission | StoredSubmission, *, public_url: str, cause: Cause) -> None:
    """Let a submission await a moderator, those who may not accept it left out; nothing happens where nobody can decide here."""
    if submission.kind in AWAITED:
        await _open(tx, f"{REVIEW}{submission.kind}", submission.id, submission.title, submission.hands, public_url, cause)


async def close_review(tx: Transaction, submission: StoredSubmission, *, by: str | None, cause: Cause, end: TaskEnd = TaskEnd.DONE) -> None:
    """Let it await nobody any more, since `by` has decided on it or asked its sender something."""
    await tasks.close_task(tx, f"{REVIEW}{submission.kind}", str(submission.id), end=end, by=by, cause=cause)


async def open_correction(tx: Transaction, submission: StoredSubmission, *, public_url: str, cause: Cause) -> None:
    """Let a correction await another person than who wrote it."""
    kind = f"{CORRECTION}{submission.kind}"
    await _open(tx, kind, submission.id, submission.title, submission.hands, public_url, cause)


async def close_correction(tx: Transaction, submission: StoredSubmission, *, by: str | None, end: TaskEnd, cause: Cause) -> None:
    """Let a correction await nobody any more."""
    await tasks.close_task(tx, f"{CORRECTION}{submission.kind}", str(submission.id), end=end, by=by, cause=cause)


async def _open(tx: Transaction, kind: str, submission_id: UUID, title: Any, hands: Iterable[str], public_url: str, cause: Cause) -> None:
    task = Task(
        kind=kind,
        subject=str(submission_id),
        role=Role.MODERATOR,
        title=title,
        address=f"{public_url}{ENQUIRIES if kind == 'review-enquiry' else PATH}{submission_id}",
        not_by=tuple(sorted(hands)),
    )
    await tasks.open_task(tx, task, cause=cause)
