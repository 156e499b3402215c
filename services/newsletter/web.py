"""Requests in: the pool of items as the team sees it."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from sqlalchemy import select

from services.newsletter.domain import ItemState
from services.newsletter.sending.progress import progress
from services.newsletter.store import list_items, pool_items
from shared.auth.require import require
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.i18n import CONTENT_LANGUAGES
from shared.operations.story import Fact
from shared.web.pages import Pages

POOL = "/newsletter/pool"
SHOWN = 200


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the newsletter's pages."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER))], include_in_schema=False)

    @router.get(POOL)
    async def pool(request: Request) -> Response:
        """Show what an issue can be made from, newest first, each with where it came from."""
        async with database.transaction() as tx:
            items = await list_items(tx, SHOWN)
        return pages.render(request, "newsletter/pool.html", items=items, content_languages=CONTENT_LANGUAGES, full=len(items) == SHOWN)

    @router.get("/newsletter/sends/{issue_id}.json")
    async def sending(issue_id: UUID) -> Response:
        """Tell how far the sending of an issue has come."""
        async with database.transaction() as tx:
            found = await progress(tx, issue_id)
        return JSONResponse(jsonable_encoder(found), 404 if found is None else 200, {"Cache-Control": "no-store"})

    return router


async def facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    """Return what the pool holds because of the trace of this id: its part of the story of one thing."""
    found: list[Fact] = []
    for item in await tx.execute(select(pool_items).where(pool_items.c.trace_id == trace_id)):
        address = f"{POOL}#item-{item.id}"
        if item.revision == 1 or item.state == ItemState.WITHDRAWN.value:
            found.append(Fact(time=item.created_at, title_key="staff.pool.made", address=address))
        else:
            found.append(Fact(time=item.updated_at, title_key="staff.pool.corrected", params={"revision": item.revision}, address=address))
        if item.state == ItemState.WITHDRAWN.value:
            found.append(Fact(time=item.updated_at, title_key="staff.pool.withdrawn", address=address))
    return found
