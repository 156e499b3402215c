"""The page to which a confirmation mail leads; its button confirms, so that programs that look at links confirm nothing."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.intake import domain
from services.intake.domain import StoredSubmission, SubmissionState
from services.intake.letters.confirming import CONFIRM
from services.intake.publishing.arriving import Arrivals
from services.intake.store import submissions
from services.intake.store.submissions import TRACKING
from shared import clock, outbox
from shared.db import Database, Transaction
from shared.events.codes import Channel
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.rate import Limit
from shared.web.request_state import keep_private

# A mail program of an office looks at all the links that its people get; who guesses addresses gets nowhere with one in three seconds.
TRIES, REFILL_SECONDS = 30, 3.0


def router(database: Database, pages: Pages, arrivals: Arrivals) -> APIRouter:
    """Return the confirmation page."""
    router = APIRouter(dependencies=[Depends(Limit(tries=TRIES, refill_seconds=REFILL_SECONDS))], include_in_schema=False)

    @router.get(CONFIRM + "{token}")
    async def show(request: Request, token: str) -> Response:
        """Show what was sent, and the button; lead on where that is done."""
        keep_private(request)
        async with database.transaction() as tx:
            found = await _found(tx, token)
        return _page(request, found) if _waits(found) or _asks_for_address_alone(found) else _lead_on(request, found)

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
                await arrivals.received(tx, found, found.reference, cause=cause)
                return RedirectResponse(f"{TRACKING}{found.token}", status_code=303)
            if _asks_for_address_alone(found):
                await submissions.confirm_contact(tx, found.id, clock.now())
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


def _asks_for_address_alone(found: StoredSubmission) -> bool:
    """Say whether a colleague entered it, and the person is only asked whether the mail address is theirs."""
    return found.channel == Channel.STAFF and found.contact_confirmed_at is None and clock.now() < found.confirm_until


def _waits(found: StoredSubmission) -> bool:
    return found.state is SubmissionState.UNCONFIRMED and clock.now() < found.confirm_until
