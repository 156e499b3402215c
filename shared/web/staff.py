"""The door of the staff pages until people can sign in: one key, printed at the start, kept by the browser as a cookie."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from shared.web.addresses import local_path
from shared.web.pages import Pages
from shared.web.problem import Problem, TooManyRequests, answer
from shared.web.rate import TokenBuckets, asker_of
from shared.web.request_state import keep_private

ENTER = "/desk/enter"
LEAVE = "/desk/leave"
START = "/desk/"
COOKIE = "tidings-staff"
# A working day: who comes back tomorrow follows the printed link again.
COOKIE_SECONDS = 12 * 3600
# With fewer characters a key could be guessed.
KEY_MIN_CHARACTERS = 16
# Five slips of the hand at once, then one try every twelve seconds: 7,200 guesses a day of a key that has 2^192 forms.
GUESSES = 5
GUESS_REFILL_SECONDS = 12.0

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class StaffKey:
    """The key of the staff pages; its text is never shown, not even in a log of this object."""

    key: str = field(repr=False)
    secure: bool  # True where the public URL is https; over plain http, on loopback only, browsers refuse Secure cookies

    def __post_init__(self) -> None:
        if len(self.key) < KEY_MIN_CHARACTERS:
            raise ValueError(f"a staff key needs at least {KEY_MIN_CHARACTERS} characters")

    @classmethod
    def new(cls, *, secure: bool) -> "StaffKey":
        """Return a key that nobody can guess."""
        return cls(key=secrets.token_urlsafe(24), secure=secure)

    @property
    def cookie_name(self) -> str:
        """The cookie's name; `__Host-` binds it to this host and to https (RFC 6265bis, section 4.1.3.2)."""
        return f"__Host-{COOKIE}" if self.secure else COOKIE

    @property
    def cookie_value(self) -> str:
        """What the cookie holds: a hash, so that a browser's store does not give the key away."""
        return hashlib.sha256(b"tidings staff cookie\0" + self.key.encode()).hexdigest()

    def matches(self, guess: str) -> bool:
        """Say whether `guess` is the key, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.key.encode(), guess.encode("utf-8", "surrogatepass"))

    def opened_by(self, cookies: Mapping[str, str]) -> bool:
        """Say whether `cookies` come from a browser that has entered."""
        return hmac.compare_digest(self.cookie_value.encode(), cookies.get(self.cookie_name, "").encode("utf-8", "surrogatepass"))


class StaffKeyNeeded(Problem):
    """This page is for the team, and the browser has not entered the key; the answer leads to where it can."""

    template: ClassVar[str] = "staff_needed.html"

    def __init__(self, wanted: str) -> None:
        super().__init__(
            401,
            "staff-key-needed",
            "staff.needed.title",
            "staff.needed.detail",
            headers={"WWW-Authenticate": 'Cookie realm="staff"'},
            enter=f"{ENTER}?next={quote(wanted, safe='/')}",
        )


async def require_staff(request: Request) -> None:
    """Let only a browser through that has entered the key; a dependency of every staff page and of all that one sends."""
    keep_private(request)
    if not _staff_key(request).opened_by(request.cookies):
        query = f"?{request.url.query}" if request.url.query else ""
        # What was to be sent is lost, and its address may take no GET: from there the way leads to the start page.
        raise StaffKeyNeeded(f"{request.url.path}{query}" if request.method == "GET" else START)


@router.get(ENTER)
async def enter_form(request: Request, key: str = "", next: str = START) -> Response:  # noqa: A002  # the address's own word
    """Show the form. Nothing happens yet: programs that scan mails follow links too."""
    keep_private(request)
    return _pages(request).render(request, "staff_enter.html", key=key, wanted=_wanted(next), wrong=False)


@router.post(ENTER)
async def enter(
    request: Request,
    key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = START,  # noqa: A002
) -> Response:
    """Let the browser in where the key is right, and lead on to the page that it wanted."""
    keep_private(request)
    staff_key, guesses = _staff_key(request), _guesses(request)
    asker = asker_of(request.client.host if request.client else "")
    if wait_seconds := guesses.wait_seconds(asker):
        return answer(request, _pages(request), TooManyRequests(wait_seconds))
    if not staff_key.matches(key.strip()):
        guesses.take(asker)
        return _pages(request).render(request, "staff_enter.html", 403, key="", wanted=_wanted(next), wrong=True)
    response = RedirectResponse(_wanted(next), status_code=303)
    response.set_cookie(
        staff_key.cookie_name,
        staff_key.cookie_value,
        max_age=COOKIE_SECONDS,
        path="/",
        secure=staff_key.secure,
        httponly=True,
        samesite="lax",  # not strict: links in mails must land on the page that they name
    )
    return response


@router.post(LEAVE)
async def leave(request: Request) -> Response:
    """Forget that the browser has entered."""
    keep_private(request)
    staff_key = _staff_key(request)
    response = RedirectResponse(ENTER, status_code=303)
    response.delete_cookie(staff_key.cookie_name, path="/", secure=staff_key.secure, httponly=True, samesite="lax")
    return response


def _wanted(path: str) -> str:
    wanted = local_path(path, otherwise=START)
    return START if wanted.partition("?")[0] in {ENTER, LEAVE} else wanted


def _staff_key(request: Request) -> StaffKey:
    key = request.app.state.staff_key
    assert isinstance(key, StaffKey)
    return key


def _guesses(request: Request) -> TokenBuckets:
    guesses = request.app.state.staff_guesses
    assert isinstance(guesses, TokenBuckets)
    return guesses


def _pages(request: Request) -> Pages:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages
