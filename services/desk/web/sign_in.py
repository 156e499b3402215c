"""Signing in by a link, the token that follows from it, and signing out."""

import asyncio
import hashlib
import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.background import BackgroundTask

from services.desk import store
from services.desk.domain import LINK_LASTS, SESSION_RESTS, TOKEN_LASTS, LinkOverError, Secret, StoredPerson
from services.desk.links import START, MailLink, mail_a_link
from shared.auth.cookies import RENEW, RENEWED_SECONDS, SIGN_IN, Cookies
from shared.auth.require import SignInNeeded
from shared.auth.tokens import Kind, Signer
from shared.db import Database
from shared.events.kinds.parts import MailAddress
from shared.web.addresses import local_path
from shared.web.pages import Pages
from shared.web.problem import TooManyRequests, answer
from shared.web.rate import TokenBuckets, asker_in
from shared.web.request_state import keep_private

log = logging.getLogger(__name__)

SIGN_OUT = "/desk/sign-out"
# A team behind one network address may all come in the morning; a program that tries addresses soon stands still.
ASKER_TRIES, ASKER_REFILL_SECONDS = 10, 30.0
# Nobody needs more; the mails already sent stay good, so that asking in another's name locks nobody out who reads them.
MAIL_TRIES, MAIL_REFILL_SECONDS = 3, 300.0
# A link has 2^256 forms; this only keeps a guesser from costing anything.
LINK_TRIES, LINK_REFILL_SECONDS = 20, 3.0
# A link takes a few hundredths of a second to make. The connection is busy for so long whether there is anybody to write to or not:
# who sends a second request behind the first on the same connection measures when it gets its turn.
ALIKE_SECONDS = 0.25
_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)


