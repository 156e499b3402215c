"""The two cookies of people: the short token that every service reads, and the session by which desk gives the next one."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Response

from shared.web.addresses import on_loopback

RENEW = "/desk/session"
"""Where a browser whose token is over gets a new one and is led back."""
SIGN_IN = "/desk/sign-in"
RENEWED_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Cookies:
    """Their names and how they are set, by the address at which people reach us."""

    secure: bool

    @classmethod
    def at(cls, public_url: str) -> "Cookies":
        """Return the cookies for a public URL: bound to https and this host, but on loopback over http, where browsers refuse that."""
        return cls(secure=not (public_url.startswith("http:") and on_loopback(public_url)))

    @property
    def token(self) -> str:
        """Name of the cookie that holds the token."""
        return self._named("tidings-token")

    @property
    def session(self) -> str:
        """Name of the cookie that holds the session's secret, which only desk can make use of."""
        return self._named("tidings-session")

    @property
    def renewed(self) -> str:
        """Name of the cookie that stands for a moment after a renewal, so that a token which is refused at once is not renewed for ever."""
        return self._named("tidings-renewed")

    def _named(self, name: str) -> str:
        # RFC 6265bis, section 4.1.3.2: browsers take a cookie of this prefix only from https, for the whole host and no other.
        return f"__Host-{name}" if self.secure else name

    def put(self, response: Response, name: str, value: str, lasts: timedelta) -> None:
        """Have the browser keep a cookie for so long."""
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",  # not strict: links in mails must land on the page that they name
        )

    def forget(self, response: Response) -> None:
        """Have the browser forget that somebody is signed in."""
        for name in (self.token, self.session, self.renewed):
            response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")
