"""Requests in: the staff pages on which a service's share of the wire is seen and repaired, and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row

from shared import parking
from shared.auth.require import require, require_staff
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Role
from shared.events.texts import Summary
from shared.operations import base_of, deciding, deliveries
from shared.operations.figures import Figure, FiguresOf, figures_shown
from shared.operations.readable import Readable, readable
from shared.operations.steps import place_of, steps_of
from shared.operations.story import Facts, no_facts, read_id, story_of
from shared.operations.words import figure_json, instant, say_figure, say_step, step_json
from shared.parking import ParkedState
from shared.sweeps import Promise, Stuck, Sweep, found_by
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.problem import Problem, wants_html
from shared.web.request_state import cause_of, reader_language

TEMPLATES = Path(__file__).parent / "templates"
RECENT = 20

Operator = Annotated[Person, Depends(require(Role.OPERATOR))]
# What a page may say after an action; the address carries the word, never the sentence.
_DONE = {"redriven": "good", "discarded": "good", "gone": "info", "none-dead": "info"}


@dataclass(frozen=True, kw_only=True)
class _Overview:
    """What the operations page shows."""

    figures: Mapping[str, object]
    counts: deliveries.ParkedCounts
    parked: Sequence[Row[Any]]
    discarded: Sequence[Row[Any]]
    recent: Sequence[deliveries.Delivery]
    stuck: Sequence[tuple[Promise, Stuck]]

    @property
    def shown(self) -> Sequence[Figure]:
        """The figures as a reader should take them."""
        return figures_shown(self.figures, self.counts, len(self.stuck))


class Discarding(BaseModel):
    """What a person says when giving an event up."""

    reason: Summary


def pages_of(pages: Pages) -> Pages:
    """Return pages like a service's own, with the templates of its operations: `operations/…`."""
    own = Pages(public_url=pages.public_url, templates={"operations": TEMPLATES}, zone=pages.zone, banner=pages.banner)
    own.environment.globals["base_of"] = base_of
    own.environment.globals["instant"] = lambda value, language: instant(value, language, own.zone)
    return own


def router(
    service: str, database: Database, pages: Pages, figures: FiguresOf, facts: Facts = no_facts, sweeps: Sequence[Sweep] = ()
) -> APIRouter:
    """Return `/{service}/operations`, what repairs from there (for operators), and `/{service}/events/{id}` (for the whole team).

    `figures` gives the running service's figures; `facts` what the service did besides telling and taking events; `sweeps` find what is
    stuck.
    """
    router = APIRouter(prefix=base_of(service), include_in_schema=False)
    operations = APIRouter(dependencies=[Depends(require(Role.OPERATOR))], include_in_schema=False)
    _Operations(service, database, pages_of(pages), figures, sweeps).add_to(operations)
    events = APIRouter(dependencies=[Depends(require_staff)], include_in_schema=False)
    _Events(service, database, pages_of(pages), facts).add_to(events)
    router.include_router(operations)
    router.include_router(events)
    return router


