"""The pool of items as the team sees it."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from services.newsletter.domain import ItemState
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
    """Return the page of the pool."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER))], include_in_schema=False)

    @router.get(POOL)
    async def pool(request: Request) -> Response:
        """Show what an issue can be made from, newest first, each with where it came from."""
        async with database.transaction() as tx:
            items = await list_items(tx, SHOWN)
        return pages.render(request, "newsletter/pool.html", items=items, content_languages=CONTENT_LANGUAGES, full=len(items) == SHOWN)

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
