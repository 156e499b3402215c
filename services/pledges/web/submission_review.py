"""The review of pledges that came in, as the team does it."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.pledges.domain.pledges import PledgeError
from services.pledges.domain.submissions import DoubtsError, OwnWorkError, StoredSubmission, SubmissionState, said_later
from services.pledges.letters import Letters
from services.pledges.reviewing import LOOK_AGAIN_TASK, REVIEW, Reviewing, doubts, facts_in
from services.pledges.store import pledges, submissions
from services.pledges.web.values import id_in, named_faults, place
from shared import i18n, tasks
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.kinds.pledge import PledgeSubmission
from shared.events.texts import Text
from shared.vault import SealError
from shared.web.describe import describe
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import reader_language

log = logging.getLogger(__name__)

PAGE_SIZE = 50
SEEN = "seen"
"""What the box says that is ticked by who has looked at the doubts."""
_REASON: TypeAdapter[str] = TypeAdapter(Text)  # the sender reads it
_NOT_SEEN = Fault(field="doubts", pointer="", part="body", code="doubts-not-seen", key="fault.doubts-not-seen", params={})

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]
Words = Annotated[str, Form()]


class Review:
    """The pages of the review."""

    def __init__(self, database: Database, pages: Pages, reviewing: Reviewing, letters: Letters) -> None:
        self._database = database
        self._pages = pages
        self._reviewing = reviewing
        self._letters = letters

    def router(self) -> APIRouter:
        """Return the routes of the review, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(REVIEW, self.listing, methods=["GET"])
        router.add_api_route(REVIEW + "{submission}", self.show, methods=["GET"])
        router.add_api_route(REVIEW + "{submission}/accept", self.accept, methods=["POST"])
        router.add_api_route(REVIEW + "{submission}/decline", self.decline, methods=["POST"])
        router.add_api_route(REVIEW + "{submission}/ask", self.ask, methods=["POST"])
        router.add_api_route(REVIEW + "{submission}/look-again", self.look_again, methods=["POST"])
        return router

    async def listing(self, request: Request, state: str = SubmissionState.RECEIVED.value, page: str = "") -> Response:
        """List submissions by their state."""
        wanted = SubmissionState(state) if state in set(SubmissionState) else None
        number = place(page)
        async with self._database.transaction() as tx:
            rows = await submissions.listing(tx, wanted, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
            counts = await submissions.counts(tx)
        total = counts[wanted] if wanted else sum(counts.values())
        pages = max(1, ceil(total / PAGE_SIZE))
        return self._pages.render(request, "pledges/review.html", submissions=rows, counts=counts, state=wanted, page=number, pages=pages)

    async def show(self, request: Request, submission: str) -> Response:
        """Show everything that is known of one submission, and what can be done with it."""
        return await self._show(request, id_in(submission))

    async def accept(self, request: Request, submission: str, moderator: Moderator, doubts: Annotated[str, Form()] = "") -> Response:
        """Publish a pledge."""
        try:
            async with self._database.transaction() as tx:
                await self._reviewing.accept(tx, await _locked(tx, id_in(submission)), moderator, doubts_seen=doubts == SEEN)
        except DoubtsError:
            return await self._show(request, id_in(submission), 422, faults=[_NOT_SEEN])
        except OwnWorkError:
            return await self._show(request, id_in(submission), 403, notice="staff.pledge.own-work")
        except PledgeError:
            return await self._too_late(request, submission)
        return _back_to(submission)

    async def decline(self, request: Request, submission: str, moderator: Moderator, reason: Words = "", language: Words = "") -> Response:
        """Decline a pledge; its sender reads the reason."""
        try:
            words = _REASON.validate_python(reason)
            async with self._database.transaction() as tx:
                found = await _locked(tx, id_in(submission))
                await self._reviewing.decline(tx, found, moderator, words, _known(language))
        except ValidationError as error:
            return await self._show(request, id_in(submission), 422, faults=named_faults(error, "reason"), filled={"reason": reason})
        except PledgeError:
            return await self._too_late(request, submission)
        return _back_to(submission)

    async def ask(self, request: Request, submission: str, moderator: Moderator, question: Words = "", language: Words = "") -> Response:
        """Ask the sender something; the answer comes back to this page."""
        try:
            words = _REASON.validate_python(question)
            async with self._database.transaction() as tx:
                found = await _locked(tx, id_in(submission))
                await self._reviewing.ask(tx, found, moderator, words, _known(language))
        except ValidationError as error:
            return await self._show(request, id_in(submission), 422, faults=named_faults(error, "question"), filled={"question": question})
        except PledgeError:
            return await self._too_late(request, submission)
        return _back_to(submission)

    async def look_again(self, submission: str, moderator: Moderator) -> Response:
        """Say that somebody has looked at what came after the decision; where nobody is awaited for it, nothing changes."""
        async with self._database.transaction() as tx:
            await self._reviewing.look_again(tx, await _locked(tx, id_in(submission)), moderator)
        return _back_to(submission)

    async def _too_late(self, request: Request, submission: str) -> Response:
        return await self._show(request, id_in(submission), 409, notice="staff.review.too-late")

    async def _show(
        self,
        request: Request,
        submission_id: UUID,
        status: int = 200,
        *,
        faults: Sequence[Fault] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await submissions.find(tx, submission_id)
            if found is None:
                raise HTTPException(404)
            became = await pledges.by_submission(tx, submission_id)
            awaited = {task.kind for task in await tasks.open_tasks(tx, str(submission_id))}
            open_doubts = await doubts(tx, facts_in(found), found.public.get("matched_title")) if found.is_open else ()
        return self._pages.render(
            request,
            "pledges/submission.html",
            status,
            submission=found,
            pledge=became,
            doubts=open_doubts,
            public=describe(PledgeSubmission.kind_name, found.public, reader_language(request)),
            internal=describe(PledgeSubmission.kind_name, found.internal, reader_language(request)),
            contact=self._contact(found),
            later=[_later(found, word, reader_language(request)) for word in found.later],
            looks_again=LOOK_AGAIN_TASK in awaited,
            reason_languages=i18n.CONTENT_LANGUAGES,
            faults=faults,
            filled={"reason": "", "question": "", **(filled or {})},
            notice_key=notice,
            path=f"{REVIEW}{found.id}",
            seen=SEEN,
        )

    def _contact(self, found: StoredSubmission) -> tuple[str, str] | None:
        try:
            return self._letters.opened(found.contact_sealed)
        except SealError:
            log.error("the contact of %s cannot be opened: %s", found.reference, SealError.__doc__)  # noqa: TRY400  # says all there is
            return None


def _later(found: StoredSubmission, word: Mapping[str, Any], reader: str) -> Mapping[str, Any]:
    """Return what came after the decision as the page shows it."""
    said = said_later(found, word)
    return {
        "came_at": datetime.fromisoformat(word["came_at"]),
        "fields": describe(PledgeSubmission.kind_name, {**said["internal"], **said["public"]}, reader),
        "answers": said["answers"],
        "files": said["files"],
    }


def _known(language: str) -> str:
    return language if language in i18n.CONTENT_LANGUAGES else ""


async def _locked(tx: Transaction, submission_id: UUID) -> StoredSubmission:
    found = await submissions.lock(tx, submission_id)
    if found is None:
        raise HTTPException(404)
    return found


def _back_to(submission: str) -> Response:
    return RedirectResponse(f"{REVIEW}{id_in(submission)}", status_code=303)
