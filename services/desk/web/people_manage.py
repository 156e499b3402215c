"""People, as an admin manages them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from services.desk import store
from services.desk.domain import DeskError, LastAdminError, MailTakenError, NoRoleError, UnknownPersonError, Wish
from shared.auth.require import STAFF, require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import LANGUAGES, Language, Role
from shared.events.kinds.parts import MailAddress
from shared.events.texts import Line
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import cause_of

PATH = "/desk/people/"
ROLES = tuple(role for role in Role if role in STAFF)
"""Those that can be given here; a partner's is bound to one partner and is not given by hand."""

Admin = Annotated[Person, Depends(require(Role.ADMIN))]
Words = Annotated[list[str], Form()]


class _Form(BaseModel):
    name: Line
    roles: Annotated[list[Role], Field(min_length=1)]
    languages: list[Language] = []


class _NewForm(_Form):
    mail: MailAddress


class People:
    """The pages of people."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for admins; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.ADMIN))])
        router.add_api_route(PATH, self.listing, methods=["GET"])
        router.add_api_route(PATH, self.add, methods=["POST"])
        router.add_api_route(PATH + "{person_id}", self.show, methods=["GET"])
        router.add_api_route(PATH + "{person_id}", self.change, methods=["POST"])
        router.add_api_route(PATH + "{person_id}/disable", self.disable, methods=["POST"])
        router.add_api_route(PATH + "{person_id}/enable", self.enable, methods=["POST"])
        router.add_api_route(PATH + "{person_id}/sign-out-everywhere", self.sign_out_everywhere, methods=["POST"])
        return router

    async def listing(self, request: Request) -> Response:
        """List everybody."""
        return await self._listing(request)

    async def add(
        self,
        request: Request,
        admin: Admin,
        name: Annotated[str, Form()] = "",
        mail: Annotated[str, Form()] = "",
        roles: Words = [],  # noqa: B006  # FastAPI copies it
        languages: Words = [],  # noqa: B006
    ) -> Response:
        """Add a person, who then signs in with a link of their own asking."""
        filled = {"name": name, "mail": mail, "roles": roles, "languages": languages}
        try:
            wanted = _NewForm.model_validate(filled)
            async with self._database.transaction() as tx:
                made = await store.add_person(
                    tx,
                    mail=wanted.mail,
                    name=wanted.name,
                    roles=_given(wanted.roles),
                    languages=wanted.languages,
                    by=admin.id,
                    cause=cause_of(request),
                )
        except ValidationError as error:
            return await self._listing(request, 422, faults=faults_of(error), filled=filled)
        except MailTakenError:
            return await self._listing(request, 409, faults=(_fault("mail", "staff.people.mail-taken"),), filled=filled)
        return RedirectResponse(f"{PATH}{made.id}", status_code=303)

    async def show(self, request: Request, person_id: UUID) -> Response:
        """Show one person."""
        return await self._show(request, person_id)

    async def change(
        self,
        request: Request,
        person_id: UUID,
        admin: Admin,
        name: Annotated[str, Form()] = "",
        roles: Words = [],  # noqa: B006
        languages: Words = [],  # noqa: B006
    ) -> Response:
        """Change a person's name, roles and languages."""
        try:
            wanted = _Form.model_validate({"name": name, "roles": roles, "languages": languages})
        except ValidationError as error:
            filled = {"name": name, "roles": roles, "languages": languages}
            return await self._show(request, person_id, 422, faults=faults_of(error), filled=filled)
        wish = Wish(name=wanted.name, roles=_given(wanted.roles), languages=tuple(wanted.languages))
        return await self._do(request, admin, person_id, wish)

    async def disable(self, request: Request, person_id: UUID, admin: Admin) -> Response:
        """Let a person in no more, from now on."""
        return await self._do(request, admin, person_id, Wish(active=False))

    async def enable(self, request: Request, person_id: UUID, admin: Admin) -> Response:
        """Let a person sign in again."""
        return await self._do(request, admin, person_id, Wish(active=True))

    async def sign_out_everywhere(self, request: Request, person_id: UUID, admin: Admin) -> Response:
        """Void every token, session and link of a person."""
        try:
            async with self._database.transaction() as tx:
                await store.sign_out_everywhere(tx, str(person_id), by=admin.id, cause=cause_of(request))
        except UnknownPersonError as error:
            raise HTTPException(404) from error
        return RedirectResponse(f"{PATH}{person_id}", status_code=303)

    async def _do(self, request: Request, admin: Person, person_id: UUID, wish: Wish) -> Response:
        try:
            async with self._database.transaction() as tx:
                await store.change_person(tx, str(person_id), wish, by=admin.id, cause=cause_of(request))
        except UnknownPersonError as error:
            raise HTTPException(404) from error
        except (LastAdminError, NoRoleError) as error:
            return await self._show(request, person_id, 409, notice=_notice(error))
        return RedirectResponse(f"{PATH}{person_id}", status_code=303)

    async def _listing(
        self, request: Request, status: int = 200, *, faults: tuple[Fault, ...] = (), filled: dict[str, Any] | None = None
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await store.list_people(tx)
        return self._pages.render(
            request,
            "desk/people.html",
            status,
            people=found,
            faults=faults,
            filled={"name": "", "mail": "", "roles": (), "languages": (), **(filled or {})},
            **_offered(),
        )

    async def _show(
        self,
        request: Request,
        person_id: UUID,
        status: int = 200,
        *,
        faults: tuple[Fault, ...] = (),
        filled: dict[str, Any] | None = None,
        notice: str = "",
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await store.find_person(tx, str(person_id))
            sessions = await store.count_sessions(tx, str(person_id))
        if found is None:
            raise HTTPException(404)
        kept = {"name": found.name, "roles": found.roles, "languages": found.languages}
        return self._pages.render(
            request,
            "desk/person.html",
            status,
            shown=found,
            sessions=sessions,
            faults=faults,
            filled={**kept, **(filled or {})},
            notice_key=notice,
            **_offered(),
        )


def _given(roles: list[Role]) -> tuple[Role, ...]:
    return tuple(role for role in roles if role in STAFF)


def _offered() -> dict[str, Any]:
    return {"offered_roles": ROLES, "offered_languages": LANGUAGES, "path": PATH}


def _notice(error: DeskError) -> str:
    return "staff.people.last-admin" if isinstance(error, LastAdminError) else "staff.people.no-role"


def _fault(field: str, key: str) -> Fault:
    return Fault(field=field, pointer=f"/{field}", part="body", code=key.rpartition(".")[2], key=key, params={})
