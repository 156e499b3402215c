"""The review of suggested dates, as the team does it."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.calendar.domain.dates import CancelledError, UnknownDateError
from services.calendar.domain.suggestions import AlreadyDecidedError, OwnEntryError, Suggestion, SuggestionState, description_of, doubles
from services.calendar.reviewing import PATH, Reviewing
from services.calendar.store import dates, suggestions
from services.calendar.web.date_manage import localized, row
from services.calendar.web.entry_view import kind_title
from services.calendar.web.said import when_said
from shared import i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Language, Role
from shared.events.texts import Text
from shared.vault import SealError, Vault
from shared.web import wording
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import reader_language

log = logging.getLogger(__name__)

PAGE_SIZE = 50
_REASON: TypeAdapter[str] = TypeAdapter(Text)  # the sender reads it

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]
Words = Annotated[str, Form()]

_TOO_LATE = {
    AlreadyDecidedError: "staff.review.too-late",
    OwnEntryError: "staff.dates.own-entry",
    UnknownDateError: "staff.dates.not-merged",
    CancelledError: "staff.dates.not-merged",
}


class SuggestionReview:
    """The pages of the review."""

    def __init__(self, database: Database, vault: Vault, pages: Pages, reviewing: Reviewing) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages
        self._reviewing = reviewing

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH + "{suggestion}", self.show, methods=["GET"])
        for verb in (self.accept, self.merge, self.decline, self.ask):
            router.add_api_route(f"{PATH}{{suggestion}}/{verb.__name__}", verb, methods=["POST"])
        return router

    async def listing(self, request: Request, state: str = SuggestionState.RECEIVED.value, page: str = "") -> Response:
        """List suggestions by their state, those that wait longest first."""
        wanted = SuggestionState(state) if state in set(SuggestionState) else None
        number = max(int(page), 1) if page.isascii() and page.isdigit() and len(page) <= 5 else 1
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            found, total = await suggestions.listing(tx, state=wanted, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
            counts = await suggestions.counts(tx)
        return self._pages.render(
            request,
            "calendar/review.html",
            rows=[(one, localized(one.title, reader), kind_title(one.kind, reader), when_said(one.when, reader)) for one in found],
            counts=counts,
            state=wanted,
            page=number,
            pages=max(1, ceil(total / PAGE_SIZE)),
            path=PATH,
        )

    async def show(self, request: Request, suggestion: str) -> Response:
        """Show all that is known of one suggestion, what it may be the same as, and what can be done with it."""
        return await self._show(request, _id(suggestion))

    async def accept(self, request: Request, suggestion: str, moderator: Moderator) -> Response:
        """Publish a suggested date."""
        return await self._decide(request, suggestion, lambda tx, found: self._reviewing.accept(tx, found, by=moderator))

    async def merge(self, request: Request, suggestion: str, moderator: Moderator, date: Words = "") -> Response:
        """Take a suggestion as the same thing as a date that stands here."""
        into = _id(date)
        return await self._decide(request, suggestion, lambda tx, found: self._reviewing.merge(tx, found, into, by=moderator))

    async def decline(self, request: Request, suggestion: str, moderator: Moderator, reason: Words = "", language: Words = "") -> Response:
        """Decline a suggestion; its sender reads the reason."""
        words, faults = _reason(reason, "reason")
        if words is None:
            return await self._show(request, _id(suggestion), 422, faults=faults, filled={"reason": reason})

        async def decline(tx: Transaction, found: Suggestion) -> None:
            await self._reviewing.decline(tx, found, by=moderator, reason=words, language=_language(language, found))

        return await self._decide(request, suggestion, decline)

    async def ask(self, request: Request, suggestion: str, moderator: Moderator, question: Words = "", language: Words = "") -> Response:
        """Ask the sender of a suggestion something."""
        words, faults = _reason(question, "question")
        if words is None:
            return await self._show(request, _id(suggestion), 422, faults=faults, filled={"question": question})

        async def ask(tx: Transaction, found: Suggestion) -> None:
            await self._reviewing.ask(tx, found, by=moderator, question=words, language=_language(language, found))

        return await self._decide(request, suggestion, ask)

    async def _decide(self, request: Request, suggestion: str, decide: Callable[[Transaction, Suggestion], Awaitable[object]]) -> Response:
        try:
            async with self._database.transaction() as tx:
                found = await suggestions.hold(tx, _id(suggestion))
                if found is None:
                    raise HTTPException(404)
                await decide(tx, found)
        except tuple(_TOO_LATE) as error:
            return await self._show(request, _id(suggestion), 409, notice=_TOO_LATE[type(error)])
        return RedirectResponse(f"{PATH}{found.id}", status_code=303)

    async def _show(
        self,
        request: Request,
        suggestion_id: UUID,
        status: int = 200,
        *,
        faults: tuple[Fault, ...] = (),
        filled: Mapping[str, str] | None = None,
        notice: str = "",
    ) -> Response:
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            found = await suggestions.find(tx, suggestion_id)
            if found is None:
                raise HTTPException(404)
            alike = doubles(found.title, await suggestions.on_the_same_days(tx, found.when)) if found.is_open else ()
            became = await dates.find(tx, found.date_id) if found.date_id else None
        words = description_of(found)
        return self._pages.render(
            request,
            "calendar/review_suggestion.html",
            status,
            suggestion=found,
            words=words,
            title=localized(found.title, reader),
            kind=kind_title(found.kind, reader),
            when=when_said(found.when, reader),
            countries=wording.named_countries(words.countries, reader),
            footnotes=wording.footnotes(words.countries, reader),
            objectives=[wording.objective_title(one, reader) for one in words.objectives],
            principles=[wording.principle_title(one, reader) for one in words.principles],
            alike=[row(one, reader) for one in alike if one.shown],
            became=None if became is None else row(became, reader),
            contact=self._contact(found),
            reason_languages=i18n.CONTENT_LANGUAGES,
            faults=faults,
            filled={"reason": "", "question": "", **(filled or {})},
            notice_key=notice,
            path=PATH,
        )

    def _contact(self, found: Suggestion) -> Mapping[str, Any] | None:
        if not found.contact_sealed:
            return None
        try:
            contact: Mapping[str, Any] | None = orjson.loads(self._vault.open(found.contact_sealed)).get("contact")
        except (SealError, orjson.JSONDecodeError):
            log.error("the contact of %s cannot be opened: %s", found.reference, SealError.__doc__)  # noqa: TRY400  # says all there is
            return None
        return contact


def _reason(text: str, field: str) -> tuple[str | None, tuple[Fault, ...]]:
    try:
        return _REASON.validate_python(text), ()
    except ValidationError as error:
        return None, tuple(replace(fault, field=field) for fault in faults_of(error))


def _language(wished: str, found: Suggestion) -> Language:
    return cast("Language", wished) if wished in i18n.CONTENT_LANGUAGES else found.language


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None