class SignIn:
    """The pages of signing in; their counts of tries are kept by each process."""

    def __init__(self, database: Database, signer: Signer, pages: Pages, cookies: Cookies, mail_link: MailLink | None) -> None:
        self._database = database
        self._signer = signer
        self._pages = pages
        self._cookies = cookies
        self._mail_link = mail_link
        self._askers = TokenBuckets(tries=ASKER_TRIES, refill_seconds=ASKER_REFILL_SECONDS)
        self._mails = TokenBuckets(tries=MAIL_TRIES, refill_seconds=MAIL_REFILL_SECONDS)
        self._guessers = TokenBuckets(tries=LINK_TRIES, refill_seconds=LINK_REFILL_SECONDS)

    def router(self) -> APIRouter:
        """Return the routes, all of them for everybody."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(SIGN_IN, self.ask_mail, methods=["GET"])
        router.add_api_route(SIGN_IN, self.send_link, methods=["POST"])
        router.add_api_route(SIGN_IN + "/{link}", self.confirm, methods=["GET"])
        router.add_api_route(SIGN_IN + "/{link}", self.sign_in, methods=["POST"])
        router.add_api_route(RENEW, self.renew, methods=["GET", "POST"])
        router.add_api_route(SIGN_OUT, self.sign_out, methods=["POST"])
        return router

    async def ask_mail(self, request: Request, next: str = START) -> Response:  # noqa: A002  # the address's own word
        """Ask for the mail address that a link is to go to."""
        keep_private(request)
        return self._ask(request, wanted_path(next))

    async def send_link(
        self,
        request: Request,
        mail: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = START,  # noqa: A002
    ) -> Response:
        """Promise a link; the answer is the same, and as quick, whether the address is somebody's or not."""
        keep_private(request)
        wanted = wanted_path(next)
        if self._mail_link is None:
            return self._ask(request, wanted)
        try:
            address = _MAIL.validate_python(mail).lower()
        except ValidationError:
            return self._ask(request, wanted, 422, mail=mail, wrong=True)
        asker, about = asker_in(request), hashlib.sha256(address.encode()).hexdigest()
        if wait_seconds := self._askers.wait_seconds(asker) or self._mails.wait_seconds(about):
            return answer(request, self._pages, TooManyRequests(wait_seconds))
        self._askers.take(asker)
        self._mails.take(about)
        response = self._pages.render(request, "desk/link_sent.html", minutes=int(LINK_LASTS.total_seconds() // 60))
        # After the answer has left: how long it took must not tell whether there was somebody to write to.
        response.background = BackgroundTask(self._send, self._mail_link, address, wanted)
        return response

    async def confirm(self, request: Request, link: str) -> Response:
        """Show whom the link signs in and a button. Nothing happens yet: programs that scan mails follow links too."""
        keep_private(request)
        if wait_seconds := self._guessers.wait_seconds(asker_in(request)):
            return answer(request, self._pages, TooManyRequests(wait_seconds))
        try:
            async with self._database.transaction() as tx:
                person = await store.person_of_link(tx, Secret(text=link))
        except LinkOverError:
            return self._over(request)
        return self._pages.render(request, "desk/sign_in_confirm.html", name=person.name, address=f"{SIGN_IN}/{link}")

    async def sign_in(self, request: Request, link: str) -> Response:
        """Use the link up, sign its person in, and land on the wanted page."""
        keep_private(request)
        if wait_seconds := self._guessers.wait_seconds(asker_in(request)):
            return answer(request, self._pages, TooManyRequests(wait_seconds))
        try:
            async with self._database.transaction() as tx:
                person, wanted = await store.use_link(tx, Secret(text=link))
                session = await store.begin_session(tx, person.id)
        except LinkOverError:
            return self._over(request)
        log.info("person %s signed in", person.id)
        response = RedirectResponse(wanted_path(wanted), status_code=303)
        self._let_in(response, person, session)
        return response

    async def renew(self, request: Request, next: str = START) -> Response:  # noqa: A002
        """Give the browser of a session its next token and lead it back; what it was sending comes along (307)."""
        keep_private(request)
        wanted = wanted_path(next)
        session = Secret(text=request.cookies.get(self._cookies.session, ""))
        async with self._database.transaction() as tx:
            person = await store.use_session(tx, session)
        if person is None:
            refusal = answer(request, self._pages, SignInNeeded(wanted if request.method == "GET" else START))
            self._cookies.forget(refusal)
            return refusal
        response = RedirectResponse(wanted, status_code=303 if request.method == "GET" else 307)
        self._let_in(response, person, session)
        response.set_cookie(
            self._cookies.renewed, "1", max_age=RENEWED_SECONDS, path="/", secure=self._cookies.secure, httponly=True, samesite="lax"
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """End this browser's session."""
        keep_private(request)
        async with self._database.transaction() as tx:
            await store.end_session(tx, Secret(text=request.cookies.get(self._cookies.session, "")))
        response = RedirectResponse(SIGN_IN, status_code=303)
        self._cookies.forget(response)
        return response

    def _let_in(self, response: Response, person: StoredPerson, session: Secret) -> None:
        token = self._signer.sign(person.as_person, kind=Kind.PERSON, valid_for=TOKEN_LASTS, address=person.mail)
        self._cookies.put(response, self._cookies.token, token, TOKEN_LASTS)
        self._cookies.put(response, self._cookies.session, session.text, SESSION_RESTS)

    async def _send(self, mail_link: MailLink, mail: str, wanted: str) -> None:
        as_long_for_everybody = asyncio.create_task(asyncio.sleep(ALIKE_SECONDS))
        try:
            await mail_a_link(self._database, mail_link, public_url=self._pages.public_url, mail=mail, wanted=wanted)
        except Exception:
            # The answer is gone; whoever waits for the mail asks again.
            log.exception("a sign-in link could not be handed to the mail")
        await as_long_for_everybody

    def _ask(self, request: Request, wanted: str, status: int = 200, *, mail: str = "", wrong: bool = False) -> Response:
        can_mail = self._mail_link is not None
        return self._pages.render(
            request, "desk/sign_in.html", status, wanted=wanted, can_mail=can_mail, mail=mail, wrong=wrong, over=False
        )

    def _over(self, request: Request) -> Response:
        self._guessers.take(asker_in(request))
        can_mail = self._mail_link is not None
        return self._pages.render(request, "desk/sign_in.html", 410, wanted=START, can_mail=can_mail, mail="", wrong=False, over=True)


def wanted_path(path: str) -> str:
    """Return where to land: a page of this site, and none of those that only lead on."""
    wanted = local_path(path, otherwise=START)
    only_leads_on = {RENEW, SIGN_OUT}
    place = wanted.partition("?")[0].partition("#")[0]
    return START if place in only_leads_on or place.startswith(SIGN_IN) else wanted
