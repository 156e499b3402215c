"""The kill switch as a page: what is paused, who has confirmed it, and what waited when it ended."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.desk import store
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.pauses import switch
from shared.pauses.saying import SUSPENDERS, PauseError, read_end
from shared.web.pages import Pages
from shared.web.request_state import cause_of

PATH = "/desk/sending"

Operator = Annotated[Person, Depends(require(*SUSPENDERS))]


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of the kill switch, for operators; auditors may read."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(require(*SUSPENDERS))])

    async def show(request: Request, person: Person, refused: PauseError | None = None, **typed: str) -> Response:
        async with database.transaction() as tx:
            said = await switch.overview(tx)
            by_hand = await switch.paused_by_hand(tx)
            names = {one.id: one.name for one in await store.list_people(tx)}
        return pages.render(
            request,
            "desk/sending.html",
            refused.status if refused else 200,
            path=PATH,
            said=said,
            by_hand=by_hand,
            names=names,
            scopes=switch.SCOPES,
            refused=f"staff.pauses.refusal.{refused.slug}" if refused else "",
            typed={"scope": "", "reason": "", "until": ""} | typed,
            zone=pages.zone,
        )

    @router.get(PATH)
    async def overview(request: Request, person: Operator) -> Response:
        """Show each scope with what was said of it and what its senders answered."""
        return await show(request, person)

    @router.post(PATH)
    async def pause(
        request: Request,
        person: Operator,
        scope: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
    ) -> Response:
        """Pause a scope at every sender that it concerns."""
        try:
            end = read_end(until, pages.zone)
            async with database.transaction() as tx:
                await switch.throw(tx, scope, paused=True, by=person, reason=reason, until=end, cause=cause_of(request))
        except PauseError as error:
            return await show(request, person, error, scope=scope, reason=reason, until=until)
        return RedirectResponse(PATH, status_code=303)

    @router.post(f"{PATH}/resume")
    async def resume(
        request: Request,
        person: Operator,
        scope: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Let a scope go on; what waited stands on the page as the senders confirm it."""
        try:
            async with database.transaction() as tx:
                await switch.throw(tx, scope, paused=False, by=person, reason=reason, cause=cause_of(request))
        except PauseError as error:
            return await show(request, person, error)
        return RedirectResponse(PATH, status_code=303)

    return router
