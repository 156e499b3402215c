"""What a person sees of themselves, how they want to be mailed, and signing out everywhere."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from services.desk import store
from services.desk.awaiting.rules import DIGEST_HOUR, Choice, Rhythm
from services.desk.awaiting.store import choice_of, choose
from services.desk.domain import UnknownPersonError
from shared import i18n
from shared.auth.cookies import SIGN_IN, Cookies
from shared.auth.require import require_staff
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.times import Zone
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.problem import Problem
from shared.web.request_state import cause_of

ME = "/desk/me"
_ZONE: TypeAdapter[str] = TypeAdapter(Zone)

Anybody = Annotated[Person, Depends(require_staff)]


@dataclass(frozen=True, kw_only=True)
class _Filled:
    """The form about mails as it stands."""

    rhythm: str
    hour: int
    zone: str
    language: str  # empty: the first of the person's own


class Me:
    """The page of the person who asks."""

    def __init__(self, database: Database, pages: Pages, cookies: Cookies) -> None:
        self._database = database
        self._pages = pages
        self._cookies = cookies

    def router(self) -> APIRouter:
        """Return the routes; an auditor, too, changes what concerns nobody else."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])
        router.add_api_route(ME, self.show, methods=["GET"])
        router.add_api_route(ME + "/mails", self.choose_mails, methods=["POST"])
        router.add_api_route(ME + "/sign-out-everywhere", self.sign_out_everywhere, methods=["POST"])
        return router

    async def show(self, request: Request, person: Anybody, saved: str = "") -> Response:
        """Show what is known of them here."""
        async with self._database.transaction() as tx:
            choice = await choice_of(tx, person.id)
        filled = _Filled(rhythm=choice.rhythm.value, hour=choice.hour, zone=choice.zone or "", language=choice.language or "")
        return await self._show(request, person, filled, saved=bool(saved))

    async def choose_mails(
        self,
        request: Request,
        person: Anybody,
        rhythm: Annotated[str, Form()] = "",
        hour: Annotated[str, Form()] = str(DIGEST_HOUR),
        zone: Annotated[str, Form()] = "",
        language: Annotated[str, Form()] = "",
    ) -> Response:
        """Keep how they want to be mailed about what awaits them."""
        choice, faults = _read(rhythm, hour, zone.strip(), language)
        if choice is None:
            filled = _Filled(rhythm=rhythm, hour=_hour(hour, otherwise=DIGEST_HOUR), zone=zone, language=language)
            return await self._show(request, person, filled, 422, faults=faults)
        async with self._database.transaction() as tx:
            if await store.find_person(tx, person.id) is None:
                raise Problem(404, "not-found")
            await choose(tx, person.id, choice)
        return RedirectResponse(f"{ME}?saved=mails", status_code=303)

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

    async def _show(
        self, request: Request, person: Person, filled: _Filled, status: int = 200, *, faults: tuple[Fault, ...] = (), saved: bool = False
    ) -> Response:
        async with self._database.transaction() as tx:
            found = await store.find_person(tx, person.id)
            sessions = await store.count_sessions(tx, person.id)
        if found is None:
            raise Problem(404, "not-found")
        return self._pages.render(
            request,
            "desk/me.html",
            status,
            me=found,
            sessions=sessions,
            rhythms=[one.value for one in Rhythm],
            filled=filled,
            faults=faults,
            saved=saved,
            zone=self._pages.zone,
            mail_languages=i18n.LANGUAGES,
        )


def _read(rhythm: str, hour: str, zone: str, language: str) -> tuple[Choice | None, tuple[Fault, ...]]:
    faults = []
    if rhythm not in set(Rhythm):
        faults.append(_fault("rhythm", "staff.mails.wrong"))
    wanted = _hour(hour, otherwise=-1)
    if wanted < 0:
        faults.append(_fault("hour", "staff.mails.wrong"))
    try:
        known = _ZONE.validate_python(zone) if zone else None
    except ValidationError:
        faults.append(_fault("zone", "staff.mails.zone.unknown"))
    if language and language not in i18n.LANGUAGES:
        faults.append(_fault("language", "staff.mails.wrong"))
    if faults:
        return None, tuple(faults)
    return Choice(rhythm=Rhythm(rhythm), hour=wanted, zone=known, language=language or None), ()


def _fault(field: str, key: str) -> Fault:
    return Fault(field=field, pointer=f"/{field}", part="body", code="not-offered", key=key, params={})


def _hour(text: str, *, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text[:3]) < 24 else otherwise
