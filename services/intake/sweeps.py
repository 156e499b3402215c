"""What is stuck in intake: submissions of which nobody was told, decisions that came to nothing, tasks that are not as they should be."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, cast, or_, select

from services.intake.domain import StoredSubmission, SubmissionState
from services.intake.store import reviews, submissions
from services.intake.store.tables import contributions, news, notices, practices, promotions, receipts, talks
from services.intake.store.tables import submissions as rows_of
from shared import tasks
from shared.db import Transaction
from shared.events.codes import TaskEnd
from shared.mail.queue import store as mails
from shared.sweeps import BACK, TELLS, VERY_LATE, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import listens
from shared.trace import Cause

_BECAME = {"practice": practices, "talk": talks, "news": news, "contribution": contributions, "promotion": promotions}
_task, _subject = tasks.tasks, cast(rows_of.c.id, Text)
_open = _task.c.closed_at.is_(None)
_received = rows_of.c.state == SubmissionState.RECEIVED.value

_NO_SUBMISSION = rows(
    select(receipts.c.id, receipts.c.received_at.label("since")).where(
        receipts.c.raw_sealed.is_not(None),
        receipts.c.received_at > before(BACK),
        ~select(rows_of.c.id).where(rows_of.c.id == receipts.c.id).exists(),
    ),
    "no-submission",
)
_NOT_TOLD = rows(
    select(rows_of.c.id, rows_of.c.received_at.label("since"))
    .where(_received, rows_of.c.event_id.is_(None))
    .order_by(rows_of.c.received_at),
    "not-told",
)
_NOT_PUBLISHED = rows(
    select(rows_of.c.id, rows_of.c.decided_at.label("since")).where(
        rows_of.c.state == SubmissionState.ACCEPTED.value,
        rows_of.c.decided_at > before(BACK),
        or_(
            *(
                (rows_of.c.kind == kind) & ~select(table.c.id).where(table.c.submission_id == rows_of.c.id).exists()
                for kind, table in _BECAME.items()
            )
        ),
    ),
    "not-published",
)
_NO_MAIL = rows(
    select(notices.c.submission_id.label("id"), notices.c.decided_at.label("since"))
    .where(notices.c.ended_at.is_(None), notices.c.decided_at < before(VERY_LATE))
    .order_by(notices.c.decided_at),
    "not-written",
)
_NO_REVIEW = rows(
    select(rows_of.c.id, rows_of.c.received_at.label("since"))
    .where(
        _received,
        rows_of.c.kind.in_(reviews.AWAITED),
        ~select(_task.c.id).where(_open, _task.c.subject == _subject, _task.c.kind.startswith(reviews.REVIEW)).exists(),
    )
    .order_by(rows_of.c.received_at),
    "no-task",
)
_REVIEW_LEFT = rows(
    select(_task.c.subject.label("id"), _task.c.opened_at.label("since")).where(
        _open,
        _task.c.kind.startswith(reviews.REVIEW),
        ~select(rows_of.c.id).where(_subject == _task.c.subject, _received).exists(),
    ),
    "task-left",
)
_CORRECTION_LEFT = rows(
    select(_task.c.subject.label("id"), _task.c.opened_at.label("since")).where(
        _open,
        _task.c.kind.startswith(reviews.CORRECTION),
        ~select(rows_of.c.id)
        .where(_subject == _task.c.subject, rows_of.c.state == SubmissionState.ACCEPTED.value, rows_of.c.draft.is_not(None))
        .exists(),
    ),
    "task-left",
)


def _cause(found: StoredSubmission) -> Cause:
    return Cause(id=str(found.event_id or found.id), trace_id=found.id.hex)


def sweeps_of(public_url: str) -> Sequence[Sweep]:
    """Return the sweeps of intake; `public_url` stands before the addresses of what awaits people."""

    async def ask(tx: Transaction, one: Stuck) -> bool:
        found = await submissions.lock(tx, UUID(one.id))
        if found is None or found.state is not SubmissionState.RECEIVED:
            return False  # decided meanwhile
        await reviews.open_review(tx, found, public_url=public_url, cause=_cause(found))
        return True

    async def ask_no_more(tx: Transaction, one: Stuck) -> bool:
        found = await submissions.lock(tx, UUID(one.id))
        if found is None or found.state is SubmissionState.RECEIVED:
            return False
        await reviews.close_review(tx, found, by=None, cause=_cause(found), end=TaskEnd.WITHDRAWN)
        return True

    async def correct_no_more(tx: Transaction, one: Stuck) -> bool:
        found = await submissions.lock(tx, UUID(one.id))
        if found is None or (found.state is SubmissionState.ACCEPTED and found.draft is not None):
            return False
        await reviews.close_correction(tx, found, by=None, end=TaskEnd.WITHDRAWN, cause=_cause(found))
        return True

    return (
        TELLS,
        *listens("intake", public_url),
        *(Sweep(promise=Promise.KEPT, find=find) for find in (_NO_SUBMISSION, _NOT_TOLD, _NOT_PUBLISHED)),
        Sweep(promise=Promise.ASKED, find=_NO_REVIEW, mend=ask),
        Sweep(promise=Promise.ASKED, find=_REVIEW_LEFT, mend=ask_no_more),
        Sweep(promise=Promise.ASKED, find=_CORRECTION_LEFT, mend=correct_no_more),
        Sweep(promise=Promise.MAILED, find=_NO_MAIL),
        *mails.SWEEPS,
    )
