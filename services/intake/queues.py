"""What waits in intake, for its figures: submissions by kind, mails to their senders, and the files that are kept."""

from sqlalchemy import true

from services.intake.domain import DECIDED_HERE, SubmissionState
from services.intake.store.tables import files, notices, submissions
from shared import tasks
from shared.mail.queue import store as mails
from shared.queues import queue

_kind, _state = submissions.c.kind, submissions.c.state

QUEUES = (
    # What is decided elsewhere waits there, and is counted there.
    queue(
        "submissions",
        submissions,
        _state.in_([SubmissionState.RECEIVED.value, SubmissionState.QUESTION.value]) & _kind.in_([*DECIDED_HERE, "enquiry"]),
        state=_state,
        kind=_kind,
        since=submissions.c.received_at,
    ),
    queue(
        "submissions", submissions, _state == SubmissionState.UNCONFIRMED.value, state=_state, kind=_kind, since=submissions.c.received_at
    ),
    queue("notices", notices, notices.c.ended_at.is_(None), since=notices.c.decided_at),
    queue("files", files, true(), state="kept", since=None),
    tasks.WAITING,
    *mails.QUEUES,
)
