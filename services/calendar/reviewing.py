"""The review of suggested dates: what comes in awaits a moderator, and what one decides is told."""

from uuid import UUID

from services.calendar.domain import suggestions as rules
from services.calendar.domain.dates import CancelledError, StoredDate, UnknownDateError
from services.calendar.domain.suggestions import Suggestion, SuggestionState, check_may_accept, check_may_decide, date_from
from services.calendar.planning import Planning, past
from services.calendar.store import dates, suggestions
from services.calendar.telling import ABOUT
from shared import clock, outbox, tasks
from shared.auth.tokens import Person
from shared.db import Transaction
from shared.events.codes import Language, Role, TaskEnd, Verdict
from shared.events.every import DecisionMade, SubmissionDecided
from shared.ids import new_id
from shared.tasks import Task
from shared.trace import Cause

PATH = "/calendar/review/"
"""The page of a suggestion for the team is this with its id."""
TASK = "review-date"

_DID = {SuggestionState.ACCEPTED: "accept", SuggestionState.DECLINED: "decline", SuggestionState.QUESTION: "ask"}


class Reviewing:
    """Takes suggestions in and decides on them, each within the transaction of its door."""

    def __init__(self, planning: Planning, public_url: str) -> None:
        self._planning = planning
        self._public_url = public_url

    async def take_in(self, tx: Transaction, new: Suggestion, *, cause: Cause) -> None:
        """Let a suggestion await a moderator; an older word than the one known, or one on what is decided, changes nothing for people."""
        kept = await suggestions.take_in(tx, new)
        if kept is not None and kept.state is SuggestionState.RECEIVED:
            await self.ask_for_review(tx, kept, cause=cause)

    async def ask_for_review(self, tx: Transaction, kept: Suggestion, *, cause: Cause) -> None:
        """Let a suggestion await a moderator."""
        task = Task(
            kind=TASK,
            subject=str(kept.id),
            role=Role.MODERATOR,
            title=kept.title,
            address=f"{self._public_url}{PATH}{kept.id}",
            not_by=(kept.entered_by,) if kept.entered_by else (),
        )
        await tasks.open_task(tx, task, cause=cause)

    async def accept(self, tx: Transaction, found: Suggestion, *, by: Person) -> StoredDate:
        """Return the date that a suggestion becomes; raises AlreadyDecidedError and OwnEntryError."""
        check_may_accept(found, by)
        new = past(date_from(found, id_=new_id()), self._planning.today)
        added = await self._planning.add(tx, new, cause=found.cause)
        await self._decide(tx, found, SuggestionState.ACCEPTED, by=by, became=added)
        return added

    async def merge(self, tx: Transaction, found: Suggestion, into: UUID, *, by: Person) -> StoredDate:
        """Return the date that stood here before, with what the suggestion knows beyond it.

        Raises AlreadyDecidedError, OwnEntryError, UnknownDateError, and CancelledError for a date that does not take place.
        """
        check_may_accept(found, by)
        existing = await dates.hold(tx, into)
        if existing is None or not existing.shown:
            raise UnknownDateError(UnknownDateError.__doc__)
        if existing.is_cancelled:
            raise CancelledError(CancelledError.__doc__)
        words = rules.merged(existing.description, rules.description_of(found))
        kept = await self._planning.reword(tx, existing, words, cause=found.cause)
        await self._decide(tx, found, SuggestionState.ACCEPTED, by=by, became=kept)
        return kept

    async def decline(self, tx: Transaction, found: Suggestion, *, by: Person, reason: str, language: Language) -> None:
        """Decline a suggestion; its sender reads the reason. Raises AlreadyDecidedError."""
        check_may_decide(found)
        await self._decide(tx, found, SuggestionState.DECLINED, by=by, reason=reason, language=language)

    async def ask(self, tx: Transaction, found: Suggestion, *, by: Person, question: str, language: Language) -> None:
        """Ask the sender of a suggestion something; it awaits the moderators again with the answer. Raises AlreadyDecidedError."""
        check_may_decide(found)
        await self._decide(tx, found, SuggestionState.QUESTION, by=by, reason=question, language=language)

    async def _decide(
        self,
        tx: Transaction,
        found: Suggestion,
        state: SuggestionState,
        *,
        by: Person,
        reason: str | None = None,
        language: Language | None = None,
        became: StoredDate | None = None,
    ) -> None:
        date_id, address = (became.id, self._planning.tell.address_of(became)) if became else (None, None)
        kept = await suggestions.decide(
            tx, found, state, by=by.id, by_name=by.name, at=clock.now(), reason=reason, reason_language=language, date_id=date_id
        )
        told = SubmissionDecided(
            verdict=Verdict(state.value),
            language=language or found.language,
            reason=reason,
            became=str(date_id) if date_id else None,
            address=address,
        )
        await outbox.put(tx, told, subject=str(found.id), cause=found.cause, revision=kept.decision_revision)
        made = DecisionMade(
            who=by.id,
            what=_DID[state],
            about=ABOUT,
            title=found.title,
            content_hash=found.content_hash,
            reason=reason,
            address=f"{self._public_url}{PATH}{found.id}",
        )
        await outbox.put(tx, made, subject=str(found.id), cause=found.cause)
        await tasks.close_task(tx, TASK, str(found.id), end=TaskEnd.DONE, by=by.id, cause=found.cause)
