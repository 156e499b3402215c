"""The review of what came in, as the team does it."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import AlreadyDecidedError, Decision, ReviewedElsewhereError, StoredSubmission, SubmissionState
from services.intake.store import practices, reviews, submissions
from services.intake.store.reviews import PATH
from services.intake.web.practice_browse import practice_path
from services.intake.web.submission_describe import describe
from services.intake.web.webhook_answer import tracking_address
from shared import clock, i18n, outbox
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.intake import PracticeWithdrawn
from shared.events.kinds import KINDS
from shared.events.texts import Line, Text
from shared.ids import new_id
from shared.vault import SealError, Vault
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import reader_language

log = logging.getLogger(__name__)

PAGE_SIZE = 50
_REASON: TypeAdapter[str] = TypeAdapter(Text)  # the sender reads it
_LINE: TypeAdapter[str] = TypeAdapter(Line)  # travels to those who had plans with the practice


Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]


class Review:
    """The pages of the review."""

    def __init__(self, database: Database, vault: Vault, pages: Pages) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes of the review, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route("/intake/", self.lead_on, methods=["GET"])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH + "{submission}", self.show, methods=["GET"])
        router.add_api_route(PATH + "{submission}/accept", self.accept, methods=["POST"])
        router.add_api_route(PATH + "{submission}/decline", self.decline, methods=["POST"])
        router.add_api_route(PATH + "{submission}/withdraw", self.withdraw, methods=["POST"])
        return router

    async def lead_on(self) -> Response:
        """Lead to what waits."""
        return RedirectResponse(PATH, status_code=303)

    async def listing(self, request: Request, state: str = SubmissionState.RECEIVED.value, kind: str = "", page: str = "") -> Response:
        """List submissions by their state."""
        wanted = SubmissionState(state) if state in set(SubmissionState) else None
        number = int(page) if page.isascii() and page.isdigit() and 0 < len(page) <= 5 else 1
        async with self._database.transaction() as tx:
            rows, total = await submissions.listing(
                tx, state=wanted, kind=kind if kind in KINDS else None, limit=PAGE_SIZE, offset=(max(number, 1) - 1) * PAGE_SIZE
            )
            counts = await submissions.counts(tx)
        return self._pages.render(
            request,
            "intake/review.html",
            submissions=rows,
            counts=counts,
            state=wanted,
            kind=kind if kind in KINDS else "",
            kinds=tuple(KINDS),
            title_of=domain.title_of,
            page=max(number, 1),
            pages=max(1, ceil(total / PAGE_SIZE)),
        )

    async def show(self, request: Request, submission: str) -> Response:
        """Show everything that is known of one submission, and what can be done with it."""
        return await self._show(request, _id(submission))

    async def accept(self, request: Request, submission: str, moderator: Moderator) -> Response:
        """Publish a practice."""
        try:
            async with self._database.transaction() as tx:
                await self._accept(tx, await _locked(tx, _id(submission)), moderator)
        except (AlreadyDecidedError, ReviewedElsewhereError) as error:
            return await self._too_late(request, _id(submission), error)
        return _back_to(submission)

    async def decline(
        self,
        request: Request,
        submission: str,
        moderator: Moderator,
        reason: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
    ) -> Response:
        """Decline a practice; its sender reads the reason."""
        try:
            words = _REASON.validate_python(reason)
            async with self._database.transaction() as tx:
                found = await _locked(tx, _id(submission))
                domain.check_may_decide(found, wanted=SubmissionState.DECLINED)
                written_in = language if language in i18n.CONTENT_LANGUAGES else found.language
                decision = Decision(state=SubmissionState.DECLINED, reason=words, reason_language=written_in)
                await self._decide(tx, found, decision, moderator)
        except ValidationError as error:
            return await self._show(request, _id(submission), 422, faults=_named(error, "reason"), filled={"reason": reason})
        except (AlreadyDecidedError, ReviewedElsewhereError) as error:
            return await self._too_late(request, _id(submission), error)
        return _back_to(submission)

    async def withdraw(
        self,
        request: Request,
        submission: str,
        moderator: Moderator,
        because: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
    ) -> Response:
        """Take a published practice from the public pages, and tell those who may have plans with it."""
        try:
            words = _LINE.validate_python(because)
            async with self._database.transaction() as tx:
                await self._withdraw(tx, await _locked(tx, _id(submission)), words, language, moderator)
        except ValidationError as error:
            return await self._show(request, _id(submission), 422, faults=_named(error, "because"), filled={"because": because})
        except (AlreadyDecidedError, ReviewedElsewhereError) as error:
            return await self._too_late(request, _id(submission), error)
        return _back_to(submission)

    async def _accept(self, tx: Transaction, found: StoredSubmission, moderator: Person) -> None:
        domain.check_may_decide(found, wanted=SubmissionState.ACCEPTED)
        practice = domain.practice_from(found, practice_id=new_id(), at=clock.now())
        slug = await practices.publish(tx, practice, found.reference)
        address = f"{self._pages.public_url}{practice_path(slug)}"
        decision = Decision(state=SubmissionState.ACCEPTED, address=address)
        await self._decide(tx, found, decision, moderator)
        event = domain.published_event(practice, address)
        await outbox.put(tx, event, subject=str(practice.id), cause=domain.submission_cause(found), revision=practices.FIRST_REVISION)

    async def _withdraw(self, tx: Transaction, found: StoredSubmission, reason: str, language: str, moderator: Person) -> None:
        domain.check_may_decide(found, wanted=SubmissionState.WITHDRAWN)
        practice = await practices.withdraw(tx, found.id, reason=reason, at=clock.now())
        written_in = language if language in i18n.CONTENT_LANGUAGES else found.language
        decision = Decision(state=SubmissionState.WITHDRAWN, reason=reason, reason_language=written_in)
        await self._decide(tx, found, decision, moderator)
        event = PracticeWithdrawn(reason=reason)
        await outbox.put(tx, event, subject=str(practice.id), cause=domain.submission_cause(found), revision=practice.revision)

    async def _decide(self, tx: Transaction, found: StoredSubmission, decision: Decision, moderator: Person) -> None:
        """Write a decision down, tell the audit trail of it, and let it await nobody any more."""
        await submissions.decide(tx, found.id, decision, clock.now(), by=moderator)
        event = domain.decision_made(found, decision, who=moderator.id, page=f"{self._pages.public_url}{PATH}{found.id}")
        await outbox.put(tx, event, subject=str(found.id), cause=domain.submission_cause(found))
        await reviews.close_review(tx, found, by=moderator.id, cause=domain.submission_cause(found))

    async def _too_late(self, request: Request, submission_id: UUID, error: AlreadyDecidedError | ReviewedElsewhereError) -> Response:
        notice = "staff.review.too-late" if isinstance(error, AlreadyDecidedError) else "staff.review.elsewhere"
        return await self._show(request, submission_id, 409, notice=notice)

    async def _show(
        self,
        request: Request,
        submission_id: UUID,
        status: int = 200,
        *,
        faults: tuple[Fault, ...] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await submissions.find(tx, submission_id)
            receipt = await submissions.receipt_of(tx, submission_id)
        if found is None:
            raise HTTPException(404)
        return self._pages.render(
            request,
            "intake/submission.html",
            status,
            submission=found,
            public=describe(found.kind, found.public, reader_language(request)),
            internal=describe(found.kind, found.internal, reader_language(request)),
            contact=self._contact(found),
            receipt=receipt,
            decided_here=domain.DECIDED_HERE,
            tracking=tracking_address(self._pages.public_url, found.token),
            reason_languages=i18n.CONTENT_LANGUAGES,
            faults=faults,
            filled={"reason": "", "because": "", **(filled or {})},
            notice_key=notice,
            path=PATH,
        )

    def _contact(self, found: StoredSubmission) -> Mapping[str, Any] | None:
        if not found.contact_sealed:  # erased, because nobody confirmed it
            return None
        try:
            contact: dict[str, Any] = orjson.loads(self._vault.open(found.contact_sealed))
        except SealError:
            log.error("the contact of %s cannot be opened: %s", found.reference, SealError.__doc__)  # noqa: TRY400  # says all there is
            return None
        return contact


async def _locked(tx: Transaction, submission_id: UUID) -> StoredSubmission:
    found = await submissions.lock(tx, submission_id)
    if found is None:
        raise HTTPException(404)
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None


def _named(error: ValidationError, field: str) -> tuple[Fault, ...]:
    """Return the faults of one value under the name of its field."""
    return tuple(replace(fault, field=field) for fault in faults_of(error))


def _back_to(submission: str) -> Response:
    return RedirectResponse(f"{PATH}{_id(submission)}", status_code=303)
