"""The one way to X: signs every request (OAuth 1.0a), sends it where the settings say, within a time, and sees what came back."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from oauthlib.oauth1 import Client as Signer
from yarl import URL

POSTS_URL = "https://x.com/i/status/"
"""What X leads from to a post, and to the account's own address of it, by the post's number alone."""

API_URL = "https://api.twitter.com"
"""Where X answers; tweepy knows this host alone, and the session sends its requests elsewhere where the settings say so."""

# Of the time for a whole request, a connection takes no more than this.
CONNECT_SECONDS = 10.0
BODY_KEPT = 600  # characters of an answer, for evidence


class TooLateError(Exception):
    """A process came back from a long rest and would send what another may have taken over by now; nothing was sent."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account on X and the keys of the application that posts for it."""

    api_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)
    posts_url: str = POSTS_URL  # what a post's number follows where people read it

    @property
    def user_id(self) -> str:
        """The account's number, which X puts before the first hyphen of every access token."""
        return self.access_token.partition("-")[0]


@dataclass(kw_only=True)
class Exchange:
    """What came back on one request, as far as it came."""

    status: int | None = None  # None: no answer began
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # None: it did not come whole

    def evidence(self, error: BaseException | None = None) -> dict[str, Any]:
        """Return what is worth keeping; it holds no key."""
        kept = {name: value for name, value in self.headers.items() if name.startswith("x-") or name in {"content-type", "date"}}
        seen: dict[str, Any] = {"status": self.status, "headers": kept}
        if self.body is not None:
            seen["body"] = self.body.decode(errors="replace").replace("\0", "")[:BODY_KEPT]
        if error is not None:
            seen["error"] = f"{type(error).__name__}: {error}"[:BODY_KEPT]
        return seen


class SignedSession:
    """Stands where tweepy wants its aiohttp session, and serves our own requests in the same way.

    `send_before` is the moment of `time.monotonic()` after which nothing may be sent any more. One object serves one request at a time;
    its `exchange` tells of the last.
    """

    def __init__(self, session: aiohttp.ClientSession, account: Account, timeout_seconds: float, send_before: float | None = None) -> None:
        self.exchange = Exchange()
        self._session = session
        self._account = account
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        self._send_before = send_before

    @asynccontextmanager
    async def request(
        self, method: str, url: str | URL, *, headers: Mapping[str, str] | None = None, **body: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer, read whole; `body` is what aiohttp takes: json, data. The query must stand in `url`."""
        self.exchange = Exchange()
        there, signed = self._signed(method, str(url), headers or {})
        if self._send_before is not None and time.monotonic() > self._send_before:
            raise TooLateError(TooLateError.__doc__)
        body.pop("params", None)  # tweepy passes None, having put the query into the URL
        asking = self._session.request(method, there, headers=signed, timeout=self._timeout, allow_redirects=False, **body)
        async with asking as response:
            self.exchange.status = response.status
            self.exchange.headers = {name.lower(): value for name, value in response.headers.items()}
            self.exchange.body = await response.read()
            yield response

    def _signed(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[URL, dict[str, str]]:
        # Signed anew, since the host is part of what is signed.
        asked = urlsplit(url)
        there = self._account.api_url.rstrip("/") + asked.path + (f"?{asked.query}" if asked.query else "")
        account = self._account
        signer = Signer(account.consumer_key, account.consumer_secret, account.access_token, account.access_token_secret)
        unsigned = {name: value for name, value in headers.items() if name != "Authorization"}
        there, signed, _ = signer.sign(there, method, headers=unsigned)
        return URL(there, encoded=True), dict(signed)


@asynccontextmanager
async def signed_session(account: Account, timeout_seconds: float, send_before: float | None = None) -> AsyncIterator[SignedSession]:
    """Give a session on connections of its own: one that the other side has closed meanwhile would leave a post's fate open."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield SignedSession(session, account, timeout_seconds, send_before)
