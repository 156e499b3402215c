"""Enquiries that no mailbox takes: a moderator answers them here, or closes them; who asked is mailed and reads it on the tracking page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.intake.domain import AlreadyDecidedError, Decision, StoredSubmission, SubmissionState
from services.intake.letters.contacts import contact_of
from services.intake.publishing.deciding import decide
from services.intake.store import submissions
from services.intake.store.reviews import ENQUIRIES
from services.intake.web.submission_show import id_in, locked
from shared import i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.texts import Text
from shared.reference.initiatives import initiative
from shared.vault import Vault
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages, Sentence
from shared.web.request_state import reader_language

_WORDS: TypeAdapter[str] = TypeAdapter(Text)  # who asked reads them
Words = Annotated[str, Form()]
Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]


class Enquiries:
    """The page of one enquiry."""

    def __init__(self, database: Database, vault: Vault, pages: Pages) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(ENQUIRIES + "{submission}", self.show, methods=["GET"])
        router.add_api_route(ENQUIRIES + "{submission}/answer", self.answer, methods=["POST"])
        router.add_api_route(ENQUIRIES + "{submission}/close", self.close, methods=["POST"])
        return router

    async def show(self, request: Request, submission: str) -> Response:
        """Show what was asked, by whom, and where it stands."""
        return await self._page(request, submission)

    async def answer(
        self,
        request: Request,
        submission: str,
        moderator: Moderator,
        answer: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
    ) -> Response:
        """Answer it; the answer is mailed to who asked."""
        return await self._decide(request, submission, moderator, SubmissionState.ACCEPTED, "answer", answer, language)

    async def close(
        self,
        request: Request,
        submission: str,
        moderator: Moderator,
        reason: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
    ) -> Response:
        """Close it without an answer; who asked reads why."""
        return await self._decide(request, submission, moderator, SubmissionState.DECLINED, "reason", reason, language)

    async def _decide(
        self, request: Request, submission: str, moderator: Person, state: SubmissionState, field: str, said: str, language: str
    ) -> Response:
        try:
            words = _WORDS.validate_python(said)
            async with self._database.transaction() as tx:
                found = _enquiry(await locked(tx, id_in(submission)))
                if not found.is_open:
                    raise AlreadyDecidedError(found.state)
                written_in = language if language in i18n.CONTENT_LANGUAGES else found.language
                decision = Decision(state=state, reason=words, reason_language=written_in)
                await decide(tx, found, decision, by=moderator, public_url=self._pages.public_url)
        except ValidationError as error:
            faults = tuple(replace(fault, field=field) for fault in faults_of(error))
            return await self._page(request, submission, 422, faults=faults, filled={field: said})
        except AlreadyDecidedError:
            return await self._page(request, submission, 409, filled={field: said}, notice="staff.review.too-late")
        return RedirectResponse(f"{ENQUIRIES}{id_in(submission)}", status_code=303)

    async def _page(
        self,
        request: Request,
        submission: str,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = _enquiry(await _found(tx, submission))
        title = initiative(str(found.internal["initiative"])).title.in_(reader_language(request))
        return self._pages.render(
            request,
            "intake/enquiry.html",
            status,
            submission=found,
            initiative=Sentence(title.text, lang=title.lang, reader=reader_language(request)),
            contact=contact_of(self._vault, found),
            faults=faults,
            filled={"answer": "", "reason": "", **(filled or {})},
            notice_key=notice,
            languages=i18n.CONTENT_LANGUAGES,
            path=ENQUIRIES,
        )


async def _found(tx: Transaction, submission: str) -> StoredSubmission:
    found = await submissions.find(tx, id_in(submission))
    if found is None:
        raise HTTPException(404)
    return found


def _enquiry(found: StoredSubmission) -> StoredSubmission:
    if found.kind != "enquiry":
        raise HTTPException(404)
    return found