class _Operations:
    """The operations page, and what is done from it."""

    def __init__(self, service: str, database: Database, pages: Pages, figures: FiguresOf, sweeps: Sequence[Sweep]) -> None:
        self._service = service
        self._database = database
        self._pages = pages
        self._figures = figures
        self._sweeps = sweeps

    def add_to(self, router: APIRouter) -> None:
        """Give `router` the addresses."""
        router.get("/operations.json")(self.overview_json)
        router.get("/operations")(self.overview)
        router.get("/operations/redrive")(self.confirm_all)
        router.post("/operations/redrive")(self.redrive_all)
        router.get("/operations/parked/{event_id}")(self.show)
        router.get("/operations/parked/{event_id}/redrive")(self.confirm)
        router.post("/operations/parked/{event_id}/redrive")(self.redrive)
        router.get("/operations/parked/{event_id}/discard")(self.ask_reason)
        router.post("/operations/parked/{event_id}/discard")(self.discard)

    async def overview(self, request: Request, done: str = "", n: int = 0) -> Response:
        """Show the figures, what is set aside, and what went by last."""
        if _wants_json(request):
            return await self.overview_json(request)
        language = reader_language(request)
        read = await self._read()
        return self._pages.render(
            request,
            "operations/overview.html",
            headers={"Vary": "Accept"},
            service=self._service,
            figures=[say_figure(figure, language) for figure in read.shown],
            promises={promise: [one for kept, one in read.stuck if kept is promise] for promise in self._promises()},
            counts=read.counts,
            parked=read.parked,
            discarded=read.discarded,
            recent=read.recent,
            place_of=place_of,
            done=done if done in _DONE else "",
            done_tone=_DONE.get(done, ""),
            n=n,
        )

    async def overview_json(self, request: Request) -> Response:
        """Give the same for programs and for the desk's page."""
        language = reader_language(request)
        read = await self._read()
        return _json(
            {
                "service": self._service,
                "address": f"{base_of(self._service)}/operations",
                "figures": read.figures,
                "parked_counts": read.counts,
                "shown": [figure_json(say_figure(figure, language)) for figure in read.shown],
                "stuck": [{"promise": promise, "id": one.id, "why": one.why, "since": one.since} for promise, one in read.stuck],
                "parked": [self._parked_json(row) for row in read.parked],
                "discarded": [self._parked_json(row) for row in read.discarded],
                "recent": read.recent,
            }
        )

    async def _read(self) -> _Overview:
        figures = await self._figures()
        async with self._database.transaction() as tx:
            return _Overview(
                figures=figures,
                counts=await deliveries.count_parked(tx),
                parked=await deliveries.open_parked(tx),
                discarded=await deliveries.discarded(tx),
                recent=await deliveries.recent(tx, RECENT),
                stuck=await found_by(tx, self._sweeps),
            )

    def _promises(self) -> Sequence[Promise]:
        """Return the promises that are swept here, in the order of their list."""
        swept = {sweep.promise for sweep in self._sweeps}
        return [promise for promise in Promise if promise in swept]

    def _parked_json(self, row: Row[Any]) -> dict[str, object]:
        record = parking.stored_record(row)
        return {
            "event_id": row.event_id,
            "type": row.type,
            "subject": row.subject,
            "topic": row.topic,
            "partition": row.partition,
            "offset": row.offset,
            "state": row.state,
            "behind": row.behind,
            "attempts": row.attempts,
            "first_at": row.first_at,
            "last_at": row.last_at,
            "next_at": row.next_at,
            "error": row.error,
            "decided_by": row.decided_by,
            "reason": row.reason,
            "headers": [{"name": name, **_readable_json(readable(value))} for name, value in record.headers],
            "body": _readable_json(readable(record.value)),
            "address": self._parked(row.event_id),
        }

    async def show(self, request: Request, event_id: str) -> Response:
        """Show one event that is set aside, whole."""
        row, behind = await self._find(event_id)
        return self._gone() if row is None else self._render_one(request, "operations/parked.html", row, behind)

    async def confirm(self, request: Request, event_id: str) -> Response:
        """Ask whether to try one event again at once."""
        row, behind = await self._find(event_id)
        return self._gone() if row is None or _is_closed(row) else self._render_one(request, "operations/redrive.html", row, behind)

    async def redrive(self, request: Request, event_id: str, operator: Operator) -> Response:
        """Have one event tried again at once."""
        wanted = _event_id(event_id)
        address = self._pages.public_url + self._parked(wanted)
        async with self._database.transaction() as tx:
            count = await deciding.redrive(
                tx, wanted, who=operator.id, signature=operator.signature, cause=cause_of(request), address=address
            )
        return self._back("redriven", count) if count else self._gone()

    async def confirm_all(self, request: Request) -> Response:
        """Ask whether to try every dead event again."""
        async with self._database.transaction() as tx:
            counts = await deliveries.count_parked(tx)
        if not counts.dead:
            return self._back("none-dead")
        return self._pages.render(request, "operations/redrive_all.html", service=self._service, n=counts.dead)

    async def redrive_all(self, request: Request, operator: Operator) -> Response:
        """Have every dead event tried again at once."""
        address = f"{self._pages.public_url}{base_of(self._service)}/operations"
        async with self._database.transaction() as tx:
            count = await deciding.redrive_all(tx, who=operator.id, signature=operator.signature, cause=cause_of(request), address=address)
        return self._back("redriven", count) if count else self._back("none-dead")

    async def ask_reason(self, request: Request, event_id: str) -> Response:
        """Ask why one event is to be given up."""
        row, behind = await self._find(event_id)
        return self._gone() if row is None or _is_closed(row) else self._render_discard(request, row, behind)

    async def discard(self, request: Request, event_id: str, operator: Operator, reason: Annotated[str, Form()] = "") -> Response:
        """Give one event up, where a reason was given; the later ones of its subject go on."""
        wanted = _event_id(event_id)
        try:
            said = Discarding.model_validate({"reason": reason})
        except ValidationError as error:
            row, behind = await self._find(event_id)
            if row is None or _is_closed(row):
                return self._gone()
            return self._render_discard(request, row, behind, faults=faults_of(error), reason=reason, status=422)
        async with self._database.transaction() as tx:
            done = await deciding.discard(
                tx,
                wanted,
                reason=said.reason,
                who=operator.id,
                signature=operator.signature,
                cause=cause_of(request),
                address=self._pages.public_url + self._parked(wanted),
            )
        return self._back("discarded") if done else self._gone()

    async def _find(self, event_id: str) -> tuple[Row[Any] | None, int]:
        """Return the event that is set aside, and how many wait behind it."""
        async with self._database.transaction() as tx:
            row = await deliveries.one_parked(tx, _event_id(event_id))
            return row, await deliveries.count_behind(tx, row) if row is not None else 0

    def _render_one(self, request: Request, template: str, row: Row[Any], behind: int) -> Response:
        record = parking.stored_record(row)
        return self._pages.render(
            request,
            template,
            service=self._service,
            event=row,
            behind=behind,
            closed=_is_closed(row),
            place=place_of(row),
            headers_read=[(name, readable(value)) for name, value in record.headers],
            body=readable(record.value),
            address=self._parked(row.event_id),
        )

    def _render_discard(
        self, request: Request, row: Row[Any], behind: int, *, faults: Sequence[Fault] = (), reason: str = "", status: int = 200
    ) -> Response:
        return self._pages.render(
            request,
            "operations/discard.html",
            status,
            service=self._service,
            event=row,
            behind=behind,
            faults=faults,
            reason=reason,
            address=self._parked(row.event_id),
        )

    def _parked(self, event_id: UUID) -> str:
        return f"{base_of(self._service)}/operations/parked/{event_id}"

    def _gone(self) -> Response:
        return self._back("gone")

    def _back(self, done: str, n: int = 0) -> Response:
        # See Other: loading the page again must not do it again.
        return RedirectResponse(f"{base_of(self._service)}/operations?done={done}{f'&n={n}' if n else ''}", status_code=303)


