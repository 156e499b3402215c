"""The page to which a confirmation mail leads; its button confirms, so that programs that look at links confirm nothing."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import StoredSubmission, SubmissionState
from services.intake.store import reviews, submissions
from services.intake.web.confirm_mail import CONFIRM
from services.intake.web.webhook_answer import TRACKING
from shared import clock, outbox
from shared.db import Database, Transaction
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.rate import Limit
from shared.web.request_state import keep_private

# A mail program of an office looks at all the links that its people get; who guesses addresses gets nowhere with one in three seconds.
TRIES, REFILL_SECONDS = 30, 3.0


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the confirmation page."""
    router = APIRouter(dependencies=[Depends(Limit(tries=TRIES, refill_seconds=REFILL_SECONDS))], include_in_schema=False)

    @router.get(CONFIRM + "{token}")
    async def show(request: Request, token: str) -> Response:
        """Show what was sent, and the button; lead on where that is done."""
        keep_private(request)
        async with database.transaction() as tx:
            found = await _found(tx, token)
        return _page(request, found) if _waits(found) else _lead_on(request, found)

    @router.post(CONFIRM + "{token}")
    async def confirm(request: Request, token: str) -> Response:
        """Let the submission be reviewed, once, and lead to the page on which to follow it."""
        keep_private(request)
        async with database.transaction() as tx:
            found = await _found(tx, token)
            if _waits(found):
                event = domain.received_event(found, found.reference)
                told_as = await outbox.put(tx, event, subject=str(found.id), cause=Cause.start(found.id))
                await submissions.confirm(tx, found.id, told_as=told_as, at=clock.now())
                cause = Cause(id=str(told_as), trace_id=found.id.hex)
                await reviews.open_review(tx, found, public_url=pages.public_url, cause=cause)
                return RedirectResponse(f"{TRACKING}{found.token}", status_code=303)
        return _lead_on(request, found)

    def _page(request: Request, found: StoredSubmission) -> Response:
        return pages.render(request, "intake/confirm.html", submission=found, path=request.url.path)

    def _lead_on(request: Request, found: StoredSubmission) -> Response:
        if found.contact_confirmed_at is None:
            return pages.render(request, "intake/confirm_gone.html", 410)
        return RedirectResponse(f"{TRACKING}{found.token}", status_code=303)

    return router


async def _found(tx: Transaction, token: str) -> StoredSubmission:
    found = await submissions.by_confirmation(tx, domain.token_hash(token))
    if found is None:
        raise HTTPException(404)
    return found


def _waits(found: StoredSubmission) -> bool:
    return found.state is SubmissionState.UNCONFIRMED and clock.now() < found.confirm_until
