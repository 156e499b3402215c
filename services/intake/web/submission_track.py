"""The page on which a sender follows what became of a submission, whichever service decides on it."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services.intake.store import submissions
from services.intake.web.confirm_mail import PURPOSE
from services.intake.web.webhook_answer import TRACKING
from shared.db import Database
from shared.mail.queue import store as mails
from shared.mail.queue.store import MailState
from shared.web.pages import Pages
from shared.web.request_state import keep_private


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the tracking page."""
    router = APIRouter(include_in_schema=False)

    @router.get(TRACKING + "{token}")
    async def show(request: Request, token: str) -> Response:
        """Show where a submission stands; who has the address may read it, so nothing keeps or lists the page."""
        keep_private(request)
        async with database.transaction() as tx:
            submission = await submissions.by_token(tx, token) if token.isascii() and "\0" not in token else None
            mail = await mails.last_about(tx, str(submission.id), PURPOSE) if submission else None
        if submission is None:
            raise HTTPException(404)
        return pages.render(
            request, "intake/track.html", submission=submission, mail_refused=mail is not None and mail.state == MailState.REFUSED
        )

    return router
