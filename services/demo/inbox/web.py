"""The pages of the demo inbox."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from html import escape

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from services.demo.inbox.kept import Inbox, Kept
from shared import clock, i18n
from shared.web.addresses import on_loopback
from shared.web.pages import Pages
from shared.web.request_state import keep_private
from shared.web.safety import CONTENT_SECURITY_POLICY

PATH = "/demo/"
MAIL = PATH + "mails/"
# A page of ours may hold the frame of a mail, and nothing else of it.
SHOWING_POLICY = CONTENT_SECURITY_POLICY + "; frame-src 'self'"
# A mail runs nothing, loads nothing, sends no form and reaches neither our cookies nor the page around it; its links open a new tab.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)

_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)


class View(StrEnum):
    """How a mail is looked at."""

    HTML = "html"
    TEXT = "text"
    HEADERS = "headers"
    SOURCE = "source"


def router(inbox: Inbox, pages: Pages, networks: Mapping[str, str] | None = None) -> APIRouter:
    """Return the routes of the inbox."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(_from_here)])

    @router.get("/demo")
    @router.get(PATH)
    async def listing(request: Request, to: str = "") -> Response:
        """List the mails, newest first; `?to=` those to one address."""
        return pages.render(request, "demo/inbox.html", mails=inbox.newest_first(to=to), to=to, path=MAIL)

    @router.get(PATH + "mails.json")
    async def as_json(to: str = "") -> Response:
        """Give programs the same."""
        return JSONResponse({"mails": [_for_programs(mail) for mail in inbox.newest_first(to=to)]})

    @router.get(PATH + "parts.json")
    async def demo_parts() -> Response:
        """Give programs what stands for the world here: who asks finds out that no mail and no post leaves this machine."""
        return JSONResponse({"inbox": PATH, "networks": dict(networks or {})})

    @router.get(PATH + "posts/{network}/{post_id}")
    async def post(network: str, post_id: str) -> Response:
        """Lead to a rehearsed post on the sandbox's timeline, which stands at an address that only this process knows."""
        if network not in (networks or {}) or not (post_id.isascii() and post_id.isdigit()):
            raise HTTPException(404)
        return RedirectResponse(f"{(networks or {})[network]}/#post-{post_id}", status_code=303)

    @router.get(MAIL + "{number}")
    async def show(request: Request, number: str, view: str = "") -> Response:
        """Show one mail, as HTML where it has that, else as text."""
        mail = _found(inbox, number)
        shown = View(view) if view in set(View) else View.HTML if mail.html is not None else View.TEXT
        direction = i18n.direction(mail.language) if mail.language else "auto"
        headers = {"Content-Security-Policy": SHOWING_POLICY}
        return pages.render(
            request, "demo/mail.html", headers=headers, mail=mail, view=shown, views=_views(mail), direction=direction, path=MAIL
        )

    @router.get(MAIL + "{number}/html")
    async def html(number: str) -> Response:
        """Give the HTML of a mail, for the frame on its page."""
        mail = _found(inbox, number)
        if mail.html is None:
            raise HTTPException(404)
        return HTMLResponse(_opening_new_tabs(mail), headers={"Content-Security-Policy": MAIL_POLICY})

    return router


async def _from_here(request: Request) -> None:
    """Let only those in who reached this by a name of this machine: a page elsewhere cannot lend its own (DNS rebinding)."""
    keep_private(request)
    if not on_loopback(f"http://{request.headers.get('host', '')}"):
        raise HTTPException(404)


def _found(inbox: Inbox, number: str) -> Kept:
    mail = inbox.find(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    if mail is None:
        raise HTTPException(404)
    return mail


def _views(mail: Kept) -> Sequence[View]:
    lacking = {View.HTML: mail.html is None, View.TEXT: mail.text is None}
    return [view for view in View if not lacking.get(view)]


def _opening_new_tabs(mail: Kept) -> str:
    # Our pages refuse to stand in a frame, so a link that opened in this one would show nothing.
    own, base = mail.html or "", '<base target="_blank">'
    begun, heads = _HEAD.subn(lambda found: found.group() + base, own, count=1)
    return begun if heads else f"<!doctype html>{base}<title>{escape(mail.subject)}</title>\n{own}"


def _for_programs(mail: Kept) -> dict[str, object]:
    return {
        "number": mail.number,
        "received_at": clock.rfc3339(mail.received_at),
        "to": mail.recipient,
        "from": mail.author,
        "subject": mail.subject,
        "language": mail.language,
        "text": mail.text,
        "links": mail.links,
        "address": f"{MAIL}{mail.number}",
    }
