"""The drafts as the team sees them."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from services.social.domain.drafts import DraftState
from services.social.store import posts
from services.social.store.drafts import labels, list_drafts
from services.social.store.tables import drafts as drafts_table
from shared.approval.rules import EDITORS
from shared.approval.web import Decider
from shared.auth.require import require
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.i18n import CONTENT_LANGUAGES
from shared.operations.story import Fact
from shared.web.pages import Pages

DRAFTS = "/social/drafts"
SHOWN = 200


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the pages of social media."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER))], include_in_schema=False)

    @router.get(DRAFTS)
    async def drafts(request: Request, person: Decider, kind: str = "") -> Response:
        """Show what could be posted, newest first, each with where it came from; `kind` shows what is about that alone."""
        async with database.transaction() as tx:
            known = await labels(tx)
            kind = kind if kind in known else ""
            rows = await list_drafts(tx, SHOWN, kind)
            taken = await posts.of_drafts(tx, [row.id for row in rows])
        return pages.render(
            request,
            "social/drafts.html",
            drafts=rows,
            kind=kind,
            labels=known,
            taken=taken,
            may_write=person.holds(*EDITORS),
            content_languages=CONTENT_LANGUAGES,
            full=len(rows) == SHOWN,
        )

    return router


async def facts(tx: Transaction, trace_id: str) -> Sequence[Fact]:
    """Return which drafts stand because of the trace of this id: its part of the story of one thing."""
    found: list[Fact] = []
    for draft in await tx.execute(select(drafts_table).where(drafts_table.c.trace_id == trace_id)):
        address = f"{DRAFTS}#draft-{draft.id}"
        # What came of a source is drafted at a later revision of it than the first.
        if draft.created_at == draft.updated_at or draft.state == DraftState.WITHDRAWN.value:
            found.append(Fact(time=draft.created_at, title_key="staff.drafts.made", address=address))
        else:
            found.append(
                Fact(time=draft.updated_at, title_key="staff.drafts.corrected", params={"revision": draft.revision}, address=address)
            )
        if draft.state == DraftState.WITHDRAWN.value:
            found.append(Fact(time=draft.updated_at, title_key="staff.drafts.withdrawn", address=address))
    return found
