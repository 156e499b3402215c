"""What an issue looks like before it leaves: preview in each language, and a test mail to oneself."""

from datetime import timedelta
from html import escape
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from sqlalchemy import Row
from starlette.exceptions import HTTPException

from services.newsletter.compose.edition import Edition, NowhereWrittenError
from services.newsletter.compose.variants import Preview, preview
from services.newsletter.issues import matter, telling
from services.newsletter.issues.rules import IssueError
from services.newsletter.web.issue_show import PATH, Desk, Writer, found, refusal_of
from shared import clock
from shared.approval.web import Refusal
from shared.auth.tokens import Person
from shared.i18n import direction, translate
from shared.mail.address import AddressError, mailbox
from shared.mail.message import Content
from shared.mail.queue.put import Mails, OneOff
from shared.vault import SealError, Vault
from shared.web.problem import TooManyRequests
from shared.web.rate import TokenBuckets
from shared.web.request_state import cause_of
from shared.web.safety import CONTENT_SECURITY_POLICY

PREVIEW = PATH + "{issue}/preview/{language}"
TEST = "issue-test"
TESTS = 10
TEST_REFILL_SECONDS = 360.0
# A test that the mail server did not take within the hour is of no use any more.
TEST_VALID = timedelta(hours=1)
# A mail has its style within itself and its pictures by address; it runs nothing, sends nothing and is framed by our pages alone.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; sandbox; frame-ancestors 'self'; base-uri 'none'"
FRAMING_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


class NoAddressError(IssueError):
    """Who is signed in here has no mail address that Tidings can read; sign out, and in again."""

    slug = "no-address"
    status = 422


class NotWrittenError(IssueError):
    """Something of this issue is written in no language, so there is nothing to show; write it, or take its block out."""

    slug = "not-written"
    status = 409


class Looking:
    """The previews of an issue, and the door by which a test mail leaves."""

    def __init__(self, desk: Desk, mails: Mails, vault: Vault) -> None:
        self._desk = desk
        self._mails = mails
        self._vault = vault
        self._tests = TokenBuckets(tries=TESTS, refill_seconds=TEST_REFILL_SECONDS)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PREVIEW + ".html", self.mail, methods=["GET"])
        router.add_api_route(PREVIEW + ".txt", self.text, methods=["GET"])
        router.add_api_route(PREVIEW, self.show, methods=["GET"])
        router.add_api_route(PREVIEW + "/test", self.test, methods=["POST"])
        return router

    async def show(self, request: Request, issue: UUID, language: str, person: Writer, sent: str = "") -> Response:
        """Show a language of an issue as mail and as text, and the form of a test mail."""
        del person
        return await self._show(request, issue, language, sent=bool(sent))

    async def mail(self, issue: UUID, language: str, person: Writer) -> Response:
        """Return the mail itself, for the frame of the preview."""
        del person
        return HTMLResponse((await self._seen(issue, language)).html, headers={"Content-Security-Policy": MAIL_POLICY})

    async def text(self, issue: UUID, language: str, person: Writer) -> Response:
        """Return the text of the mail as it is sent."""
        del person
        return PlainTextResponse((await self._seen(issue, language)).text)

    async def test(self, request: Request, issue: UUID, language: str, person: Writer) -> Response:
        """Send this language to who asks, marked as a test; nothing of it stands in the ledger."""
        if wait := self._tests.wait_seconds(person.id):
            raise TooManyRequests(wait)
        _, edition = await self._edition(issue, language)
        try:
            seen = _preview(edition, language)
            if seen is None:
                raise NotWrittenError
            await self._put(request, issue, person, seen)
        except IssueError as error:
            return await self._show(request, issue, language, refusal_of(error))
        self._tests.take(person.id)
        return RedirectResponse(f"{PATH}{issue}/preview/{language}?sent=1", status_code=303)

    async def _put(self, request: Request, issue: UUID, person: Person, seen: Preview) -> None:
        try:
            to = mailbox(self._vault.open(person.sealed_address.encode()).decode())
        except (SealError, AddressError) as error:
            raise NoAddressError from error
        content, until = _marked(seen, person.name), clock.now() + TEST_VALID
        async with self._desk.database.transaction() as tx:
            await self._mails.put(tx, OneOff(purpose=TEST, about=str(issue), to=to, content=content, expires_at=until))
            # A text that nobody has approved leaves for nobody but who asks, and who asked can be found out.
            read = await self._desk.thing.read(tx, issue)
            assert read is not None
            await telling.tell_decision(tx, issue, read, what="test-mail", by=person, cause=cause_of(request))

    async def _show(self, request: Request, issue: UUID, language: str, refused: Refusal | None = None, *, sent: bool = False) -> Response:
        row, edition = await self._edition(issue, language)
        return self._desk.pages.render(
            request,
            "newsletter/issue_preview.html",
            refused.status if refused else 200,
            headers={"Content-Security-Policy": FRAMING_POLICY},
            path=PATH,
            issue=row,
            language=language,
            seen=_preview(edition, language),
            refused=refused,
            sent=sent,
        )

    async def _seen(self, issue: UUID, language: str) -> Preview:
        _, edition = await self._edition(issue, language)
        seen = _preview(edition, language)
        if seen is None:
            raise HTTPException(404)
        return seen

    async def _edition(self, issue: UUID, language: str) -> tuple[Row[Any], Edition]:
        async with self._desk.database.transaction() as tx:
            row = await found(tx, issue)
            edition, _ = await matter.edition_of(tx, row, self._desk.public_url)
        if language not in edition.languages:
            raise HTTPException(404)
        return row, edition


def _preview(edition: Edition, language: str) -> Preview | None:
    try:
        return preview(edition, language)  # type: ignore[arg-type]
    except NowhereWrittenError:
        return None


def _marked(seen: Preview, name: str) -> Content:
    """Return a preview as a mail that says first of all that it is a test, and whose."""
    subject = translate(seen.language, "issue.test.subject", subject=seen.subject)
    note = translate(seen.language, "issue.test.note", name=name)
    marked = f'<p dir="{direction(seen.language)}"><strong>{escape(note)}</strong></p>'
    begin = seen.html.index(">", seen.html.index("<body")) + 1
    html = f"{seen.html[:begin]}{marked}{seen.html[begin:]}"
    return Content(language=seen.language, subject=subject, text=f"{note}\n\n{seen.text}", html=html)
