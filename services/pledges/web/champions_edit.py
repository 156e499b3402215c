"""Where the team keeps the records of champion countries."""

from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.pledges import telling
from services.pledges.domain.champion_rows import champion_of
from services.pledges.domain.rows import Refused
from services.pledges.store import champions
from services.pledges.store.champions import Champion
from services.pledges.web.champions_show import record
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.reference.countries import country as country_of
from shared.reference.titles import Mark
from shared.web import wording
from shared.web.forms import Fault
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

PATH = "/pledges/champions/edit"
FIELDS = ("country", "since", "seen", "until", "source", "verified", "note")

Admin = Annotated[Person, Depends(require(Role.ADMIN))]


class ChampionsEdit:
    """The form with the records below it."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        router.get(PATH, dependencies=[Depends(require(Role.ADMIN))])(self.show)
        router.post(PATH)(self.save)
        router.post(PATH + "/remove")(self.remove)
        return router

    async def show(self, request: Request, country: str = "") -> Response:
        """Show the form, filled with the record of `country` where there is one."""
        async with self._database.transaction() as tx:
            kept = {one.country: one for one in await champions.listing(tx)}
        chosen = kept.get(country)
        filled = {name: getattr(chosen, name) or "" for name in FIELDS} if chosen else dict.fromkeys(FIELDS, "")
        return self._page(request, list(kept.values()), filled)

    async def save(
        self,
        request: Request,
        person: Admin,
        country: Annotated[str, Form()] = "",
        since: Annotated[str, Form()] = "",
        seen: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
        source: Annotated[str, Form()] = "",
        verified: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Keep a record in place of what was known of the country, under the rules of the import."""
        typed = dict(zip(FIELDS, (country, since, seen, until, source, verified, note), strict=True))
        cells = {name: " ".join(text.replace("\0", " ").split()) for name, text in typed.items()}
        try:
            wanted = champion_of(cells)
        except Refused as refused:
            key = refused.key or "fault.not-offered"
            fault = Fault(field=refused.field, pointer=f"/{refused.field}", part="body", code=refused.code, key=key, params=refused.params)
            async with self._database.transaction() as tx:
                kept = await champions.listing(tx)
            return self._page(request, list(kept), cells, (fault,))
        async with self._database.transaction() as tx:
            champion = Champion(**wanted)  # type: ignore[arg-type]  # the rules have seen to it
            before = {one.country: one for one in await champions.listing(tx)}.get(champion.country)
            if champion != before:
                await champions.keep(tx, [champion], by=person.id)
                await self._note(tx, request, "change" if before else "add", champion, person)
        return RedirectResponse(PATH, status_code=303)

    async def remove(self, request: Request, person: Admin, country: Annotated[str, Form()] = "") -> Response:
        """Remove a record that should never have been here."""
        async with self._database.transaction() as tx:
            removed = {one.country: one for one in await champions.listing(tx)}.get(country)
            if removed is None or not await champions.remove(tx, country):
                raise HTTPException(404)
            await self._note(tx, request, "remove", removed, person)
        return RedirectResponse(PATH, status_code=303)

    async def _note(self, tx: Transaction, request: Request, what: str, champion: Champion, by: Person) -> None:
        """Tell the audit trail who did it, and to which record."""
        decision = telling.Decision(
            what=what,
            by=by,
            title={"en": country_of(champion.country).name.in_("en").text},
            content=vars(champion),
            page=f"{self._pages.public_url}{PATH}?country={champion.country}",
            about=telling.CHAMPION,
        )
        # A record has no id but its country's code; in the trail it has one that is always the same.
        subject = uuid5(NAMESPACE_URL, f"champion:{champion.country}")
        await telling.tell_decision(tx, decision, subject=subject, cause=cause_of(request))

    def _page(self, request: Request, kept: list[Champion], filled: dict[str, str], faults: tuple[Fault, ...] = ()) -> Response:
        reader = reader_language(request)
        return self._pages.render(
            request,
            "pledges/champions_edit.html",
            422 if faults else 200,
            records=[record(one, reader) for one in kept],
            filled=filled,
            faults=faults,
            countries=wording.country_options(reader),
            marks=[mark.value for mark in Mark],
            path=PATH,
        )
