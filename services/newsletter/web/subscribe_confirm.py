"""The page to which a mail leads; its button acts, so that programs that look at links do nothing."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row

from services.newsletter.addresses import Shelf
from services.newsletter.subscribing import consent, subscribers, wishes
from services.newsletter.subscribing.letters import CONFIRM, PREFERENCES
from services.newsletter.subscribing.rules import Act, Purpose, Receipt, Source, WishState, masked
from services.newsletter.web.subscribe_form import network_of
from shared import i18n
from shared.db import Database, Transaction
from shared.web.pages import Pages
from shared.web.rate import Limit
from shared.web.request_state import keep_private, reader_language

# A link has 256 random bits; this is for those who try to guess one, or to keep us busy.
TRIES, REFILL_SECONDS = 30, 3.0


class Confirming:
    """The page of links that act once."""

    def __init__(self, database: Database, shelf: Shelf, pages: Pages) -> None:
        self._database = database
        self._shelf = shelf
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, all of them for everybody."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(Limit(tries=TRIES, refill_seconds=REFILL_SECONDS))])
        router.add_api_route(CONFIRM + "{token}", self.show, methods=["GET"])
        router.add_api_route(CONFIRM + "{token}", self.confirm, methods=["POST"])
        return router

    async def show(self, request: Request, token: str) -> Response:
        """Show what the button will do. Nothing happens yet."""
        keep_private(request)
        async with self._database.transaction() as tx:
            wish = await wishes.by_token(tx, token)
        if wish is None or not wishes.can_be_done(wish):
            return await self._lead_on(request, wish)
        book = await self._shelf.book()
        return self._pages.render(
            request,
            "newsletter/subscribe_confirm.html",
            in_language=_page_language(request, wish),
            wish=wish,
            address=masked(book.open(bytes(wish.address))),
            place=request.url.path,
        )

    async def confirm(self, request: Request, token: str) -> Response:
        """Do what was asked for, once."""
        keep_private(request)
        book = await self._shelf.book()
        async with self._database.transaction() as tx:
            wish = await wishes.by_token(tx, token, lock=True)
            if wish is not None and wishes.can_be_done(wish):
                done = await self._do(tx, request, wish)
                return RedirectResponse(f"{PREFERENCES}{book.leave_token(wish.subscriber_id)}?done={done}", status_code=303)
        return await self._lead_on(request, wish)

    async def _do(self, tx: Transaction, request: Request, wish: Row[Any]) -> str:
        row = await subscribers.by_id(tx, wish.subscriber_id, lock=True)
        assert row is not None  # nobody with an open wish is forgotten
        language = _page_language(request, wish)
        if wish.purpose == Purpose.ERASE.value:
            await wishes.done(tx, wish.id)
            await subscribers.erase(tx, row, source=Source.LINK, words=i18n.look_up(language, "subscribe.confirm.erase.what"))
            return "erased"
        book = await self._shelf.book()
        address = book.open(bytes(wish.address))
        await wishes.done(tx, wish.id)
        words, words_language = consent.words(language)
        receipt = Receipt(
            subscriber_id=row.id,
            act=Act.CONFIRMED,
            source=Source.LINK,
            language=wish.language,
            version=consent.VERSION,
            words=words,
            words_language=words_language,
            client=book.client(network_of(request)),
        )
        await subscribers.confirm(tx, row, book=book, address=address, receipt=receipt)
        return "confirmed"

    async def _lead_on(self, request: Request, wish: Row[Any] | None) -> Response:
        if wish is not None and wish.state == WishState.CONFIRMED.value:  # the button pressed twice
            book = await self._shelf.book()
            return RedirectResponse(f"{PREFERENCES}{book.leave_token(wish.subscriber_id)}", status_code=303)
        return self._pages.render(request, "newsletter/subscribe_over.html", 404 if wish is None else 410)


def _page_language(request: Request, wish: Row[Any]) -> str:
    """Return the language of the mail, unless the reader has chosen another."""
    return str(wish.page_language) if not wanted_language(request) else reader_language(request)


def wanted_language(request: Request) -> bool:
    """Say whether the reader has chosen a language on our pages, which counts for more than what we guess."""
    return request.query_params.get("lang") in i18n.LANGUAGES or request.cookies.get(i18n.COOKIE) in i18n.LANGUAGES
