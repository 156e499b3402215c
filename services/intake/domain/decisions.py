"""The rules of decisions on submissions: who may make which, what they read before, and what is told of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.intake.domain.submissions import TWO_PERSONS, IntakeError, StoredSubmission, SubmissionState, title_of
from shared.events.every import DecisionMade, SubmissionDecided
from shared.trace import Cause

DECIDED_HERE = frozenset({"practice", "talk", "news", "contribution", "promotion"})
"""Kinds on which intake decides."""
DECIDED = {
    SubmissionState.ACCEPTED: "accept",
    SubmissionState.DECLINED: "decline",
    SubmissionState.WITHDRAWN: "withdraw",
    SubmissionState.QUESTION: "ask",
}


class AlreadyDecidedError(IntakeError):
    """Somebody has decided on this submission already; look at what they decided before deciding otherwise."""

    def __init__(self, state: SubmissionState) -> None:
        super().__init__(self.__doc__)
        self.state = state


class OwnWorkError(IntakeError):
    """Who entered something, or wrote last what the Network says in its own name, leaves its acceptance to somebody else."""


class ChangedMeanwhileError(IntakeError):
    """This was changed after it was read; read it as it stands now, then decide."""


class ReviewedElsewhereError(IntakeError):
    """Intake does not decide on this kind; the service that reviews it does, and tells intake."""


class ReviewedHereError(IntakeError):
    """Another service told a decision on a kind that intake reviews itself; an event never gives that right."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided on a submission."""

    state: SubmissionState
    reason: str | None = None
    reason_language: str | None = None
    address: str | None = None
    became: str | None = None  # id of what another service made of it
    revision: int = 0  # of the event that told it; 0 for a decision made here


def check_may_decide(submission: StoredSubmission, *, wanted: SubmissionState, by: str) -> None:
    """Return where the colleague `by` may bring a submission into the state `wanted`.

    Raises ReviewedElsewhereError for a kind that is not decided on here, AlreadyDecidedError where somebody was quicker,
    OwnWorkError for who may not accept it.
    """
    if submission.kind not in DECIDED_HERE:
        raise ReviewedElsewhereError(ReviewedElsewhereError.__doc__)
    ready = submission.state is SubmissionState.ACCEPTED if wanted is SubmissionState.WITHDRAWN else submission.is_open
    # A Talk is cancelled, with words for the public, and never taken away.
    if not ready or (wanted is SubmissionState.WITHDRAWN and submission.kind == "talk"):
        raise AlreadyDecidedError(submission.state)
    if wanted is SubmissionState.ACCEPTED and by in submission.hands:
        raise OwnWorkError(OwnWorkError.__doc__)


def check_was_read(submission: StoredSubmission, seen: str) -> None:
    """Return where a submission still is what `seen`, the fingerprint on the page, stands for; raises ChangedMeanwhileError.

    Who names none has decided by another road than the page.
    """
    if seen and seen != submission.fingerprint:
        raise ChangedMeanwhileError(ChangedMeanwhileError.__doc__)


def check_may_edit(submission: StoredSubmission) -> None:
    """Return where a colleague may change the words of a submission, or of what it became; raises as `check_may_decide` does."""
    if submission.kind not in DECIDED_HERE:
        raise ReviewedElsewhereError(ReviewedElsewhereError.__doc__)
    if not submission.is_open and submission.state is not SubmissionState.ACCEPTED:
        raise AlreadyDecidedError(submission.state)


def check_may_publish_draft(submission: StoredSubmission, *, by: str) -> None:
    """Return where the colleague `by` may publish what somebody has changed; raises as `check_may_decide` does."""
    check_has_correction(submission)
    if by in submission.hands:
        raise OwnWorkError(OwnWorkError.__doc__)


def check_has_correction(submission: StoredSubmission) -> None:
    """Return where a correction waits to be published; raises as `check_may_decide` does."""
    check_may_edit(submission)
    if submission.draft is None or submission.is_open:
        raise AlreadyDecidedError(submission.state)


def check_is_talk(submission: StoredSubmission) -> None:
    """Return where a submission has become a Talk; raises as `check_may_decide` does."""
    if submission.kind != "talk":
        raise ReviewedElsewhereError(ReviewedElsewhereError.__doc__)
    if submission.state is not SubmissionState.ACCEPTED:
        raise AlreadyDecidedError(submission.state)


def corrections_need_another(submission: StoredSubmission, *, by: str) -> bool:
    """Return whether a correction that `by` writes of what stands waits for another person: who entered it did not accept it either."""
    return submission.state is SubmissionState.ACCEPTED and (submission.kind in TWO_PERSONS or by == submission.entered_by)


def answered(submission: StoredSubmission, text: str, at: datetime) -> Sequence[Mapping[str, Any]]:
    """Return the answers of a submission with one more, to the question that is open; raises AlreadyDecidedError where none is."""
    if submission.state is not SubmissionState.QUESTION or submission.reason is None:
        raise AlreadyDecidedError(submission.state)
    return (*submission.answers, {"question": submission.reason, "text": text, "answered_at": at.isoformat()})


def told_decision(submission: StoredSubmission, told: SubmissionDecided, revision: int) -> Decision | None:
    """Return what another service decided, or None where something newer is already known.

    Raises ReviewedHereError for a kind that no other service may decide on.
    """
    if submission.is_reviewed_here:
        raise ReviewedHereError(ReviewedHereError.__doc__)
    if revision <= submission.decision_revision:
        return None
    return Decision(
        state=SubmissionState(told.verdict.value),
        reason=told.reason,
        reason_language=told.language if told.reason else None,
        address=told.address,
        became=told.became,
        revision=revision,
    )


def decision_made(
    submission: StoredSubmission, what: str, *, who: str, page: str, reason: str | None = None, fields: Mapping[str, Any] | None = None
) -> DecisionMade:
    """Return what the audit trail is told of a decision on a submission.

    `page` is where the team sees it; `fields` are the public ones as they were decided on, where they are others than its words.
    """
    words = submission.words if fields is None else fields
    title: Any = title_of(words, submission.internal, submission.language)  # the model reads what the database gave back
    content = orjson.dumps([words, submission.internal], option=orjson.OPT_SORT_KEYS)
    return DecisionMade(
        who=who,
        what=what,
        about=submission.kind,
        title=title,
        content_hash=hashlib.sha256(content).hexdigest(),
        reason=reason,
        address=page,
    )


def submission_cause(submission: StoredSubmission) -> Cause:
    """Return the cause of what a decision tells: the event that told of the submission, in the trace of its receipt."""
    return Cause(id=str(submission.event_id), trace_id=submission.id.hex)
