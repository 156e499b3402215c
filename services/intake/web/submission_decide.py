"""The decisions on a submission: accepted, asked about, declined, withdrawn."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from services.intake import domain
from services.intake.domain import Decision, StoredSubmission, SubmissionState
from services.intake.publishing.by_kind import PUBLISHERS
from services.intake.publishing.deciding import decide
from services.intake.store import reviews, submissions
from services.intake.store.reviews import PATH
from services.intake.web.submission_show import REFUSALS, SubmissionPage, id_in, locked
from shared import clock, i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role, TaskEnd
from shared.events.texts import Line, Text
from shared.web.forms import Fault, faults_of

_REASON: TypeAdapter[str] = TypeAdapter(Text)  # the sender reads it
_LINE: TypeAdapter[str] = TypeAdapter(Line)  # travels to those who had plans with what is withdrawn

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]
Words = Annotated[str, Form()]


class Decisions:
    """What moderators decide."""

    def __init__(self, database: Database, page: SubmissionPage, public_url: str) -> None:
        self._database = database
        self._page = page
        self._public_url = public_url

    def router(self) -> APIRouter:
        """Return the routes of a submission's page and of the decisions, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(PATH + "{submission}", self.show, methods=["GET"])
        for verb in (self.accept, self.ask, self.decline, self.withdraw):
            router.add_api_route(f"{PATH}{{submission}}/{verb.__name__}", verb, methods=["POST"])
        return router

    async def show(self, request: Request, submission: str) -> Response:
        """Show everything that is known of one submission, and what can be done with it."""
        return await self._page.show(request, id_in(submission))

    async def accept(self, request: Request, submission: str, moderator: Moderator, seen: Words = "") -> Response:
        """Publish a submission, or hand it to those who need it, as the moderator has read it."""
        try:
            async with self._database.transaction() as tx:
                await self._accept(tx, await locked(tx, id_in(submission)), moderator, seen)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def ask(self, request: Request, submission: str, moderator: Moderator, question: Words = "", language: Words = "") -> Response:
        """Ask the sender something; it waits for the answer, and can be decided on without it."""
        return await self._answer(request, submission, moderator, SubmissionState.QUESTION, "question", question, language)

    async def decline(self, request: Request, submission: str, moderator: Moderator, reason: Words = "", language: Words = "") -> Response:
        """Decline a submission; its sender reads the reason."""
        return await self._answer(request, submission, moderator, SubmissionState.DECLINED, "reason", reason, language)

    async def withdraw(
        self, request: Request, submission: str, moderator: Moderator, because: Words = "", language: Words = ""
    ) -> Response:
        """Take back what was published or handed on, and tell those who may have plans with it."""
        try:
            words = _LINE.validate_python(because)
            async with self._database.transaction() as tx:
                await self._withdraw(tx, await locked(tx, id_in(submission)), words, language, moderator)
        except ValidationError as error:
            return await self._wrong(request, submission, "because", because, error)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def _answer(
        self, request: Request, submission: str, moderator: Person, state: SubmissionState, field: str, said: str, language: str
    ) -> Response:
        try:
            words = _REASON.validate_python(said)
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_may_decide(found, wanted=state, by=moderator.id)
                decision = Decision(state=state, reason=words, reason_language=_written_in(language, found))
                await decide(tx, found, decision, by=moderator, public_url=self._public_url)
        except ValidationError as error:
            return await self._wrong(request, submission, field, said, error)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    async def _wrong(self, request: Request, submission: str, field: str, said: str, error: ValidationError) -> Response:
        return await self._page.show(request, id_in(submission), 422, faults=named(error, field), filled={field: said})

    async def _accept(self, tx: Transaction, found: StoredSubmission, moderator: Person, seen: str) -> None:
        domain.check_may_decide(found, wanted=SubmissionState.ACCEPTED, by=moderator.id)
        domain.check_was_read(found, seen)
        publisher = PUBLISHERS[found.kind]
        address = await publisher.accept(tx, found, found.words, at=clock.now(), public_url=self._public_url)
        decision = Decision(state=SubmissionState.ACCEPTED, address=address)
        await decide(tx, found, decision, by=moderator, public_url=self._public_url)
        await submissions.drop_draft(tx, found.id)

    async def _withdraw(self, tx: Transaction, found: StoredSubmission, reason: str, language: str, moderator: Person) -> None:
        domain.check_may_decide(found, wanted=SubmissionState.WITHDRAWN, by=moderator.id)
        publisher = PUBLISHERS[found.kind]
        await publisher.withdraw(tx, found, reason=reason, at=clock.now(), public_url=self._public_url)
        decision = Decision(state=SubmissionState.WITHDRAWN, reason=reason, reason_language=_written_in(language, found))
        await decide(tx, found, decision, by=moderator, public_url=self._public_url)
        await submissions.drop_draft(tx, found.id)
        cause = domain.submission_cause(found)
        await reviews.close_correction(tx, found, by=moderator.id, end=TaskEnd.WITHDRAWN, cause=cause)


def _written_in(language: str, found: StoredSubmission) -> str:
    return language if language in i18n.CONTENT_LANGUAGES else found.language


def named(error: ValidationError, field: str) -> tuple[Fault, ...]:
    """Return the faults of one value under the name of its field."""
    return tuple(replace(fault, field=field) for fault in faults_of(error))


def back_to(submission: str | UUID) -> Response:
    """Lead back to the page of a submission."""
    return RedirectResponse(f"{PATH}{id_in(str(submission))}", status_code=303)
