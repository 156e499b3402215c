"""The audit trail as a page and as JSON."""

from math import ceil

import orjson
from fastapi import APIRouter, Depends, Request, Response

from services.desk import trail
from shared import i18n
from shared.auth.require import require
from shared.db import Database
from shared.events.codes import Role
from shared.web.pages import Pages, Sentence, sentences
from shared.web.request_state import reader_language

PATH = "/desk/audit"
PAGE_SIZE = 50
EXPORT_ROWS = 1_000


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the pages of the trail, for auditors and admins."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.ADMIN))])

    @router.get(PATH)
    async def listing(request: Request, page: str = "") -> Response:
        """Show who decided what, the last first."""
        number = int(page) if page.isascii() and page.isdigit() and 0 < len(page) <= 5 else 1
        async with database.transaction() as tx:
            rows, total = await trail.listing(tx, limit=PAGE_SIZE, offset=(max(number, 1) - 1) * PAGE_SIZE)
        language = reader_language(request)
        found = [
            {
                "row": row,
                "decision": decision,
                "did": _worded(f"staff.audit.did.{decision.what}", decision.what, language),
                "on": _worded(f"staff.audit.on.{decision.about}", decision.about, language),
            }
            for row, decision in rows
        ]
        return pages.render(request, "desk/audit.html", found=found, page=max(number, 1), pages=max(1, ceil(total / PAGE_SIZE)))

    @router.get(PATH + ".json")
    async def export(after: int = 0) -> Response:
        """Give the rows after that number, the first first, a thousand at a time; `next` goes on, and is null at the end."""
        async with database.transaction() as tx:
            rows = await trail.export(tx, after=min(max(after, 0), 2**62), limit=EXPORT_ROWS)
        following = rows[-1]["number"] if len(rows) == EXPORT_ROWS else None
        return Response(orjson.dumps({"rows": rows, "next": following}), media_type="application/json")

    return router


def _worded(key: str, code: str, reader: str) -> str:
    """Return the words of `key` for a code that a service gave, or the code where there are none."""
    if i18n.knows(key):
        return sentences(reader)(key)
    return Sentence(code.replace("-", " "), lang="en", reader=reader)
