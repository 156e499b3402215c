"""Partners and their keys, as the team manages them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row
from starlette.exceptions import HTTPException

from services.intake.store import partners
from services.intake.webhooks.keys import KeyFault
from shared import clock, outbox
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.kinds.parts import MailAddress
from shared.events.texts import Line
from shared.vault import SealError, Vault
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import cause_of

PATH = "/intake/partners/"

Admin = Annotated[Person, Depends(require(Role.ADMIN))]


class _NewPartner(BaseModel):
    name: Line
    contact: MailAddress


class Partners:
    """The pages of partners."""

    def __init__(self, database: Database, vault: Vault, pages: Pages) -> None:
        self._database = database
        self._vault = vault
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes of partners, for admins; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.ADMIN))])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH, self.add, methods=["POST"])
        router.add_api_route(PATH + "{partner}", self.show, methods=["GET"])
        router.add_api_route(PATH + "{partner}/secrets", self.add_secret, methods=["POST"])
        router.add_api_route(PATH + "{partner}/keys", self.add_public_key, methods=["POST"])
        router.add_api_route(PATH + "{partner}/keys/{key}/revoke", self.ask_to_revoke, methods=["GET"])
        router.add_api_route(PATH + "{partner}/keys/{key}/revoke", self.revoke, methods=["POST"])
        return router

    async def listing(self, request: Request) -> Response:
        """List the partners."""
        return await self._listing(request)

    async def add(
        self, request: Request, admin: Admin, name: Annotated[str, Form()] = "", contact: Annotated[str, Form()] = ""
    ) -> Response:
        """Add a partner and show its first secret, once."""
        try:
            wanted = _NewPartner(name=name, contact=contact)
        except ValidationError as error:
            return await self._listing(request, 422, faults=faults_of(error), filled={"name": name, "contact": contact})
        async with self._database.transaction() as tx:
            made = await partners.add_partner(tx, self._vault, name=wanted.name, contact=wanted.contact)
            await self._note(tx, request, made.id, wanted.name, "add", admin)
        return self._show_once(request, made.id, wanted.name, made.secret)

    async def show(self, request: Request, partner: str) -> Response:
        """Show one partner with its keys."""
        return await self._show(request, _id(partner))

    async def add_secret(self, request: Request, partner: str, admin: Admin) -> Response:
        """Make a further secret and show it, once; the others go on working until they are revoked."""
        async with self._database.transaction() as tx:
            found = await _found(tx, partner)
            secret = await partners.add_secret(tx, self._vault, found.id)
            await self._note(tx, request, found.id, found.name, "add-secret", admin)
        return self._show_once(request, found.id, found.name, secret)

    async def add_public_key(self, request: Request, partner: str, admin: Admin, key: Annotated[str, Form()] = "") -> Response:
        """Take the public half of a key that the partner made itself."""
        async with self._database.transaction() as tx:
            found = await _found(tx, partner)
            fault = await partners.add_public_key(tx, self._vault, found.id, key)
            if fault is None:
                await self._note(tx, request, found.id, found.name, "add-key", admin)
        if fault is not None:
            return await self._show(request, found.id, 422, faults=(_fault(fault),), filled=key if fault is not KeyFault.PRIVATE else "")
        return RedirectResponse(f"{PATH}{found.id}", status_code=303)

    async def ask_to_revoke(self, request: Request, partner: str, key: str) -> Response:
        """Show what revoking a key would mean; nothing happens yet."""
        async with self._database.transaction() as tx:
            found = await _found(tx, partner)
            keys = await partners.keys_of(tx, found.id)
        live = [row for row in keys if row.revoked_at is None]
        chosen = next((row for row in live if row.id == _id(key)), None)
        if chosen is None:
            raise HTTPException(404)
        return self._pages.render(
            request,
            "intake/partner_revoke.html",
            partner=found,
            key=chosen,
            is_last=len(live) == 1,
            minutes_ago=_minutes_since_use(chosen),
            path=PATH,
        )

    async def revoke(self, request: Request, partner: str, key: str, admin: Admin) -> Response:
        """Revoke a key; one that is revoked already stays so."""
        async with self._database.transaction() as tx:
            found = await _found(tx, partner)
            if await partners.revoke_key(tx, found.id, _id(key)):
                await self._note(tx, request, found.id, found.name, "revoke-key", admin)
        return RedirectResponse(f"{PATH}{found.id}", status_code=303)

    async def _note(self, tx: Transaction, request: Request, partner_id: UUID, name: str, what: str, admin: Person) -> None:
        """Tell the audit trail who did it: a key opens the door to whoever holds it."""
        page = f"{self._pages.public_url}{PATH}{partner_id}"
        event = DecisionMade(who=admin.id, what=what, about="partner", title={"en": name}, address=page)
        await outbox.put(tx, event, subject=str(partner_id), cause=cause_of(request))

    async def _listing(
        self, request: Request, status: int = 200, *, faults: tuple[Fault, ...] = (), filled: dict[str, str] | None = None
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await partners.listing(tx)
        return self._pages.render(
            request,
            "intake/partners.html",
            status,
            partners=found,
            faults=faults,
            filled={"name": "", "contact": "", **(filled or {})},
            path=PATH,
        )

    async def _show(
        self, request: Request, partner_id: UUID, status: int = 200, *, faults: tuple[Fault, ...] = (), filled: str = ""
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await _found(tx, str(partner_id))
            keys = await partners.keys_of(tx, partner_id)
            receipts = await partners.last_receipts(tx, partner_id)
        return self._pages.render(
            request,
            "intake/partner.html",
            status,
            partner=found,
            contact=self._contact(found),
            keys=keys,
            receipts=receipts,
            webhook=self._webhook(partner_id),
            faults=faults,
            filled=filled,
            path=PATH,
        )

    def _show_once(self, request: Request, partner_id: UUID, name: str, secret: str) -> Response:
        return self._pages.render(
            request,
            "intake/partner_secret.html",
            partner_id=partner_id,
            name=name,
            secret=secret,
            webhook=self._webhook(partner_id),
            path=PATH,
        )

    def _webhook(self, partner_id: UUID) -> str:
        return f"{self._pages.public_url}/intake/webhooks/{partner_id}"

    def _contact(self, partner: Row[Any]) -> str | None:
        try:
            return self._vault.open(partner.contact_sealed).decode()
        except SealError:
            return None


async def _found(tx: Transaction, partner: str) -> Row[Any]:
    found = await partners.find(tx, _id(partner))
    if found is None:
        raise HTTPException(404)
    return found


def _minutes_since_use(key: Row[Any]) -> int | None:
    """Return how long ago a key was used; at least a minute, because the moment is kept no more exactly than that."""
    return max(1, int((clock.now() - key.last_used_at).total_seconds()) // 60) if key.last_used_at else None


def _fault(fault: KeyFault) -> Fault:
    return Fault(field="key", pointer="", part="body", code=fault.value, key=fault.key, params={})


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None
