"""The pool of items as the team sees it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Row, select

from services.newsletter.domain.items import ItemState
from services.newsletter.issues.tables import issues
from services.newsletter.sending.tables import sends
from services.newsletter.store import labels, list_items, pool_items
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Level, Role
from shared.i18n import CONTENT_LANGUAGES
from shared.operations.story import Fact
from shared.web.pages import Pages

POOL = "/newsletter/pool"
SHOWN = 200


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of the pool."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER))], include_in_schema=False)

    @router.get(POOL)
    async def pool(request: Request, person: Annotated[Person, Depends(require(Role.DRAFTER, Role.APPROVER))], kind: str = "") -> Response:
        """Show what an issue can be made from, newest first, each with where it came from and the issue that it goes into.

        `kind` shows what readers are told is that alone; one that nothing is shows everything.
        """
        async with database.transaction() as tx:
            known = await labels(tx)
            kind = kind if kind in known else ""
            items = await list_items(tx, SHOWN, kind)
            numbers = {row.id: row.number for row in await tx.execute(select(issues.c.id, issues.c.number))}
            changeable = await issues_to_change(tx)
        return pages.render(
            request,
            "newsletter/pool.html",
            items=items,
            kind=kind,
            labels=known,
            content_languages=CONTENT_LANGUAGES,
            full=len(items) == SHOWN,
            numbers=numbers,
            changeable=changeable,
            levels=[level.value for level in Level],
            may_edit=person.holds(Role.DRAFTER),
        )

    return router


async def issues_to_change(tx: Transaction) -> Sequence[Row[Any, Any, Any]]:
    """Return the issues that items can still be moved into or out of, newest first."""
    begun = select(sends.c.issue_id).where(sends.c.frozen_at.is_not(None))
    query = select(issues.c.id, issues.c.number, issues.c.cut_at).where(issues.c.id.not_in(begun)).order_by(issues.c.serial.desc())
    return (await tx.execute(query)).all()


async def facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    """Return what the pool holds because of the trace of this id: its part of the story of one thing."""
    found: list[Fact] = []
    for item in await tx.execute(select(pool_items).where(pool_items.c.trace_id == trace_id)):
        address = f"{POOL}#item-{item.id}"
        # What came of a source is made at a later revision of it than the first.
        if item.created_at == item.updated_at or item.state == ItemState.WITHDRAWN.value:
            found.append(Fact(time=item.created_at, title_key="staff.pool.made", address=address))
        else:
            found.append(Fact(time=item.updated_at, title_key="staff.pool.corrected", params={"revision": item.revision}, address=address))
        if item.state == ItemState.WITHDRAWN.value:
            found.append(Fact(time=item.updated_at, title_key="staff.pool.withdrawn", address=address))
    return found
