"""What owners report: kept until a moderator has looked at it, public from then on; and whom the register asks."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.pledges import telling
from services.pledges.domain.pledges import Change, Pledge, PledgeError, Standing, UnknownPledgeError, WithdrawnError
from services.pledges.domain.reports import REPORT_TASK, Report, ReportForm, Verdict, facts_after, report_from
from services.pledges.domain.submissions import AlreadyDecidedError
from services.pledges.letters import Letters, Mail
from services.pledges.store import pledges, reports
from shared import clock, tasks
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import PledgeState, Role, TaskEnd
from shared.events.kinds.parts import Contact
from shared.ids import new_id
from shared.tasks import Task
from shared.trace import Cause

REPORTS = "/pledges/reports/"
"""The page of a report for the team is this with its id."""
WAITING_MAX = 20
"""More reports on one pledge than this do not wait at once: whoever holds a link cannot fill the moderators' list."""


class TooManyWaitingError(PledgeError):
    """So many reports on this pledge wait for a moderator that no other is taken; try again when some were looked at."""


class NoSuccessorError(PledgeError):
    """The pledge that is to have taken its place is not on the register."""


class NothingToShowError(PledgeError):
    """Nothing was reported on this pledge that evidence could show."""


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """Takes reports, and lets moderators decide on them; `public_url` is where this site is reached."""

    public_url: str
    letters: Letters

    async def take(self, tx: Transaction, pledge: Pledge, form: ReportForm, *, cause: Cause) -> Report:
        """Return a report that now awaits a moderator, of the same words once more the one that does; lock the pledge before.

        Raises WithdrawnError, NoSuccessorError, TooManyWaitingError.
        """
        if pledge.facts.standing is Standing.WITHDRAWN:
            raise WithdrawnError(WithdrawnError.__doc__)
        if form.superseded_by is not None:
            successor = await pledges.by_number(tx, form.superseded_by)
            if successor is None or successor.id == pledge.id or successor.facts.standing is Standing.WITHDRAWN:
                raise NoSuccessorError(NoSuccessorError.__doc__)
        report = report_from(form, report_id=new_id(), pledge_id=pledge.id, at=clock.now())
        waiting = await reports.waiting_on(tx, pledge.id)
        if (same := next((one for one in waiting if _content_of(one) == _content_of(report)), None)) is not None:
            return same  # a button pressed twice
        if len(waiting) >= WAITING_MAX:
            raise TooManyWaitingError(TooManyWaitingError.__doc__)
        await reports.keep(tx, [report])
        await self.ask_for_review(tx, pledge, report.id, cause=cause)
        return report

    async def ask_for_review(self, tx: Transaction, pledge: Pledge, report_id: UUID, *, cause: Cause) -> None:
        """Let a report on a pledge await a moderator."""
        task = Task(
            kind=REPORT_TASK,
            subject=str(report_id),
            role=Role.MODERATOR,
            title=pledge.facts.title,  # type: ignore[arg-type]  # the model reads what the database gave back
            address=self.page_of(report_id),
        )
        await tasks.open_task(tx, task, cause=cause)

    def page_of(self, report_id: UUID) -> str:
        """Return the address of a report's page."""
        return f"{self.public_url}{REPORTS}{report_id}"

    async def accept(self, tx: Transaction, report: Report, moderator: Person, *, evidenced: bool, cause: Cause) -> Pledge:
        """Return the pledge as it stands once a report is taken; lock pledge and report before, in this order.

        `evidenced` says that the moderator saw the evidence, and that it shows what is claimed. Raises AlreadyDecidedError,
        WithdrawnError.
        """
        pledge = await self._pledge_of(tx, report)
        if pledge.facts.standing is Standing.WITHDRAWN:
            raise WithdrawnError(WithdrawnError.__doc__)
        shown_on = clock.now().date() if evidenced and report.evidence else None
        facts = facts_after(pledge.facts, report, evidenced_on=shown_on)
        await self._decide(tx, report, pledge, Verdict.ACCEPTED, moderator, cause=cause)
        if facts is None:
            return pledge
        changed = await pledges.change(tx, pledge, facts, Change.REPORTED, by=moderator.id)
        await telling.tell(tx, telling.reported(pledge.facts, changed, dict(report.note), self.public_url, cause=cause))
        return changed

    async def decline(self, tx: Transaction, report: Report, moderator: Person, reason: str, *, cause: Cause) -> None:
        """Take a report not; its owner is mailed the reason and a fresh link. Raises AlreadyDecidedError; lock as for `accept`."""
        pledge = await self._pledge_of(tx, report)
        await self._decide(tx, report, pledge, Verdict.DECLINED, moderator, cause=cause, reason=reason)
        if pledge.facts.standing is Standing.PUBLISHED:
            await self.letters.write(tx, pledge, Mail.DECLINED, reason=reason)

    async def _pledge_of(self, tx: Transaction, report: Report) -> Pledge:
        if report.verdict is not None:
            raise AlreadyDecidedError(AlreadyDecidedError.__doc__)
        pledge = await pledges.lock(tx, report.pledge_id)
        if pledge is None:
            raise UnknownPledgeError(UnknownPledgeError.__doc__)
        return pledge

    async def _decide(
        self,
        tx: Transaction,
        report: Report,
        pledge: Pledge,
        verdict: Verdict,
        moderator: Person,
        *,
        cause: Cause,
        reason: str | None = None,
    ) -> None:
        await reports.decide(tx, report.id, verdict, reason, by=moderator)
        decision = telling.Decision(
            what="accept-report" if verdict is Verdict.ACCEPTED else "decline-report",
            by=moderator,
            title=pledge.facts.title,
            content=_content_of(report),
            page=self.page_of(report.id),
            reason=reason,
        )
        await telling.tell_decision(tx, decision, subject=pledge.id, cause=cause)
        await tasks.close_task(tx, REPORT_TASK, str(report.id), end=TaskEnd.DONE, by=moderator.id, cause=cause)

    async def evidence(self, tx: Transaction, pledge: Pledge, moderator: Person, *, page: str, cause: Cause) -> Pledge:
        """Return a pledge of which a moderator saw that the evidence shows what was reported last; lock it before.

        Raises WithdrawnError, NothingToShowError.
        """
        facts = pledge.facts
        if facts.standing is Standing.WITHDRAWN:
            raise WithdrawnError(WithdrawnError.__doc__)
        if not facts.evidence or facts.evidenced:
            raise NothingToShowError(NothingToShowError.__doc__)
        changed = await pledges.change(tx, pledge, replace(facts, evidenced_on=clock.now().date()), Change.EVIDENCED, by=moderator.id)
        decision = telling.Decision(what="evidence", by=moderator, title=facts.title, content=list(facts.evidence), page=page)
        await telling.tell_decision(tx, decision, subject=pledge.id, cause=cause)
        if facts.state is PledgeState.FULFILLED:
            # The same fact, told again with where it can be seen.
            await telling.tell(tx, telling.reported(facts, changed, None, self.public_url, cause=cause))
        return changed

    async def reassign(
        self, tx: Transaction, pledge: Pledge, contact: Contact, *, reason: str, by: Person, page: str, cause: Cause
    ) -> None:
        """Let another person be asked about a pledge from now on, and write to them; the links mailed before lead nowhere any more.

        Lock the pledge before. Raises WithdrawnError.
        """
        if pledge.facts.standing is Standing.WITHDRAWN:
            raise WithdrawnError(WithdrawnError.__doc__)
        sealed = self.letters.sealed(contact.name, contact.mail)
        await pledges.set_contact(tx, pledge.id, sealed)
        await reports.end_links(tx, pledge.id)
        await self.letters.write(tx, replace(pledge, contact_sealed=sealed), Mail.REASSIGNED)
        # Who they are stays here: the trail says that it was done, by whom and why.
        decision = telling.Decision(what="reassign", by=by, title=pledge.facts.title, content=[pledge.number], page=page, reason=reason)
        await telling.tell_decision(tx, decision, subject=pledge.id, cause=cause)


def _content_of(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in ("reported_on", "state", "progress", "note", "evidence", "superseded_by")}
