"""What came in, as the team finds it: by state and by kind."""

from math import ceil

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.intake.domain import SubmissionState, title_of
from services.intake.store import submissions
from services.intake.store.reviews import PATH
from shared.auth.require import require
from shared.db import Database
from shared.events.codes import Role
from shared.events.kinds import KINDS
from shared.web.pages import Pages

PAGE_SIZE = 50


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the list of submissions, for moderators; auditors may read."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])

    @router.get("/intake/")
    async def lead_on() -> Response:
        """Lead to what waits."""
        return RedirectResponse(PATH, status_code=303)

    @router.get(PATH)
    async def listing(request: Request, state: str = SubmissionState.RECEIVED.value, kind: str = "", page: str = "") -> Response:
        """List submissions by their state."""
        wanted = SubmissionState(state) if state in set(SubmissionState) else None
        number = int(page) if page.isascii() and page.isdigit() and 0 < len(page) <= 5 else 1
        async with database.transaction() as tx:
            rows, total = await submissions.listing(
                tx, state=wanted, kind=kind if kind in KINDS else None, limit=PAGE_SIZE, offset=(max(number, 1) - 1) * PAGE_SIZE
            )
            counts = await submissions.counts(tx)
        return pages.render(
            request,
            "intake/review.html",
            submissions=rows,
            counts=counts,
            state=wanted,
            kind=kind if kind in KINDS else "",
            kinds=tuple(KINDS),
            title_of=title_of,
            page=max(number, 1),
            pages=max(1, ceil(total / PAGE_SIZE)),
        )

    return router
