"""What a person sees of themselves, and signing out everywhere."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.desk import store
from services.desk.domain import UnknownPersonError
from shared.auth.cookies import SIGN_IN, Cookies
from shared.auth.require import require_staff
from shared.auth.tokens import Person
from shared.db import Database
from shared.web.pages import Pages
from shared.web.problem import Problem
from shared.web.request_state import cause_of

ME = "/desk/me"

Anybody = Annotated[Person, Depends(require_staff)]


class Me:
    """The page of the person who asks."""

    def __init__(self, database: Database, pages: Pages, cookies: Cookies) -> None:
        self._database = database
        self._pages = pages
        self._cookies = cookies

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])
        router.add_api_route(ME, self.show, methods=["GET"])
        router.add_api_route(ME + "/sign-out-everywhere", self.sign_out_everywhere, methods=["POST"])
        return router

    async def show(self, request: Request, person: Anybody) -> Response:
        """Show what is known of them here."""
        async with self._database.transaction() as tx:
            found = await store.find_person(tx, person.id)
            sessions = await store.count_sessions(tx, person.id)
        if found is None:
            raise Problem(404, "not-found")
        return self._pages.render(request, "desk/me.html", me=found, sessions=sessions)

    async def sign_out_everywhere(self, request: Request, person: Anybody) -> Response:
        """Void every token, session and link of theirs: for whoever left a browser open somewhere, or lost a machine."""
        try:
            async with self._database.transaction() as tx:
                await store.sign_out_everywhere(tx, person.id, by=person.id, cause=cause_of(request))
        except UnknownPersonError as error:
            raise Problem(404, "not-found") from error
        response = RedirectResponse(SIGN_IN, status_code=303)
        self._cookies.forget(response)
        return response
