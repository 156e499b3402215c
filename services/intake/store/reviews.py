"""What awaits people about a submission: its review, until it is decided on; and a correction that another person is to publish."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import cast, select

from services.intake.domain import DECIDED_HERE, NewSubmission, StoredSubmission, SubmissionState, title_of
from services.intake.store.tables import submissions
from shared import tasks
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause

PATH = "/intake/review/"
"""The page of a submission for the team is this with its id."""
ENQUIRIES = "/intake/enquiries/"
"""The page on which an enquiry is answered is this with its id."""
_AWAITED = DECIDED_HERE | {"enquiry"}


async def open_review(tx: Transaction, submission: NewSubmission | StoredSubmission, *, public_url: str, cause: Cause) -> None:
    """Let a submission await a moderator, those who may not accept it left out; nothing happens where nobody can decide here."""
    if submission.kind in _AWAITED:
        await _open(tx, f"review-{submission.kind}", submission.id, submission.title, submission.hands, public_url, cause)


async def close_review(tx: Transaction, submission: StoredSubmission, *, by: str, cause: Cause) -> None:
    """Let it await nobody any more, since `by` has decided on it or asked its sender something."""
    await tasks.close_task(tx, f"review-{submission.kind}", str(submission.id), end=TaskEnd.DONE, by=by, cause=cause)


async def open_correction(tx: Transaction, submission: StoredSubmission, *, public_url: str, cause: Cause) -> None:
    """Let a correction await another person than who wrote it."""
    kind = f"publish-{submission.kind}"
    await _open(tx, kind, submission.id, submission.title, submission.hands, public_url, cause)


async def close_correction(tx: Transaction, submission: StoredSubmission, *, by: str, end: TaskEnd, cause: Cause) -> None:
    """Let a correction await nobody any more."""
    await tasks.close_task(tx, f"publish-{submission.kind}", str(submission.id), end=end, by=by, cause=cause)


async def open_missing(tx: Transaction, *, public_url: str, limit: int) -> int:
    """Let submissions await a moderator that wait and of which nobody was told: those from before there were tasks. Returns how many."""
    has_task = select(tasks.tasks.c.id).where(
        tasks.tasks.c.subject == cast(submissions.c.id, tasks.tasks.c.subject.type), tasks.tasks.c.closed_at.is_(None)
    )
    # What has a question waits for its sender.
    waiting = (
        select(*(submissions.c[name] for name in ("id", "kind", "language", "public", "internal", "event_id", "entered_by")))
        .where(submissions.c.state == SubmissionState.RECEIVED.value, submissions.c.kind.in_(_AWAITED), ~has_task.exists())
        .order_by(submissions.c.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.execute(waiting)).all()
    for row in rows:
        cause = Cause(id=str(row.event_id or row.id), trace_id=row.id.hex)
        hands = [row.entered_by] if row.entered_by else []
        await _open(tx, f"review-{row.kind}", row.id, title_of(row.public, row.internal, row.language), hands, public_url, cause)
    return len(rows)


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
