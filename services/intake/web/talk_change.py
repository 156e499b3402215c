"""What the team does with an announced Talk: moves it, cancels it, says what came of it, shows its concept note."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import StoredSubmission
from services.intake.domain.talks import StoredTalk
from services.intake.publishing import talks as publishing
from services.intake.publishing.deciding import note
from services.intake.store import talks
from services.intake.store.reviews import PATH
from services.intake.web import talk_move
from services.intake.web.submission_decide import Moderator, Words, back_to
from services.intake.web.submission_show import REFUSALS, SubmissionPage, id_in, locked
from services.intake.web.talk_outcome import FIELDS, OutcomeError, filled_from, outcome_in
from shared import clock, i18n
from shared.auth.require import require
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.texts import LocalLine
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import reader_language
from shared.when import say

_BECAUSE: TypeAdapter[LocalLine] = TypeAdapter(LocalLine)
_FIELDS_MAX = 40
Work = Callable[[Transaction, StoredSubmission], Awaitable[None]]


class TalkChanges:
    """The pages on which a Talk is changed."""

    def __init__(self, database: Database, page: SubmissionPage, pages: Pages) -> None:
        self._database = database
        self._page = page
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(PATH + "{submission}/move", self.ask_when, methods=["GET"])
        router.add_api_route(PATH + "{submission}/move", self.move, methods=["POST"])
        router.add_api_route(PATH + "{submission}/cancel", self.ask_why, methods=["GET"])
        router.add_api_route(PATH + "{submission}/cancel", self.cancel, methods=["POST"])
        router.add_api_route(PATH + "{submission}/outcome", self.ask_outcome, methods=["GET"])
        router.add_api_route(PATH + "{submission}/outcome", self.tell_outcome, methods=["POST"])
        router.add_api_route(PATH + "{submission}/note", self.show_note, methods=["POST"])
        return router

    async def ask_when(self, request: Request, submission: str) -> Response:
        """Show the form that asks for another time."""
        talk = await self._talk(submission)
        return self._form(request, "talk_move", submission, talk, filled=talk_move.filled_from(talk.when))

    async def move(self, request: Request, submission: str, moderator: Moderator) -> Response:
        """Announce another time."""
        filled = await _filled(request)
        try:
            when = talk_move.when_in(filled)
        except ValidationError as error:
            talk, wrong = await self._talk(submission), talk_move.faults_in(error)
            return self._form(request, "talk_move", submission, talk, 422, {**talk_move.EMPTY, **filled}, wrong)

        async def work(tx: Transaction, found: StoredSubmission) -> None:
            await publishing.move(tx, found, when, at=clock.now(), public_url=self._pages.public_url)
            await note(tx, found, "move", by=moderator, public_url=self._pages.public_url)

        return await self._done(request, submission, work)

    async def ask_why(self, request: Request, submission: str) -> Response:
        """Show the form that asks why a Talk is cancelled."""
        return self._form(request, "talk_cancel", submission, await self._talk(submission), filled={"because": ""})

    async def cancel(self, request: Request, submission: str, moderator: Moderator, because: Words = "", language: Words = "") -> Response:
        """Say that a Talk is not held; its page stays, with the reason."""
        written_in = language if language in i18n.CONTENT_LANGUAGES else i18n.DEFAULT
        try:
            reason = {str(code): text for code, text in _BECAUSE.validate_python({written_in: because}).items()}
        except ValidationError as error:
            faults = [replace(fault, field="because") for fault in faults_of(error)]
            filled = {"because": because, "language": written_in}
            return self._form(request, "talk_cancel", submission, await self._talk(submission), 422, filled, faults)

        async def work(tx: Transaction, found: StoredSubmission) -> None:
            await publishing.cancel(tx, found, reason, at=clock.now(), public_url=self._pages.public_url)
            await note(tx, found, "cancel", by=moderator, public_url=self._pages.public_url, reason=reason[written_in])

        return await self._done(request, submission, work)

    async def ask_outcome(self, request: Request, submission: str) -> Response:
        """Show the form that asks what came of a Talk."""
        talk = await self._talk(submission)
        return self._form(request, "talk_outcome", submission, talk, filled=filled_from(talk.outcome))

    async def tell_outcome(self, request: Request, submission: str, moderator: Moderator) -> Response:
        """Say that a Talk was held, and what came of it."""
        filled = await _filled(request)
        try:
            async with self._database.transaction() as tx:
                outcome = await outcome_in(tx, filled)
        except OutcomeError as error:
            talk = await self._talk(submission)
            return self._form(request, "talk_outcome", submission, talk, 422, {**filled_from(None), **filled}, error.faults)

        async def work(tx: Transaction, found: StoredSubmission) -> None:
            await publishing.tell_outcome(tx, found, outcome, at=clock.now(), public_url=self._pages.public_url)
            await note(tx, found, "hold", by=moderator, public_url=self._pages.public_url)

        return await self._done(request, submission, work)

    async def show_note(self, request: Request, submission: str, moderator: Moderator, shown: Annotated[str, Form()] = "") -> Response:
        """Let the concept note stand on the public page, or no longer."""

        async def work(tx: Transaction, found: StoredSubmission) -> None:
            await publishing.show_note(tx, found, shown=bool(shown))
            await note(tx, found, "change", by=moderator, public_url=self._pages.public_url)

        return await self._done(request, submission, work)

    async def _talk(self, submission: str) -> StoredTalk:
        async with self._database.transaction() as tx:
            talk = await talks.of_submission(tx, id_in(submission))
        if talk is None:
            raise HTTPException(404)
        return talk

    async def _done(self, request: Request, submission: str, work: Work) -> Response:
        try:
            async with self._database.transaction() as tx:
                found = await locked(tx, id_in(submission))
                domain.check_is_talk(found)
                await work(tx, found)
        except REFUSALS as error:
            return await self._page.refused(request, id_in(submission), error)
        return back_to(submission)

    def _form(
        self,
        request: Request,
        template: str,
        submission: str,
        talk: StoredTalk,
        status: int = 200,
        filled: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> Response:
        here: UUID = id_in(submission)
        return self._pages.render(
            request,
            f"intake/{template}.html",
            status,
            talk=talk,
            when=say(talk.when, reader_language(request)),
            filled=filled or {},
            faults=faults,
            languages=i18n.CONTENT_LANGUAGES,
            fields=FIELDS,
            back_path=f"{PATH}{here}",
            path=request.url.path,
        )


async def _filled(request: Request) -> Mapping[str, str]:
    async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}
