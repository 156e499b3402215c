"""A sender's own page of pauses: what is paused, what waits, what waited; and the button for when desk's word cannot come."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from shared.actors import Actor
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.pauses import by_hand, store
from shared.pauses.saying import SUSPENDERS, PauseError, read_end
from shared.pauses.scopes import scopes_of
from shared.pauses.sender import Sender
from shared.web.pages import Pages
from shared.web.request_state import cause_of

Operator = Annotated[Person, Depends(require(*SUSPENDERS))]


def pauses_of(sender: Sender, database: Database, pages: Pages) -> APIRouter:
    """Return the page `/{service}/pauses`."""
    address = f"/{sender.service.value}/pauses"
    router = APIRouter(include_in_schema=False)

    async def show(request: Request, actor: Actor, refused: PauseError | None = None, **typed: str) -> Response:
        async with database.transaction() as tx:
            scopes = scopes_of(sender.service)
            context: dict[str, Any] = {
                "address": address,
                "scopes": [(scope, await store.find(tx, scope)) for scope in scopes],
                "scope_options": [(scope, scope) for scope in scopes],
                "listing": await store.listing(tx),
                "waiting": await sender.waiting(tx, scopes[0]),
                "refused": f"staff.pauses.refusal.{refused.slug}" if refused else "",
                "typed": {"scope": scopes[0], "reason": "", "until": ""} | typed,
                "zone": pages.zone,
            }
        return pages.render(request, "pauses.html", refused.status if refused else 200, **context)

    @router.get(address)
    async def listing(request: Request, actor: Operator) -> Response:
        """Show what is paused here, by whom, and what waited when the last pauses ended."""
        return await show(request, actor)

    @router.post(address)
    async def pause(
        request: Request,
        actor: Operator,
        scope: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
    ) -> Response:
        """Pause a scope on the spot."""
        try:
            end = read_end(until, pages.zone)
            async with database.transaction() as tx:
                await by_hand.pause_here(tx, sender, scope, by=actor, reason=reason, until=end, cause=cause_of(request))
        except PauseError as error:
            return await show(request, actor, error, scope=scope, reason=reason, until=until)
        return RedirectResponse(address, status_code=303)

    @router.post(f"{address}/resume")
    async def resume(
        request: Request,
        actor: Operator,
        scope: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """End a pause that was set here; the page then lists what waited."""
        try:
            async with database.transaction() as tx:
                await by_hand.resume_here(tx, sender, scope, by=actor, reason=reason, cause=cause_of(request))
        except PauseError as error:
            return await show(request, actor, error)
        return RedirectResponse(address, status_code=303)

    return router
