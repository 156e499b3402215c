"""The review of a submission as a task of the moderators: opened when it awaits a decision, closed when it has one."""

from typing import Any
from uuid import UUID

from sqlalchemy import cast, select

from services.intake.domain import DECIDED_HERE, OPEN, NewSubmission, StoredSubmission, title_of
from services.intake.store.tables import submissions
from shared import tasks
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.tasks import Task
from shared.trace import Cause

PATH = "/intake/review/"
"""The page of a submission for the team is this with its id."""


async def open_review(tx: Transaction, submission: NewSubmission | StoredSubmission, *, public_url: str, cause: Cause) -> None:
    """Let a submission await a moderator; nothing happens for a kind on which nobody can decide here."""
    if submission.kind in DECIDED_HERE:
        await _open(tx, submission.id, submission.kind, submission.title, public_url, cause)


async def close_review(tx: Transaction, submission: StoredSubmission, *, by: str, cause: Cause) -> None:
    """Let it await nobody any more, since `by` has decided on it."""
    await tasks.close_task(tx, f"review-{submission.kind}", str(submission.id), end=TaskEnd.DONE, by=by, cause=cause)


async def open_missing(tx: Transaction, *, public_url: str, limit: int) -> int:
    """Let submissions await a moderator that wait and of which nobody was told: those from before there were tasks. Returns how many."""
    has_task = select(tasks.tasks.c.id).where(
        tasks.tasks.c.subject == cast(submissions.c.id, tasks.tasks.c.subject.type), tasks.tasks.c.closed_at.is_(None)
    )
    waiting = (
        select(*(submissions.c[name] for name in ("id", "kind", "language", "public", "internal", "event_id")))
        .where(submissions.c.state.in_([state.value for state in OPEN]), submissions.c.kind.in_(DECIDED_HERE), ~has_task.exists())
        .order_by(submissions.c.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.execute(waiting)).all()
    for row in rows:
        title = title_of(row.public, row.internal, row.language)
        await _open(tx, row.id, row.kind, title, public_url, Cause(id=str(row.event_id or row.id), trace_id=row.id.hex))
    return len(rows)


async def _open(tx: Transaction, submission_id: UUID, kind: str, title: Any, public_url: str, cause: Cause) -> None:
    # Nobody is kept from it: whoever sends by form or webhook does not work here.
    task = Task(
        kind=f"review-{kind}", subject=str(submission_id), role=Role.MODERATOR, title=title, address=f"{public_url}{PATH}{submission_id}"
    )
    await tasks.open_task(tx, task, cause=cause)
