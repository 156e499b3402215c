"""What a reader's own link leads to: where they stand, and every way to change it. GET shows and never acts; POST acts."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from sqlalchemy import Row
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.types import Scope

from services.newsletter.addresses import AddressBook, Shelf
from services.newsletter.subscribing import consent, subscribers, wishes
from services.newsletter.subscribing.letters import PREFERENCES
from services.newsletter.subscribing.rules import PAUSE_MONTHS, Purpose, Source, masked
from services.newsletter.subscribing.wishes import Answering, Wish
from services.newsletter.web.subscribe_confirm import wanted_language
from services.newsletter.web.subscribe_form import SUBSCRIBE, WRONG_ADDRESS, Rates, network_of
from shared import clock, i18n
from shared.db import Database, Transaction
from shared.mail.address import AddressError, checked
from shared.vault import SealError
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import keep_private, reader_language

T = TypeVar("T")

ASK = PREFERENCES.rstrip("/")
ONE_CLICK = ("list-unsubscribe", "one-click")
"""What the mail program sends (RFC 8058, section 3.2); its capitals are not relied on."""
DONE = frozenset({"confirmed", "left", "language", "paused", "resumed", "erase-mailed", "again-mailed", "erased"})


def is_one_click(scope: Scope) -> bool:
    """Say whether a request may be a mail program's: it brings no origin, reads no cookie, and its address is its right."""
    return scope["method"] == "POST" and re.fullmatch(r"/newsletter/u/[^/]+", scope["path"]) is not None


