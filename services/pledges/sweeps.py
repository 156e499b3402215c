"""What is stuck in the register: pledges and reports that await nobody, acceptances that came to nothing, tasks about what is decided."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, cast, select

from services.pledges.domain.reports import REPORT_TASK
from services.pledges.domain.submissions import SubmissionState
from services.pledges.reporting import Reporting
from services.pledges.reviewing import REVIEW_TASK, Reviewing
from services.pledges.store import pledges, reports, submissions
from services.pledges.store.tables import pledges as pledge_rows
from services.pledges.store.tables import reports as report_rows
from services.pledges.store.tables import submissions as submission_rows
from shared import tasks
from shared.db import Transaction
from shared.events.codes import TaskEnd
from shared.mail.queue import store as mails
from shared.sweeps import BACK, TELLS, Promise, Stuck, Sweep, before, rows
from shared.task_sweeps import left_open, listens, not_asked
from shared.trace import Cause

_received = submission_rows.c.state == SubmissionState.RECEIVED.value
_waits = report_rows.c.verdict.is_(None)
_NOT_PUBLISHED = rows(
    select(submission_rows.c.id, submission_rows.c.decided_at.label("since")).where(
        submission_rows.c.state == SubmissionState.ACCEPTED.value,
        submission_rows.c.decided_at > before(BACK),
        ~select(pledge_rows.c.id).where(pledge_rows.c.submission_id == submission_rows.c.id).exists(),
    ),
    "not-published",
)


def sweeps_of(public_url: str, reviewing: Reviewing, reporting: Reporting) -> Sequence[Sweep]:
    """Return the sweeps of the register."""

    async def ask(tx: Transaction, one: Stuck) -> bool:
        found = await submissions.lock(tx, UUID(one.id))
        if found is None or found.state is not SubmissionState.RECEIVED:
            return False  # decided meanwhile
        await reviewing.ask_for_review(tx, found, cause=found.cause)
        return True

    async def ask_no_more(tx: Transaction, one: Stuck) -> bool:
        found = await submissions.lock(tx, UUID(one.id))
        if found is not None and found.state is SubmissionState.RECEIVED:
            return False
        return await tasks.close_task(tx, REVIEW_TASK, one.id, end=TaskEnd.WITHDRAWN, by=None, cause=Cause.start(UUID(one.id)))

    async def ask_about_report(tx: Transaction, one: Stuck) -> bool:
        found = await reports.find(tx, UUID(one.id))
        # In the order of whoever decides on it.
        pledge = await pledges.lock(tx, found.pledge_id) if found is not None else None
        report = await reports.find(tx, UUID(one.id), lock=True)
        if report is None or pledge is None or report.verdict is not None:
            return False
        await reporting.ask_for_review(tx, pledge, report.id, cause=Cause.start(report.id))
        return True

    async def ask_no_more_about_report(tx: Transaction, one: Stuck) -> bool:
        report = await reports.find(tx, UUID(one.id), lock=True)
        if report is not None and report.verdict is None:
            return False
        return await tasks.close_task(tx, REPORT_TASK, one.id, end=TaskEnd.WITHDRAWN, by=None, cause=Cause.start(UUID(one.id)))

    submission_id, report_id = cast(submission_rows.c.id, Text), cast(report_rows.c.id, Text)
    return (
        TELLS,
        *listens("pledges", public_url),
        Sweep(promise=Promise.KEPT, find=_NOT_PUBLISHED),
        Sweep(promise=Promise.ASKED, find=not_asked(REVIEW_TASK, submission_id, _received, submission_rows.c.received_at), mend=ask),
        Sweep(promise=Promise.ASKED, find=left_open(REVIEW_TASK, submission_id, _received), mend=ask_no_more),
        Sweep(promise=Promise.ASKED, find=not_asked(REPORT_TASK, report_id, _waits, report_rows.c.sent_at), mend=ask_about_report),
        Sweep(promise=Promise.ASKED, find=left_open(REPORT_TASK, report_id, _waits), mend=ask_no_more_about_report),
        *mails.SWEEPS,
    )
