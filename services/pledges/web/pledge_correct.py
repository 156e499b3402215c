"""The form by which the team corrects a published pledge: its texts and codes, under the same rules as the form by which it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from services.pledges.domain.pledges import Facts, Pledge, PledgeError, UnknownPledgeError
from services.pledges.reviewing import Reviewing, locked, manage_path
from services.pledges.store import pledges
from services.pledges.web.pledge_manage import MANAGE
from shared import i18n
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import EntityType, PledgeKind, PledgeWay, Principle, Region, Role, Scope
from shared.events.kinds.parts import SYNTHETIC, UNKNOWN_CONTACT
from shared.events.kinds.pledge import PledgeSubmission
from shared.web import wording
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import cause_of, reader_language

_FIELDS_MAX = 200
_LINES = ("entity", "matched_id", "metric", "baseline", "target", "currency", "amount", "start", "due")
_CHOSEN = ("entity_type", "way", "scope")
_BOXES = ("kinds", "objectives", "principles", "regions")
_ROWS = ("participants", "countries", "links")

Moderator = Annotated[Person, Depends(require(Role.MODERATOR))]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The form as it is filled in, field by field."""

    language: str
    texts: Mapping[str, str]  # title.en, description.fr
    lines: Mapping[str, str]
    boxes: Mapping[str, Sequence[str]]

    def values(self, known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what the model reads; of `known` links the form has the addresses alone, and their words stay."""
        links = {link["address"]: dict(link) for link in known}
        lines = {name: value or None for name, value in self.lines.items()}
        rows = {name: [line.strip() for line in self.lines[name].splitlines() if line.strip()] for name in _ROWS}
        currency, amount = lines.pop("currency"), lines.pop("amount")
        texts = {
            name: {code: text for code in i18n.CONTENT_LANGUAGES if (text := self.texts[f"{name}.{code}"])}
            for name in ("title", "description")
        }
        return {
            **lines,
            **self.boxes,
            **texts,
            "language": self.language,
            "participants": rows["participants"],
            "countries": [code for line in rows["countries"] for code in line.upper().replace(",", " ").split()],
            "links": [links.get(address, {"address": address}) for address in rows["links"]],
            "money": {"currency": currency or "", "amount": amount or ""} if currency or amount else None,
            "population": "migrants",
            "contact": None,
        }


def filled_from(facts: Facts) -> Filled:
    """Return the form as a pledge stands."""
    lines: dict[str, str] = {
        **{
            name: getattr(facts, name) or ""
            for name in ("entity", "entity_type", "way", "scope", "metric", "baseline", "target", "currency")
        },
        "matched_id": facts.matched_number or "",
        "amount": format(facts.amount, "f") if facts.amount is not None else "",
        "start": facts.start.isoformat() if facts.start else "",
        "due": facts.due.isoformat(),
        "participants": "\n".join(facts.participants),
        "countries": " ".join(facts.countries),
        "links": "\n".join(str(link["address"]) for link in facts.links),
    }
    texts = {f"{name}.{code}": getattr(facts, name).get(code, "") for name in ("title", "description") for code in i18n.CONTENT_LANGUAGES}
    return Filled(
        language=facts.language, texts=texts, lines=lines, boxes={name: [str(one) for one in getattr(facts, name)] for name in _BOXES}
    )


def filled_in(form: FormData, language: str) -> Filled:
    """Return the form as it was sent."""

    def one(name: str) -> str:
        value = form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    return Filled(
        language=language,
        texts={f"{name}.{code}": one(f"{name}.{code}") for name in ("title", "description") for code in i18n.CONTENT_LANGUAGES},
        lines={name: one(name) for name in (*_LINES, *_CHOSEN, *_ROWS)},
        boxes={name: [value for value in form.getlist(name) if isinstance(value, str)] for name in _BOXES},
    )


class ChangedSinceError(PledgeError):
    """Somebody changed this pledge after the form was shown; look at how it stands now, then correct it."""


class Correcting:
    """The form."""

    def __init__(self, database: Database, pages: Pages, reviewing: Reviewing) -> None:
        self._database = database
        self._pages = pages
        self._reviewing = reviewing

    def router(self) -> APIRouter:
        """Return the routes, for moderators; auditors may read."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require(Role.MODERATOR))])
        router.add_api_route(MANAGE + "{number}/correct", self.show, methods=["GET"])
        router.add_api_route(MANAGE + "{number}/correct", self.correct, methods=["POST"])
        return router

    async def show(self, request: Request, number: str) -> Response:
        """Show the form as the pledge stands."""
        pledge = await self._find(number)
        return self._page(request, pledge, filled_from(pledge.facts))

    async def correct(self, request: Request, number: str, moderator: Moderator) -> Response:
        """Let a pledge have other texts and codes; number and address stay."""
        pledge = await self._find(number)
        async with request.form(max_files=0, max_fields=_FIELDS_MAX) as form:
            filled = filled_in(form, pledge.facts.language)
            seen = str(form.get("revision", ""))
        try:
            # Whom the register asks is nothing of this form.
            context = {**UNKNOWN_CONTACT, **(SYNTHETIC if pledge.facts.synthetic else {})}
            submission = PledgeSubmission.model_validate(filled.values(pledge.facts.links), context=context)
        except ValidationError as error:
            return self._page(request, pledge, filled, 422, seen=seen, faults=faults_of(error))
        try:
            async with self._database.transaction() as tx:
                now = await locked(tx, number)
                if seen not in {"", str(now.revision)}:
                    raise ChangedSinceError(ChangedSinceError.__doc__)
                await self._reviewing.correct(tx, now, submission.split().public, moderator, cause=cause_of(request))
        except UnknownPledgeError:
            raise HTTPException(404) from None
        except PledgeError:
            # The form as it was filled in: who sends it again has been told to look first.
            return self._page(request, await self._find(number), filled, 409, notice="staff.pledge.too-late")
        return RedirectResponse(manage_path(number), status_code=303)

    async def _find(self, number: str) -> Pledge:
        if not number.isprintable():
            raise HTTPException(404)
        async with self._database.transaction() as tx:
            pledge = await pledges.by_number(tx, number)
        if pledge is None:
            raise HTTPException(404)
        return pledge

    def _page(
        self,
        request: Request,
        pledge: Pledge,
        filled: Filled,
        status: int = 200,
        *,
        seen: str = "",
        faults: Sequence[Fault] = (),
        notice: str = "",
    ) -> Response:
        reader = reader_language(request)
        return self._pages.render(
            request,
            "pledges/correct.html",
            status,
            pledge=pledge,
            filled=filled,
            revision=seen or pledge.revision,
            faults=faults,
            notice_key=notice,
            path=manage_path(pledge.number),
            languages=i18n.CONTENT_LANGUAGES,
            entity_types=[(code.value, wording.entity_type_title(code.value, reader)) for code in EntityType],
            kinds=[(code.value, wording.pledge_kind_title(code.value, reader)) for code in PledgeKind],
            ways=[(code.value, wording.pledge_way_title(code.value, reader)) for code in PledgeWay],
            scopes=[(code.value, wording.pledge_scope_title(code.value, reader)) for code in Scope],
            objectives=[(str(number), wording.objective_title(number, reader)) for number in range(1, 24)],
            principles=[(code.value, wording.principle_title(code.value, reader)) for code in Principle],
            regions=[(code.value, wording.region_title(code.value, reader)) for code in Region],
        )