class Preferences:
    """The page of one reader."""

    def __init__(self, database: Database, shelf: Shelf, pages: Pages, answering: Answering, rates: Rates) -> None:
        self._database = database
        self._shelf = shelf
        self._pages = pages
        self._answering = answering
        self._rates = rates

    def router(self) -> APIRouter:
        """Return the routes, all of them for everybody."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(ASK, self.ask, methods=["GET"])
        router.add_api_route(ASK, self.send_link, methods=["POST"])
        router.add_api_route(PREFERENCES + "{token}", self.show, methods=["GET"])
        router.add_api_route(PREFERENCES + "{token}", self.one_click, methods=["POST"])
        for name, act in (
            ("leave", self.leave),
            ("language", self.change_language),
            ("pause", self.pause),
            ("resume", self.resume),
            ("again", self.subscribe_again),
            ("erase", self.ask_to_erase),
        ):
            router.add_api_route(f"{PREFERENCES}{{token}}/{name}", act, methods=["POST"])
        return router

    async def ask(self, request: Request, done: str = "") -> Response:
        """Ask for the address to which a link is to go."""
        keep_private(request)
        return self._ask(request, sent=done == "asked")

    async def send_link(self, request: Request, address: Annotated[str, Form()] = "") -> Response:
        """Promise a link; the answer is the same, and as quick, whoever's address it is."""
        keep_private(request)
        try:
            wanted = checked(address)
        except AddressError:
            return self._ask(request, 422, address=address, faults=[WRONG_ADDRESS])
        asker = network_of(request)
        if wait_seconds := self._rates.take(asker, wanted):
            headers = {"Retry-After": str(wait_seconds)}
            return self._ask(request, 429, address=address, notice_key="subscribe.too-many", headers=headers)
        book = await self._shelf.book()
        await self._keep(book, Purpose.LINK, wanted, "", request)
        return self._answered(f"{ASK}?done=asked")

    async def show(self, request: Request, token: str, done: str = "") -> Response:
        """Show where the reader stands. Nothing happens: programs that scan mails follow links too."""
        keep_private(request)
        book = await self._shelf.book()
        subscriber = book.leaver(token)
        async with self._database.transaction() as tx:
            row = None if subscriber is None else await subscribers.by_id(tx, subscriber)
            history = [] if row is None else await subscribers.history(tx, row.id)
        if row is None:
            return self._over(request)
        standing = subscribers.standing(row)
        assert standing is not None
        return self._pages.render(
            request,
            "newsletter/preferences.html",
            in_language=_page_language(request, row),
            row=row,
            standing=standing,
            paused=standing.is_paused(clock.now()),
            address=_shown(book, row),
            history=history,
            done=done if done in DONE else "",
            place=f"{PREFERENCES}{token}",
            months=PAUSE_MONTHS,
            bulletin_languages=[(code, i18n.language_name(code, code)) for code in i18n.CONTENT_LANGUAGES],
        )

    async def one_click(self, request: Request, token: str) -> Response:
        """Unsubscribe at the word of a mail program (RFC 8058): no cookie, no origin, no redirect, whatever the encoding."""
        keep_private(request)
        if not await _says_one_click(request):
            raise HTTPException(400)
        try:
            await self._act(token, lambda tx, row: subscribers.leave(tx, row, source=Source.ONE_CLICK))
        except _NobodyError:
            return PlainTextResponse("This link is nobody's.\n", status_code=404)
        return PlainTextResponse("Unsubscribed.\n")

    async def leave(self, request: Request, token: str) -> Response:
        """Unsubscribe at the page's own button."""
        words = self._words(request, "preferences.leave.what")

        async def act(tx: Transaction, row: Row[Any]) -> None:
            await subscribers.leave(tx, row, source=Source.LINK, words=words)

        return await self._done(request, token, act, "left")

    async def change_language(self, request: Request, token: str, language: Annotated[str, Form()] = "") -> Response:
        """Send the bulletin in another language from now on."""
        if language not in i18n.CONTENT_LANGUAGES:
            return RedirectResponse(f"{PREFERENCES}{token}", status_code=303)
        words = self._words(request, "preferences.language.what")

        async def act(tx: Transaction, row: Row[Any]) -> None:
            await subscribers.change_language(tx, row, language, words=words)

        return await self._done(request, token, act, "language")

    async def pause(self, request: Request, token: str, months: Annotated[str, Form()] = "") -> Response:
        """Let issues pass the reader by for a while."""
        words = self._words(request, "preferences.pause.what")
        wanted = int(months) if months in {str(number) for number in PAUSE_MONTHS} else PAUSE_MONTHS[0]

        async def act(tx: Transaction, row: Row[Any]) -> None:
            await subscribers.pause(tx, row, wanted, words=words)

        return await self._done(request, token, act, "paused")

    async def resume(self, request: Request, token: str) -> Response:
        """End a pause before its time."""
        words = self._words(request, "preferences.resume.what")

        async def act(tx: Transaction, row: Row[Any]) -> None:
            await subscribers.resume(tx, row, words=words)

        return await self._done(request, token, act, "resumed")

    async def subscribe_again(self, request: Request, token: str) -> Response:
        """Mail a link that subscribes anew: a forwarded copy must not let somebody else do so."""
        return await self._by_mail(request, token, Purpose.SUBSCRIBE, "again-mailed")

    async def ask_to_erase(self, request: Request, token: str) -> Response:
        """Mail a link that erases: who was forwarded a copy has this link too, and erasing cannot be undone."""
        return await self._by_mail(request, token, Purpose.ERASE, "erase-mailed")

    async def _by_mail(self, request: Request, token: str, purpose: Purpose, done: str) -> Response:
        keep_private(request)
        book = await self._shelf.book()
        try:
            row = await self._act(token, _as_it_is)
        except _NobodyError:
            return self._over(request)
        if not row.address:
            return RedirectResponse(SUBSCRIBE, status_code=303)
        address = book.open(bytes(row.address))
        if wait_seconds := self._rates.take(network_of(request), address):
            return self._ask(request, 429, notice_key="subscribe.too-many", headers={"Retry-After": str(wait_seconds)})
        await self._keep(book, purpose, address, row.language, request)
        return self._answered(f"{PREFERENCES}{token}?done={done}")

    async def _keep(self, book: AddressBook, purpose: Purpose, address: str, language: str, request: Request) -> None:
        subscribing = purpose is Purpose.SUBSCRIBE
        words, words_language = consent.words(reader_language(request))
        wish = Wish(
            purpose=purpose,
            address=address,
            language=language,
            page_language=words_language,
            version=consent.VERSION if subscribing else "",
            words=words if subscribing else "",
            client=book.client(network_of(request)),
        )
        async with self._database.transaction() as tx:
            await wishes.keep(tx, book, wish)

    def _answered(self, place: str) -> Response:
        return RedirectResponse(place, status_code=303, background=BackgroundTask(self._answering.soon, self._database))

    async def _act(self, token: str, act: Callable[[Transaction, Row[Any]], Awaitable[T]]) -> T:
        """Do something for the reader of a link; raises _NobodyError."""
        subscriber = (await self._shelf.book()).leaver(token)
        async with self._database.transaction() as tx:
            row = None if subscriber is None else await subscribers.by_id(tx, subscriber, lock=True)
            if row is None:
                raise _NobodyError
            return await act(tx, row)

    async def _done(self, request: Request, token: str, act: Callable[[Transaction, Row[Any]], Awaitable[None]], done: str) -> Response:
        keep_private(request)
        try:
            await self._act(token, act)
        except _NobodyError:
            return self._over(request)
        return RedirectResponse(f"{PREFERENCES}{token}?done={done}", status_code=303)

    def _words(self, request: Request, key: str) -> tuple[str, str]:
        return i18n.look_up(reader_language(request), key)

    def _ask(
        self,
        request: Request,
        status: int = 200,
        *,
        address: str = "",
        sent: bool = False,
        faults: list[Fault] | None = None,
        notice_key: str = "",
        headers: dict[str, str] | None = None,
    ) -> Response:
        return self._pages.render(
            request,
            "newsletter/preferences_ask.html",
            status,
            headers=headers,
            address=address,
            sent=sent,
            over=False,
            faults=faults or [],
            notice_key=notice_key,
        )

    def _over(self, request: Request) -> Response:
        return self._pages.render(
            request, "newsletter/preferences_ask.html", 404, address="", sent=False, over=True, faults=[], notice_key=""
        )


class _NobodyError(Exception):
    """A link that is nobody's."""


async def _as_it_is(tx: Transaction, row: Row[Any]) -> Row[Any]:
    del tx
    return row


async def _says_one_click(request: Request) -> bool:
    """Read the body by its own encoding; one that names none is taken for what mail programs usually send."""
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }:
        return body.strip().lower() == b"=".join(part.encode() for part in ONE_CLICK)
    async with request.form(max_files=1, max_fields=10) as form:
        return any(isinstance(value, str) and (name.lower(), value.strip().lower()) == ONE_CLICK for name, value in form.multi_items())


def _page_language(request: Request, row: Row[Any]) -> str:
    """Return the language of the bulletin that the link came in, unless the reader has chosen another or no page speaks it."""
    return str(row.language) if not wanted_language(request) and row.language in i18n.LANGUAGES else reader_language(request)


def _shown(book: AddressBook, row: Row[Any]) -> str:
    try:
        return masked(book.open(bytes(row.address))) if row.address else ""
    except SealError:  # the data keys are gone; leaving must still be possible
        return ""