class _Events:
    """What the service knows of one event or trace."""

    def __init__(self, service: str, database: Database, pages: Pages, facts: Facts) -> None:
        self._service = service
        self._database = database
        self._pages = pages
        self._facts = facts

    def add_to(self, router: APIRouter) -> None:
        """Give `router` the addresses."""
        router.get("/events/{event_id}.json")(self.story_json)
        router.get("/events/{event_id}")(self.story)

    async def story(self, request: Request, event_id: str) -> Response:
        """Show it as a page; 404 where the service knows nothing of it."""
        if _wants_json(request):
            return await self.story_json(request, event_id)
        asked = _event_id(event_id)
        async with self._database.transaction() as tx:
            story = await story_of(tx, asked, self._facts)
        language = reader_language(request)
        return self._pages.render(
            request,
            "operations/story.html",
            200 if story.known else 404,
            headers={"Vary": "Accept"},
            service=self._service,
            asked=asked,
            story=story,
            steps=[say_step(step, language, self._pages.zone) for step in steps_of(self._service, story)],
        )

    async def story_json(self, request: Request, event_id: str) -> Response:
        """Give it for programs and for the desk's page: an empty list of steps, and 200, where the service knows nothing of it."""
        asked = _event_id(event_id)
        async with self._database.transaction() as tx:
            story = await story_of(tx, asked, self._facts)
        language = reader_language(request)
        return _json(
            {
                "service": self._service,
                "id": asked,
                "known": story.known,
                "traces": story.traces,
                "caused": story.caused,
                "cut": story.cut,
                "steps": [step_json(say_step(step, language, self._pages.zone)) for step in steps_of(self._service, story)],
            }
        )


def _event_id(text: str) -> UUID:
    found = read_id(text)
    if found is None:
        raise Problem(404, "not-an-id", "staff.story.not-an-id.title", "staff.story.not-an-id.detail")
    return found


def _is_closed(row: Row[Any]) -> bool:
    return bool(row.state == ParkedState.DISCARDED.value)


def _readable_json(value: Readable) -> dict[str, object]:
    return {"text": value.text, "oddity": value.oddity, "size": value.size, "cut": value.cut}


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "") and not wants_html(request)


def _json(content: Mapping[str, object]) -> Response:
    # asyncpg's ids are UUIDs of its own making, which orjson does not know.
    return Response(orjson.dumps(content, default=str), media_type="application/json", headers={"Vary": "Accept, Accept-Language, Cookie"})
