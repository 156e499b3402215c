"""The page on which a sender follows what became of a submission, and answers what is asked, whichever service decides on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import AlreadyDecidedError, StoredSubmission
from services.intake.letters.confirming import PURPOSE
from services.intake.publishing.arriving import Arrivals
from services.intake.store import files, followed, submissions
from services.intake.store.submissions import TRACKING
from shared import clock, outbox
from shared.db import Database, Transaction
from shared.events.texts import Text
from shared.mail.queue import store as mails
from shared.mail.queue.store import MailState
from shared.trace import Cause
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.rate import Limit
from shared.web.request_state import keep_private

_ANSWER: TypeAdapter[str] = TypeAdapter(Text)
# A person answers a few questions in an hour; who guesses addresses gets nowhere with one in ten seconds.
TRIES, REFILL_SECONDS = 20, 10.0


def router(database: Database, pages: Pages, arrivals: Arrivals) -> APIRouter:
    """Return the tracking page, and the form on it by which a question is answered."""
    router = APIRouter(include_in_schema=False)

    @router.get(TRACKING + "{token}")
    async def show(request: Request, token: str) -> Response:
        """Show where a submission stands; who has the address may read it, so nothing keeps or lists the page."""
        keep_private(request)
        return await _page(request, token)

    @router.post(TRACKING + "{token}/answer", dependencies=[Depends(Limit(tries=TRIES, refill_seconds=REFILL_SECONDS))])
    async def answer(request: Request, token: str, answer: Annotated[str, Form()] = "") -> Response:
        """Keep what the sender answers and let the submission await its decision again; a repeat changes nothing."""
        keep_private(request)
        try:
            words = _ANSWER.validate_python(answer)
            async with database.transaction() as tx:
                await _answer(tx, await _locked(tx, token), words)
        except ValidationError as error:
            faults = [replace(fault, field="answer") for fault in faults_of(error)]
            return await _page(request, token, 422, faults=faults, answer=answer)
        except AlreadyDecidedError:
            # What was written is shown again: somebody decided while it was written, and it should not be lost.
            return await _page(request, token, 409, answer=answer, too_late=True)
        return RedirectResponse(f"{TRACKING}{token}", status_code=303)

    async def _answer(tx: Transaction, found: StoredSubmission, words: str) -> None:
        if found.answers and found.answers[-1]["text"] == words and not found.reason:
            return  # sent twice
        answers = domain.answered(found, words, clock.now())
        again = replace(found, answers=answers, state=domain.SubmissionState.RECEIVED)
        event = domain.received_event(again, found.reference)
        cause = domain.submission_cause(found)
        told_as = await outbox.put(tx, event, subject=str(found.id), cause=cause, revision=again.told_revision)
        await submissions.answer(tx, found.id, answers, told_as=told_as)
        await arrivals.received(tx, again, found.reference, cause=Cause(id=str(told_as), trace_id=found.id.hex))

    async def _locked(tx: Transaction, token: str) -> StoredSubmission:
        found = await submissions.by_token(tx, token) if _may_be_token(token) else None
        locked = await submissions.lock(tx, found.id) if found else None
        if locked is None:
            raise HTTPException(404)
        return locked

    async def _page(
        request: Request, token: str, status: int = 200, *, faults: Sequence[Fault] = (), answer: str = "", too_late: bool = False
    ) -> Response:
        async with database.transaction() as tx:
            submission = await submissions.by_token(tx, token) if _may_be_token(token) else None
            if submission is None:
                raise HTTPException(404)
            mail = await mails.last_about(tx, str(submission.id), PURPOSE)
            things = await followed.of(tx, submission.id)
            files_public = bool(submission.files) and await files.are_public(tx, submission.id)
            ended = await followed.withdrawal_of(tx, submission.became)
        return pages.render(
            request,
            "intake/track.html",
            status,
            submission=submission,
            mail_refused=mail is not None and mail.state == MailState.REFUSED,
            followed=things,
            ended=ended,
            files_public=files_public,
            faults=faults,
            answer=answer,
            too_late=too_late,
            path=TRACKING,
        )

    return router


def _may_be_token(token: str) -> bool:
    return token.isascii() and "\0" not in token
