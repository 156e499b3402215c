"""The public form of the newsletter: an address, a language, and words that say what is consented to."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from services.newsletter.addresses import Shelf
from services.newsletter.subscribing import consent, wishes
from services.newsletter.subscribing.rules import Purpose
from services.newsletter.subscribing.wishes import Answering, Wish
from shared import i18n
from shared.db import Database
from shared.mail.address import AddressError, checked
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.rate import TokenBuckets, asker_of
from shared.web.request_state import keep_private, reader_language

SUBSCRIBE = "/newsletter/subscribe"
SENT = "/newsletter/subscribe/sent"
# People sign up once; a whole office behind one network address may all do so after a meeting.
ASKER_TRIES, ASKER_REFILL_SECONDS = 20, 60.0
# Nobody may use the form to fill somebody else's mailbox, from however many networks. `mail_for` bounds it once more, for good.
ADDRESS_TRIES, ADDRESS_REFILL_SECONDS = 6, 1800.0
WRONG_ADDRESS = Fault(field="address", pointer="/address", part="body", code="mail-address", key="fault.mail-address", params={})


class Rates:
    """How often one network may ask, and how often for one address; one for each process, shared by all forms that send mails."""

    def __init__(self) -> None:
        self._askers = TokenBuckets(tries=ASKER_TRIES, refill_seconds=ASKER_REFILL_SECONDS)
        self._addresses = TokenBuckets(tries=ADDRESS_TRIES, refill_seconds=ADDRESS_REFILL_SECONDS)

    def take(self, asker: str, address: str) -> int:
        """Return how many seconds the asker must wait; at 0 one try is used up."""
        address = address.casefold()
        if wait_seconds := max(self._askers.wait_seconds(asker), self._addresses.wait_seconds(address)):
            return wait_seconds
        self._askers.take(asker)
        self._addresses.take(address)
        return 0


def network_of(request: Request) -> str:
    """Return what counts as one asker."""
    return asker_of(request.client.host if request.client else "")


class SubscribeForm:
    """The form; what follows is the same for every address, and as quick."""

    def __init__(self, database: Database, shelf: Shelf, pages: Pages, answering: Answering, rates: Rates, *, sender: str) -> None:
        """`sender` is the address from which our mails come, and at which people of the team are reached."""
        self._database = database
        self._shelf = shelf
        self._pages = pages
        self._answering = answering
        self._rates = rates
        self._sender = sender

    def router(self) -> APIRouter:
        """Return the routes, all of them for everybody."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(SUBSCRIBE, self.show, methods=["GET"])
        router.add_api_route(SUBSCRIBE, self.subscribe, methods=["POST"])
        router.add_api_route(SENT, self.sent, methods=["GET"])
        return router

    async def show(self, request: Request) -> Response:
        """Show the empty form."""
        return self._page(request, language=reader_language(request))

    async def subscribe(
        self,
        request: Request,
        address: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
        version: Annotated[str, Form()] = "",
    ) -> Response:
        """Keep the wish, whoever's address it is, and say that a mail is on its way."""
        keep_private(request)
        faults = []
        try:
            wanted = checked(address)
        except AddressError:
            faults.append(WRONG_ADDRESS)
        if language not in i18n.CONTENT_LANGUAGES:
            faults.append(Fault(field="language", pointer="/language", part="body", code="missing", key="fault.missing", params={}))
        if faults:
            return self._page(request, 422, address=address, language=language, faults=faults)
        if version != consent.VERSION:  # the form was opened before the words changed; nobody consents to what they have not read
            return self._page(request, 409, address=address, language=language, notice_key="subscribe.words-changed")
        asker = network_of(request)
        if wait_seconds := self._rates.take(asker, wanted):
            headers = {"Retry-After": str(wait_seconds)}
            return self._page(request, 429, address=address, language=language, notice_key="subscribe.too-many", headers=headers)
        words, words_language = consent.words(reader_language(request))
        book = await self._shelf.book()
        wish = Wish(
            purpose=Purpose.SUBSCRIBE,
            address=wanted,
            language=language,
            page_language=words_language,
            version=consent.VERSION,
            words=words,
            client=book.client(asker),
        )
        async with self._database.transaction() as tx:
            await wishes.keep(tx, book, wish)
        return RedirectResponse(SENT, status_code=303, background=BackgroundTask(self._answering.soon, self._database))

    async def sent(self, request: Request) -> Response:
        """Say what happens next, to everybody in the same words."""
        keep_private(request)
        return self._pages.render(request, "newsletter/subscribe_sent.html", sender=self._sender)

    def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        address: str = "",
        language: str = "",
        faults: list[Fault] | None = None,
        notice_key: str = "",
        headers: dict[str, str] | None = None,
    ) -> Response:
        return self._pages.render(
            request,
            "newsletter/subscribe.html",
            status,
            headers=headers,
            address=address,
            language=language,
            faults=faults or [],
            notice_key=notice_key,
            bulletin_languages=[(code, i18n.language_name(code, code)) for code in i18n.CONTENT_LANGUAGES],
            version=consent.VERSION,
        )
