"""The work plan: every activity under its priority, with its deadline as printed and as read, and how far it has come."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response

from services.calendar.domain.entries import Entry
from services.calendar.domain.filters import Filters
from services.calendar.domain.progress import Progress, counted, progress
from services.calendar.store import listing
from services.calendar.web.choosing import Choice, asked_of, with_query
from services.calendar.web.entry_view import PATH, View, view
from shared.db import Database
from shared.reference.thematic import ThematicPriority, priorities, priority
from shared.web.pages import Pages, Sentence
from shared.web.request_state import reader_language

WORKPLAN = f"{PATH}workplan"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A priority with its activities."""

    code: str
    title: Sentence
    lead: Sequence[str]  # of all its activities, where it is the same
    participants: Sequence[str]
    same_lead: bool
    same_participants: bool
    undated: int  # activities that the plan prints without a deadline, and that are not here for that
    views: Sequence[View]


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of the work plan."""
    router = APIRouter(include_in_schema=False)

    @router.get(WORKPLAN)
    async def workplan(request: Request, state: str = "") -> Response:
        """Show the activities with their state today; `?state=`, `priority=` and `lead=` narrow them."""
        reader, today = reader_language(request), pages.today
        asked = asked_of(request).filters
        filters = Filters(priority=asked.priority, lead=asked.lead)
        wanted = Progress(state) if state in set(Progress) else None
        async with database.transaction() as tx:
            every = await listing.activities(tx)
        passed = [one for one in every if _passes(one, filters)]
        shown = [one for one in passed if wanted is None or progress(one, today) is wanted]
        counts = counted(passed, today)
        context: dict[str, Any] = {
            "parts": _parts(shown, reader, today),
            "states": [(state, counts[state], with_query(WORKPLAN, filters, state=state)) for state in Progress if counts[state]],
            "state": wanted,
            "every": with_query(WORKPLAN, filters),
            "total": len(passed),
            "shown": len(shown),
            "today": today,
            "choices": _choices(every, filters, reader),
            "narrowed": bool(filters.pairs or wanted),
            "path": WORKPLAN,
        }
        return await asyncio.to_thread(pages.render, request, "calendar/workplan.html", **context)

    return router


def _passes(activity: Entry, filters: Filters) -> bool:
    of_priority = not filters.priority or activity.priority in filters.priority
    return of_priority and (not filters.lead or not set(filters.lead).isdisjoint(activity.lead))


def _parts(activities: Sequence[Entry], reader: str, today: date) -> Sequence[Part]:
    order = {one.code: number for number, one in enumerate(priorities())}
    placed = sorted(activities, key=lambda one: order.get(one.priority or "", len(order)))
    return [_part(priority(code), list(own), reader, today) for code, own in groupby(placed, key=lambda one: one.priority or "")]


def _part(found: ThematicPriority, own: Sequence[Entry], reader: str, today: date) -> Part:
    return Part(
        code=found.code,
        title=_title(found, reader),
        lead=own[0].lead,
        participants=own[0].participants,
        same_lead=len({one.lead for one in own}) == 1,
        same_participants=len({one.participants for one in own}) == 1,
        undated=found.activities - found.activities_with_deadline,
        views=[view(one, reader, today) for one in own],
    )


def _choices(activities: Sequence[Entry], filters: Filters, reader: str) -> Sequence[Choice]:
    leads = sorted({lead for one in activities for lead in one.lead})
    return [
        Choice(name="priority", options=[(one.code, _title(one, reader)) for one in priorities()], value="".join(filters.priority[:1])),
        Choice(
            name="lead", options=[(lead, Sentence(lead, lang=reader, reader=reader)) for lead in leads], value="".join(filters.lead[:1])
        ),
    ]


def _title(found: ThematicPriority, reader: str) -> Sentence:
    title = found.title.in_(reader)
    return Sentence(title.text, lang=title.lang, reader=reader)
