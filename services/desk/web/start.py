"""The team's start page: what awaits whoever opens it, in every service; and the same as JSON."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Row

from services.desk.awaiting import store
from services.desk.awaiting.letters import path_of
from services.desk.awaiting.rules import Awaited, due_at, urgency
from services.desk.links import START as PATH
from services.desk.public import store as public
from services.desk.public.listening import POST_FAILED
from shared import clock
from shared.auth.require import require_staff
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Role
from shared.web import navigation
from shared.web.pages import Pages, localize
from shared.web.request_state import reader_language

API = "/desk/api/v1/tasks"
PAGE_SIZE = 50
API_ROWS = 500
OTHERS = 10
"""So many of what others do, or the person did, stand below what awaits them."""
LATELY = timedelta(days=7)

START = (
    ("/intake/review/", "review"),
    ("/pledges/review/", "pledges"),
    ("/calendar/manage/", "calendar"),
    ("/newsletter/issues/", "issues"),
    ("/newsletter/pool", "pool"),
    ("/newsletter/subscribers/", "subscribers"),
    ("/social/drafts", "drafts"),
    ("/social/posts", "posts"),
    ("/intake/partners/", "partners"),
    ("/pledges/champions/edit", "champions"),
    ("/desk/people/", "people"),
    ("/desk/audit", "audit"),
    ("/desk/sending", "sending"),
    ("/desk/operations", "operations"),
    ("/desk/events", "events"),
)
"""Where everything is; the word ends the keys of its name and of what it is. Shown to those whose roles open it."""

Anybody = Annotated[Person, Depends(require_staff)]


def _planned(happening: Row[Any]) -> datetime | None:
    """Return for when something was approved; None where no time is set."""
    text = happening.facts.get("planned")
    return datetime.fromisoformat(text) if text else None


class Start:
    """The start page."""

    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes, for everybody who works here."""
        router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])
        router.add_api_route(PATH, self.show, methods=["GET"])
        router.add_api_route(API, self.tasks_json, methods=["GET"])
        return router

    async def show(self, request: Request, person: Anybody, page: str = "", others: str = "") -> Response:
        """Show what awaits this person; below it what awaits others of their own work, what they did, and where everything is."""
        number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) <= 5 else 1
        now = clock.now()
        async with self._database.transaction() as tx:
            mine = await store.awaiting(tx, person.id, person.roles, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
            own = await store.own_work(tx, person.id, limit=OTHERS)
            everything = None
            if Role.AUDITOR in person.roles:
                everything = await store.awaiting_others(tx, person.id, person.roles, limit=API_ROWS if others else PAGE_SIZE)
            done = await store.done_by(tx, person.id, since=now - LATELY, limit=OTHERS)
            deadlines = await public.deadlines(tx, today=now.astimezone(ZoneInfo(self._pages.zone)).date(), limit=OTHERS)
            lately = await public.lately(tx, since=now - LATELY, limit=OTHERS)
        open_to = {section.address for section in navigation.for_roles(navigation.STAFF, person.roles)}
        return self._pages.render(
            request,
            "desk/start.html",
            mine=mine,
            own=own,
            everything=everything,
            done=done,
            deadlines=deadlines,
            failed=[one for one in lately if one.kind == POST_FAILED],
            lately=[one for one in lately if one.kind != POST_FAILED],
            planned=_planned,
            page=number,
            pages=max(1, ceil(mine.total / PAGE_SIZE)),
            acts=bool(person.roles - {Role.AUDITOR}),
            path_of=path_of,
            urgency=lambda task: urgency(task.due, zone=self._pages.zone, now=now),
            waits=lambda task: now - task.opened_at,
            due_at=lambda task: due_at(task.due, self._pages.zone),
            links=[link for link in START if link[0] in open_to],
        )

    async def tasks_json(self, request: Request, person: Anybody) -> Response:
        """Give what awaits this person, what is due first; auditors also get what awaits others, marked so. At most 500 of each."""
        now, reader = clock.now(), reader_language(request)
        async with self._database.transaction() as tx:
            mine = await store.awaiting(tx, person.id, person.roles, limit=API_ROWS)
            given = [self._json(task, reader, now, yours=True) for task in mine.tasks]
            if Role.AUDITOR in person.roles:
                others = await store.awaiting_others(tx, person.id, person.roles, limit=API_ROWS)
                given += [self._json(task, reader, now, yours=False) for task in others.tasks]
        content = {"await_you": mine.total, "tasks": given}
        return Response(orjson.dumps(content), media_type="application/json", headers={"Vary": "Accept-Language, Cookie"})

    def _json(self, task: Awaited, reader: str, now: datetime, *, yours: bool) -> Mapping[str, object]:
        zone = self._pages.zone
        at = due_at(task.due, zone)
        return {
            "id": task.id,
            "kind": task.kind,
            "role": task.role.value,
            "awaits_you": yours,
            "title": str(localize(task.title, reader)),
            "titles": task.title,
            "address": self._pages.public_url + path_of(task.address),
            "opened_at": clock.rfc3339(task.opened_at),
            "due": task.due.model_dump(mode="json") if task.due else None,
            "overdue_from": clock.rfc3339(at) if at else None,
            "urgency": urgency(task.due, zone=zone, now=now).value,
        }
