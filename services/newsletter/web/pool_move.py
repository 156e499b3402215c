"""What people say of an item of the pool: which issue it goes into, and how far it reaches."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.newsletter.issues import cutting
from services.newsletter.issues.rules import IssueError, UnknownIssueError
from services.newsletter.web.issue_show import PATH, Desk, problem_with
from services.newsletter.web.pool_show import POOL
from shared.approval.rules import EDITORS, ApprovalError
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.events.codes import Level
from shared.web.request_state import cause_of

ITEM = POOL + "/{item}"
Drafter = Annotated[Person, Depends(require(*EDITORS))]


def router(desk: Desk) -> APIRouter:
    """Return the doors by which items are moved and levelled."""
    router = APIRouter(include_in_schema=False)

    @router.post(ITEM + "/in")
    async def move_in(request: Request, item: UUID, person: Drafter, issue: Annotated[UUID, Form()]) -> Response:
        """Put an item into an issue."""
        try:
            async with desk.database.transaction() as tx:
                await cutting.move_in(tx, desk.thing, item, issue, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            raise _answer(error) from error
        return RedirectResponse(f"{POOL}#item-{item}", status_code=303)

    @router.post(ITEM + "/out")
    async def move_out(
        request: Request, item: UUID, person: Drafter, issue: Annotated[UUID, Form()], back: Annotated[str, Form()] = ""
    ) -> Response:
        """Leave an item to a later issue."""
        try:
            async with desk.database.transaction() as tx:
                await cutting.move_out(tx, desk.thing, item, issue, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            raise _answer(error) from error
        return RedirectResponse(f"{PATH}{issue}#dropped" if back == "issue" else f"{POOL}#item-{item}", status_code=303)

    @router.post(ITEM + "/level")
    async def level(request: Request, item: UUID, person: Drafter, level: Annotated[str, Form()] = "") -> Response:
        """Say how far an item reaches."""
        if level and level not in set(Level):
            raise HTTPException(422)
        try:
            async with desk.database.transaction() as tx:
                await cutting.set_level(tx, desk.thing, item, Level(level) if level else None, by=person, cause=cause_of(request))
        except (IssueError, ApprovalError) as error:
            raise _answer(error) from error
        return RedirectResponse(f"{POOL}#item-{item}", status_code=303)

    return router


def _answer(error: IssueError | ApprovalError) -> HTTPException:
    return HTTPException(404) if isinstance(error, UnknownIssueError) else problem_with(error)
