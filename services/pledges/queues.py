"""What waits in the register, for its figures: pledges that came in, and what owners report."""

from services.pledges.domain.submissions import OPEN
from services.pledges.store.tables import reports, submissions
from shared import tasks
from shared.mail.queue import store as mails
from shared.queues import queue

QUEUES = (
    queue(
        "submissions",
        submissions,
        submissions.c.state.in_([state.value for state in OPEN]),
        state=submissions.c.state,
        kind="pledge",
        since=submissions.c.received_at,
    ),
    queue("reports", reports, reports.c.verdict.is_(None), since=reports.c.sent_at),
    tasks.WAITING,
    *mails.QUEUES,
)
