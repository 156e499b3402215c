"""The review of pledges: what comes in awaits a moderator, who publishes it, declines it or asks; and corrects what was published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.pledges import telling
from services.pledges.domain.pledges import (
    Change,
    Facts,
    NewPledge,
    Pledge,
    Standing,
    UnknownPledgeError,
    WithdrawnError,
    facts_of,
    pledge_path,
)
from services.pledges.domain.reports import REPORT_TASK, Verdict
from services.pledges.domain.submissions import (
    Doubtful,
    DoubtsError,
    StoredSubmission,
    SubmissionState,
    check_may_decide,
    doubts_of,
    number_as_written,
)
from services.pledges.store import pledges, reports, submissions
from shared import clock, tasks
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import Role, TaskEnd
from shared.events.codes import Verdict as Told
from shared.events.intake import SubmissionReceived
from shared.ids import new_id
from shared.listening import Received
from shared.tasks import Task
from shared.trace import Cause

REVIEW = "/pledges/review/"
"""The page of a submission for the team is this with its id."""
REVIEW_TASK, LOOK_AGAIN_TASK = "review-pledge", "look-again-pledge"
"""What awaits a moderator: a decision; and, where that was made, what its sender has said since."""


@dataclass(frozen=True, kw_only=True)
class Reviewing:
    """Decides on pledges; `public_url` is where this site is reached."""

    public_url: str

    async def take_in(self, tx: Transaction, event: Received[SubmissionReceived]) -> None:
        """Let a pledge that came in, or whose sender has answered, await a moderator.

        No word opens again what was decided; a moderator looks at what came too late for it, and may correct what was published.
        """
        submission = await submissions.take_in(tx, event)
        if submission is not None:
            await self.ask_for_review(tx, submission, cause=event.as_cause())

    async def ask_for_review(self, tx: Transaction, submission: StoredSubmission, *, cause: Cause) -> None:
        """Let a pledge await a moderator."""
        task = Task(
            kind=REVIEW_TASK if submission.is_open else LOOK_AGAIN_TASK,
            subject=str(submission.id),
            role=Role.MODERATOR,
            title=submission.public["title"],
            address=self.page_of(submission.id),
            not_by=(submission.entered_by,) if submission.entered_by and submission.is_open else (),
        )
        await tasks.open_task(tx, task, cause=cause)

    async def look_again(self, tx: Transaction, submission: StoredSubmission, moderator: Person) -> None:
        """Let what came after the decision await nobody any more, since a moderator has looked at it; it stays to be read."""
        await tasks.close_task(tx, LOOK_AGAIN_TASK, str(submission.id), end=TaskEnd.DONE, by=moderator.id, cause=submission.cause)

    def page_of(self, submission_id: UUID) -> str:
        """Return the address of a submission's page."""
        return f"{self.public_url}{REVIEW}{submission_id}"

    async def accept(self, tx: Transaction, submission: StoredSubmission, moderator: Person, *, doubts_seen: bool) -> Pledge:
        """Return the pledge that a submission becomes, which now stands on the register; lock the submission before.

        Raises AlreadyDecidedError, OwnWorkError, and DoubtsError where something should be looked at and nobody says that they have.
        """
        check_may_decide(submission, moderator.id, accept=True)
        facts = facts_in(submission)
        if not doubts_seen and await doubts(tx, facts, submission.public.get("matched_title")):
            raise DoubtsError(DoubtsError.__doc__)
        new = NewPledge(
            id=new_id(),
            submission_id=submission.id,
            facts=facts,
            contact_sealed=submission.contact_sealed,
            trace_id=submission.trace_id,
        )
        pledge = await pledges.publish(tx, new, by=moderator.id)
        await self._decide(tx, submission, SubmissionState.ACCEPTED, moderator, pledge=pledge)
        await telling.tell(tx, telling.published(pledge, self.public_url, cause=submission.cause))
        return pledge

    async def decline(self, tx: Transaction, submission: StoredSubmission, moderator: Person, reason: str, language: str) -> None:
        """Decline a submission; its sender reads the reason. Raises AlreadyDecidedError; lock the submission before."""
        check_may_decide(submission, moderator.id)
        await self._decide(tx, submission, SubmissionState.DECLINED, moderator, reason=reason, language=language)

    async def ask(self, tx: Transaction, submission: StoredSubmission, moderator: Person, question: str, language: str) -> None:
        """Ask the sender something before deciding. Raises AlreadyDecidedError; lock the submission before."""
        check_may_decide(submission, moderator.id)
        await self._decide(tx, submission, SubmissionState.QUESTION, moderator, reason=question, language=language)

    async def _decide(
        self,
        tx: Transaction,
        submission: StoredSubmission,
        state: SubmissionState,
        moderator: Person,
        *,
        reason: str | None = None,
        language: str = "",
        pledge: Pledge | None = None,
    ) -> None:
        """Write a decision down, tell the door and the audit trail of it, and let it await nobody any more."""
        revision = await submissions.decide(tx, submission.id, state, reason, by=moderator)
        what, verdict = _DECIDED[state]
        decided = telling.Decided(
            verdict=verdict,
            language=language or submission.language,  # type: ignore[arg-type]  # the model reads what form and database gave
            reason=reason,
            became=str(pledge.id) if pledge else None,
            address=f"{self.public_url}{pledge_path(pledge.number)}" if pledge else None,
        )
        await telling.tell_decided(tx, submission, decided, revision)
        decision = telling.Decision(
            what=what,
            by=moderator,
            title=submission.public["title"],
            content=[submission.public, submission.internal],
            page=self.page_of(submission.id),
            reason=reason,
        )
        await telling.tell_decision(tx, decision, subject=submission.id, cause=submission.cause)
        await tasks.close_task(tx, REVIEW_TASK, str(submission.id), end=TaskEnd.DONE, by=moderator.id, cause=submission.cause)

    # ---- what stands on the register ----

    async def correct(self, tx: Transaction, pledge: Pledge, public: dict[str, Any], moderator: Person, *, cause: Cause) -> Pledge:
        """Return a pledge with other texts and codes, under the same number and address; lock it before.

        `public` are the public fields of a PledgeSubmission. What its owner reported stays. Raises WithdrawnError.
        """
        _check_stands(pledge)
        facts = corrected(pledge.facts, public)
        if facts == pledge.facts:
            return pledge
        changed = await pledges.change(tx, pledge, facts, Change.EDITED, by=moderator.id)
        await telling.tell(tx, telling.published(changed, self.public_url, cause=cause))
        await self._note(tx, "change", changed, moderator, cause=cause)
        return changed

    async def withdraw(self, tx: Transaction, pledge: Pledge, reason: str, moderator: Person, *, cause: Cause) -> Pledge:
        """Return a pledge that no longer stands on the register; its address stays and says so. Raises WithdrawnError; lock it before."""
        _check_stands(pledge)
        facts = replace(pledge.facts, standing=Standing.WITHDRAWN, withdrawn_because=reason)
        changed = await pledges.change(tx, pledge, facts, Change.WITHDRAWN, by=moderator.id)
        await reports.end_links(tx, pledge.id)
        await self._end_reports(tx, changed, reason, moderator, cause=cause)
        await telling.tell(tx, telling.withdrawn(changed, cause=cause))
        await self._note(tx, "withdraw", changed, moderator, cause=cause, reason=reason)
        return changed

    async def _end_reports(self, tx: Transaction, pledge: Pledge, reason: str, moderator: Person, *, cause: Cause) -> None:
        """Let what its owner reported, and nobody has looked at yet, await nobody any more; it says why, and stays to be read."""
        for report in await reports.waiting_on(tx, pledge.id):
            await reports.decide(tx, report.id, Verdict.WITHDRAWN, reason, by=moderator)
            await tasks.close_task(tx, REPORT_TASK, str(report.id), end=TaskEnd.WITHDRAWN, by=moderator.id, cause=cause)

    async def _note(self, tx: Transaction, what: str, pledge: Pledge, by: Person, *, cause: Cause, reason: str | None = None) -> None:
        decision = telling.Decision(
            what=what,
            by=by,
            title=pledge.facts.title,
            content=pledges.values_of(pledge.facts),
            page=f"{self.public_url}{manage_path(pledge.number)}",
            reason=reason,
        )
        await telling.tell_decision(tx, decision, subject=pledge.id, cause=cause)


