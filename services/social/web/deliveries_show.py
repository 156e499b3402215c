"""The ledger of what goes out: what stands, what is to come, and what waits for a person with its cause."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.social import decisions
from services.social.decisions import NoPlaceError, TooLateError
from services.social.domain.deliveries import Decision, State, WaitingFor, decisions_for
from services.social.store import deliveries as ledger
from services.social.store.deliveries import Delivery
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Role
from shared.web.pages import Pages
from shared.web.request_state import cause_of

PATH = "/social/deliveries"
SHOWN = 200
Writer = Annotated[Person, Depends(require(Role.DRAFTER, Role.APPROVER))]
_TONES = {State.PUBLISHED: "success", State.WAITING: "warning", State.CANCELLED: "neutral"}


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of posts, and what people decide on it."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER))], include_in_schema=False)

    async def show(request: Request, status: int = 200, *, state: State | None = None, notice: str = "") -> Response:
        async with database.transaction() as tx:
            rows = await ledger.listing(tx, state, SHOWN)
            counts = await ledger.counts(tx)
        return pages.render(
            request,
            "social/deliveries.html",
            status,
            posts=[(row, _evidence(row), _TONES.get(State(row.state), "info"), _why(row), _decisions(row)) for row in rows],
            counts={state.value: n for state, n in counts.items()},
            state=state.value if state else "",
            notice_key=notice,
            full=len(rows) == SHOWN,
            path=PATH,
        )

    @router.get(PATH)
    async def posts(request: Request, state: str = "") -> Response:
        """Show posts, those due last first."""
        return await show(request, state=State(state) if state in set(State) else None)

    @router.post(PATH + "/{delivery}/{decision}")
    async def decide(
        request: Request, person: Writer, delivery: UUID, decision: Decision, address: Annotated[str, Form()] = ""
    ) -> Response:
        """Carry out what a person has decided."""
        try:
            async with database.transaction() as tx:
                row = await ledger.lock(tx, delivery)
                if row is None:
                    raise HTTPException(404)
                await decisions.decide(tx, row, decision, by=person, cause=cause_of(request), address=address)
        except TooLateError:
            return await show(request, 409, notice="staff.posts.too-late")
        except NoPlaceError:
            return await show(request, 422, notice="staff.posts.no-place")
        return RedirectResponse(f"{PATH}#post-{delivery}", status_code=303)

    return router


def _evidence(row: Delivery) -> str:
    return orjson.dumps(row.evidence, option=orjson.OPT_INDENT_2).decode() if row.evidence else ""


def _decisions(row: Delivery) -> Sequence[Decision]:
    return decisions_for(State(row.state), row.waiting_for, row.sent_again)


def _why(row: Delivery) -> str:
    return WaitingFor(row.waiting_for).key if row.waiting_for else ""
