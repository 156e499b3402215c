"""The check at every staff address: who asks, by a cookie or as bearer, and whether they hold a role that it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar
from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException

from shared.auth.cookies import RENEW, SIGN_IN, Cookies
from shared.auth.people import Standing, standing_of
from shared.auth.tokens import Claims, Kind, Person, TokenError, TokenOverError, Verifier
from shared.db import Database
from shared.events.codes import Role
from shared.web.problem import Problem
from shared.web.request_state import keep_person, keep_private

STAFF = frozenset(Role) - {Role.PARTNER}
"""Every role but that of partners, who open the portal of one partner and nothing else."""
START = "/desk/"
_READING = frozenset({"GET", "HEAD"})
_PEOPLE = "tidings_people"


@dataclass(frozen=True, kw_only=True)
class Auth:
    """What an app needs to know people: desk's public keys and the names of the cookies. Found at `app.state.auth`."""

    verifier: Verifier
    cookies: Cookies


class SignInNeeded(Problem):
    """This page is for people who are signed in; the answer leads to where they can."""

    template: ClassVar[str] = "sign_in_needed.html"

    def __init__(self, wanted: str) -> None:
        super().__init__(
            401,
            "sign-in-needed",
            "sign-in.needed.title",
            "sign-in.needed.detail",
            headers={"WWW-Authenticate": 'Bearer realm="tidings"'},
            sign_in=f"{SIGN_IN}?next={quote(wanted, safe='/')}",
        )


class TokenRefused(Problem):
    """A program's bearer token is not taken."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "token-refused",
            "sign-in.token-refused.title",
            "sign-in.token-refused.detail",
            headers={"WWW-Authenticate": 'Bearer realm="tidings", error="invalid_token"'},
        )


class RoleNeeded(Problem):
    """The person is known, but holds none of the roles that this needs; the answer names them."""

    template: ClassVar[str] = "role_needed.html"

    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__(
            403, "role-needed", "sign-in.role-needed.title", "sign-in.role-needed.detail", roles=[role for role in Role if role in roles]
        )


class Renewal(HTTPException):
    """Not a refusal: the browser fetches a new token from desk and comes back, with what it was sending (RFC 9110, section 15.4.8)."""

    def __init__(self, wanted: str, *, reading: bool) -> None:
        super().__init__(303 if reading else 307, headers={"Location": f"{RENEW}?next={quote(wanted, safe='/')}"})


@dataclass(frozen=True)
class Require:
    """A FastAPI dependency that gives the person who asks, once they hold one of `roles`; make it by `require`.

    An auditor may read at every address and change nothing, so reading needs no mention of that role.
    """

    roles: frozenset[Role]

    def allowed(self, method: str) -> frozenset[Role]:
        """Return the roles that a request of this method needs one of."""
        return self.roles | {Role.AUDITOR} if method in _READING else self.roles

    async def __call__(self, request: Request) -> Person:
        """Return the person; raises SignInNeeded, TokenRefused, RoleNeeded or Renewal."""
        keep_private(request)
        bearer = _bearer(request)
        claims, standing = await (_by_bearer(request, bearer) if bearer is not None else _by_cookie(request))
        keep_person(request, claims.person)
        allowed = self.allowed(request.method)
        if claims.person.holds(*allowed):
            return claims.person
        # A role that was given a moment ago is in the next token, and only there.
        if bearer is None and standing is not None and standing.may_hold(*allowed):
            _renew(request)
        raise RoleNeeded(self.roles)


@cache
def require(*roles: Role) -> Require:
    """Return the dependency that lets through who holds one of `roles`: `person: Annotated[Person, Depends(require(Role.MODERATOR))]`."""
    if not roles:
        raise ValueError("name the roles that this address needs; STAFF names all")
    return Require(frozenset(roles))


require_staff = require(*sorted(STAFF))
"""Lets everybody through who works here, whatever their role."""


def of_service(database: Database) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency that says whose table of people counts; it stands before every router of a service."""

    async def counts(request: Request) -> None:
        setattr(request.state, _PEOPLE, database)

    return counts


def auth_of(request: Request) -> Auth:
    """Return what the app was wired with."""
    auth = request.app.state.auth
    assert isinstance(auth, Auth)
    return auth


def wanted_of(request: Request) -> str:
    """Return the address that was asked for, to come back to."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


async def _by_bearer(request: Request, token: str) -> tuple[Claims, Standing | None]:
    """Read no cookie: the origin of a request that brings a token of its own is not checked."""
    try:
        claims = auth_of(request).verifier.read(token, Kind.API)
    except TokenError as error:
        raise TokenRefused from error
    standing = await standing_of(_people(request), claims.person.id)
    if standing is not None and not standing.takes(claims):
        raise TokenRefused
    return claims, standing


async def _by_cookie(request: Request) -> tuple[Claims, Standing | None]:
    auth = auth_of(request)
    token = request.cookies.get(auth.cookies.token, "")
    try:
        if not token:
            raise TokenOverError
        claims = auth.verifier.read(token, Kind.PERSON)
    except TokenError as error:  # over, or of a key that is no longer ours: the session decides, not what the token says
        _renew(request)
        raise _sign_in(request) from error
    standing = await standing_of(_people(request), claims.person.id)
    if standing is not None and not standing.takes(claims):
        _renew(request)
        raise _sign_in(request)
    return claims, standing


def _renew(request: Request) -> None:
    """Send the browser to desk for a new token, where it has a session and has not just been there."""
    cookies = auth_of(request).cookies
    if cookies.session in request.cookies and cookies.renewed not in request.cookies:
        raise Renewal(wanted_of(request), reading=request.method in _READING)


def _sign_in(request: Request) -> SignInNeeded:
    # What was to be sent is lost, and its address may take no GET: from there the way leads to the start page.
    return SignInNeeded(wanted_of(request) if request.method in _READING else START)


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _people(request: Request) -> Database:
    database = getattr(request.state, _PEOPLE, None)
    if not isinstance(database, Database):
        raise TypeError("whose people? the router was not included with Depends(of_service(database))")
    return database
