"""Puts onto a service's app what every service's pages share."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import Scope

from shared.auth.cookies import Cookies
from shared.auth.require import Auth
from shared.auth.tokens import Verifier
from shared.web import assets
from shared.web.pages import Pages
from shared.web.problem import CatchErrors, install_handlers
from shared.web.safety import BodyCap, HeadAsGet, OriginCheck, SecurityHeaders, Tracing, bears_token, form_limit


def never(error: BaseException) -> bool:
    """Say of no error that a part is away."""
    del error
    return False


def install(
    app: FastAPI,
    *,
    pages: Pages,
    verifier: Verifier,
    sent_by_programs: Callable[[Scope], bool] = bears_token,
    limit_of: Callable[[Scope], int] = form_limit,
    unavailable: Callable[[BaseException], bool] = never,
) -> None:
    """Give `app` the static files, the answers to errors, and the middlewares in the order in which they must stand.

    `verifier` reads the tokens of people and of their programs. `sent_by_programs`: requests whose origin is not checked (with
    webhooks: `bears_token` or the door's path). `limit_of`: the largest body that an address takes, in bytes. `unavailable`: which
    errors mean that a part is away and that asking again helps.
    """
    app.state.pages = pages
    app.state.auth = Auth(verifier=verifier, cookies=Cookies.at(pages.public_url))
    app.include_router(assets.router)
    install_handlers(app, pages)
    # Each one is put around those before it: the last of these lines is the first to see a request.
    app.add_middleware(BodyCap, limit_of=limit_of)
    app.add_middleware(OriginCheck, public_url=pages.public_url, sent_by_programs=sent_by_programs)
    app.add_middleware(CatchErrors, pages=pages, unavailable=unavailable)
    app.add_middleware(HeadAsGet)
    app.add_middleware(SecurityHeaders, public_url=pages.public_url)
    app.add_middleware(Tracing)
