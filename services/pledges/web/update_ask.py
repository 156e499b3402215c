"""The page on which an owner asks for a link to report by: a number and a mail address, and the same answer whatever was typed."""

import hmac
import logging
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from services.pledges.domain.pledges import Standing
from services.pledges.domain.submissions import number_as_written
from services.pledges.letters import UPDATE, Letters, Mail
from services.pledges.store import pledges, reports
from services.pledges.web.values import fault
from shared import clock
from shared.db import Database
from shared.mail.address import AddressError, checked
from shared.vault import SealError
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.rate import TokenBuckets, asker_in
from shared.web.request_state import keep_private

log = logging.getLogger(__name__)

SENT = "/pledges/update/sent"
# An owner asks once or twice; a ministry that made twenty pledges may ask for all of them from one network address.
ASKS = 20
REFILL_SECONDS = 180.0
# Nobody may use the page to fill somebody else's mailbox, from however many network addresses.
MAILS = 5
MAIL_REFILL_SECONDS = 3600.0
# Held to by the database too, whatever process answers.
LINKS_A_DAY = 5
_NUMBER_MAX = 40


class UpdateAsk:
    """The page; one for each process."""

    def __init__(self, database: Database, pages: Pages, letters: Letters) -> None:
        self._database = database
        self._pages = pages
        self._letters = letters
        self._askers = TokenBuckets(tries=ASKS, refill_seconds=REFILL_SECONDS)
        self._addressees = TokenBuckets(tries=MAILS, refill_seconds=MAIL_REFILL_SECONDS)

    def router(self) -> APIRouter:
        """Return the routes, all of them for everybody."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(UPDATE, self.show, methods=["GET"])
        router.add_api_route(UPDATE, self.ask, methods=["POST"])
        router.add_api_route(SENT, self.sent, methods=["GET"])
        return router

    async def show(self, request: Request, number: str = "") -> Response:
        """Show the page; a pledge's own page leads here with its number."""
        return self._page(request, number=number[:_NUMBER_MAX])

    async def ask(self, request: Request, number: Annotated[str, Form()] = "", mail: Annotated[str, Form()] = "") -> Response:
        """Say that a mail is on its way where number and address belong together; nobody learns whether they do."""
        keep_private(request)
        faults = []
        if not number.strip():
            faults.append(fault("number", "missing"))
        try:
            address = checked(mail)
        except AddressError:
            faults.append(fault("mail", "mail-address"))
        if faults:
            return self._page(request, 422, number=number, mail=mail, faults=faults)
        asker, addressee = asker_in(request), address.casefold()
        if wait_seconds := max(self._askers.wait_seconds(asker), self._addressees.wait_seconds(addressee)):
            headers = {"Retry-After": str(wait_seconds)}
            return self._page(request, 429, number=number, mail=mail, notice="pledge.update.too-many", headers=headers)
        self._askers.take(asker)
        self._addressees.take(addressee)
        # After the answer, so that how long it takes says nothing either. Whom a process that ends just then forgets, asks again.
        return RedirectResponse(SENT, status_code=303, background=BackgroundTask(self._write, number_as_written(number), addressee))

    async def sent(self, request: Request) -> Response:
        """Say what happens next, to everybody in the same words."""
        keep_private(request)
        return self._pages.render(request, "pledges/update_sent.html", path=UPDATE)

    async def _write(self, number: str, addressee: str) -> None:
        if len(number) > _NUMBER_MAX or not number.isprintable():
            return
        async with self._database.transaction() as tx:
            found = await pledges.by_number(tx, number)
            pledge = await pledges.lock(tx, found.id) if found else None
            if pledge is None or pledge.facts.standing is Standing.WITHDRAWN:
                return
            try:
                contact = self._letters.opened(pledge.contact_sealed)
            except SealError:
                log.error("the contact of %s cannot be opened: %s", pledge.number, SealError.__doc__)  # noqa: TRY400  # says all there is
                return
            if contact is None or not hmac.compare_digest(contact[1].casefold().encode(), addressee.encode()):
                return
            if await reports.count_links_since(tx, pledge.id, clock.now() - timedelta(days=1)) >= LINKS_A_DAY:
                log.info("%s: its owner was sent %d links within a day, so no other", pledge.number, LINKS_A_DAY)
                return
            await self._letters.write(tx, pledge, Mail.ASKED)

    def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        number: str = "",
        mail: str = "",
        faults: list[Fault] | None = None,
        notice: str = "",
        headers: dict[str, str] | None = None,
    ) -> Response:
        return self._pages.render(
            request,
            "pledges/update_ask.html",
            status,
            headers=headers,
            number=number,
            mail=mail,
            faults=faults or [],
            notice_key=notice,
            path=UPDATE,
        )