_DECIDED = {
    SubmissionState.ACCEPTED: ("accept", Told.ACCEPTED),
    SubmissionState.DECLINED: ("decline", Told.DECLINED),
    SubmissionState.QUESTION: ("ask", Told.QUESTION),
}


def manage_path(number: str) -> str:
    """Return the path of the page on which the team looks after a pledge."""
    return f"/pledges/manage/{number}"


def facts_in(submission: StoredSubmission) -> Facts:
    """Return the facts of a pledge as its sender has them, published today."""
    facts = facts_of(submission.public, published_on=clock.now().date())
    return replace(facts, matched_number=number_as_written(facts.matched_number)) if facts.matched_number else facts


async def doubts(tx: Transaction, facts: Facts, matched_title: str | None) -> Sequence[Doubtful]:
    """Return what a person should look at before these facts are published."""
    matched = await pledges.by_number(tx, facts.matched_number) if facts.matched_number else None
    return doubts_of(facts, matched_title, matched=matched, alike=await pledges.alike(tx, facts))


def corrected(facts: Facts, public: dict[str, Any]) -> Facts:
    """Return facts with the texts and codes of `public`; what was reported and when it was published stays."""
    new = facts_of(public, published_on=facts.published_on, synthetic=facts.synthetic)
    kept = ("standing", "withdrawn_because", "state", "progress", "reported_on", "evidence", "evidenced_on", "superseded_by")
    matched = number_as_written(new.matched_number) if new.matched_number else None
    return replace(new, matched_number=matched, **{name: getattr(facts, name) for name in kept})


def _check_stands(pledge: Pledge) -> None:
    if pledge.facts.standing is Standing.WITHDRAWN:
        raise WithdrawnError(WithdrawnError.__doc__)


async def locked(tx: Transaction, number: str) -> Pledge:
    """Return the pledge of a number, locked until the transaction ends; raises UnknownPledgeError."""
    found = await pledges.by_number(tx, number)
    pledge = await pledges.lock(tx, found.id) if found else None
    if pledge is None:
        raise UnknownPledgeError(UnknownPledgeError.__doc__)
    return pledge
