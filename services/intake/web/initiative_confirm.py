"""The mailboxes of the initiatives: an admin confirms to which of them enquiries go; until then a moderator answers them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from services.intake.store import mailboxes
from shared import clock, outbox
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.kinds.parts import MailAddress
from shared.reference.initiatives import Initiative, initiatives
from shared.vault import Vault
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages, Sentence
from shared.web.request_state import cause_of, reader_language

PATH = "/intake/initiatives/"
_ADDRESS: TypeAdapter[str] = TypeAdapter(MailAddress)
Admin = Annotated[Person, Depends(require(Role.ADMIN))]


class Initiatives:
    """The page of all initiatives."""

    def __init__(self, database: Database, vault: Vault, pages: Pages) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for admins; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.ADMIN))])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH + "{code}/confirm", self.confirm, methods=["POST"])
        router.add_api_route(PATH + "{code}/remove", self.remove, methods=["POST"])
        return router

    async def listing(self, request: Request) -> Response:
        """Show every initiative with its mailbox, and what the reference data of 2023 say."""
        return await self._page(request)

    async def confirm(self, request: Request, code: str, admin: Admin) -> Response:
        """Let enquiries about an initiative go to a mailbox."""
        found = _known(code)
        async with request.form(max_files=0, max_fields=1) as form:
            address = str(form.get(f"address-{found.code}", ""))
        try:
            mailbox = _ADDRESS.validate_python(address)
        except ValidationError as error:
            faults = tuple(replace(fault, field=f"address-{found.code}") for fault in faults_of(error))
            return await self._page(request, 422, faults=faults, filled={found.code: address})
        async with self._database.transaction() as tx:
            await mailboxes.confirm(tx, self._vault, found.code, mailbox, by=admin, at=clock.now())
            await self._note(tx, request, found, "confirm", admin, mailbox)
        return RedirectResponse(f"{PATH}#{found.code}", status_code=303)

    async def remove(self, request: Request, code: str, admin: Admin) -> Response:
        """Let enquiries about an initiative await a moderator again."""
        found = _known(code)
        async with self._database.transaction() as tx:
            if await mailboxes.remove(tx, found.code):
                await self._note(tx, request, found, "remove", admin, "")
        return RedirectResponse(f"{PATH}#{found.code}", status_code=303)

    async def _note(self, tx: Transaction, request: Request, found: Initiative, what: str, admin: Person, mailbox: str) -> None:
        """Tell the audit trail who did it; of the address only its hash, since a mail address never travels."""
        event = DecisionMade(
            who=admin.id,
            what=what,
            about="initiative",
            title={"en": found.title.in_("en").text},
            content_hash=hashlib.sha256(mailbox.encode()).hexdigest() if mailbox else None,
            address=f"{self._pages.public_url}{PATH}",
        )
        subject = uuid5(NAMESPACE_URL, found.key)
        await outbox.put(tx, event, subject=str(subject), cause=cause_of(request))

    async def _page(
        self, request: Request, status: int = 200, *, faults: Sequence[Fault] = (), filled: Mapping[str, str] | None = None
    ) -> Response:
        reader = reader_language(request)
        async with self._database.transaction() as tx:
            confirmed = await mailboxes.confirmed(tx, self._vault)
        titles = {one.code: one.title.in_(reader) for one in initiatives()}
        return self._pages.render(
            request,
            "intake/initiatives.html",
            status,
            initiatives=initiatives(),
            titles={code: Sentence(title.text, lang=title.lang, reader=reader) for code, title in titles.items()},
            confirmed=confirmed,
            faults=faults,
            filled=filled or {},
            path=PATH,
        )


def _known(code: str) -> Initiative:
    for one in initiatives():
        if one.code == code:
            return one
    raise HTTPException(404)
