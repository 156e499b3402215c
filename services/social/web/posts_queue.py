"""The queue: posts by what they wait for, and where a new one is begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.social.domain.posts import ABOUT, Post, Stage, stage_of
from services.social.posting import writing
from services.social.posting.things import PATH
from services.social.posting.writing import Hand
from services.social.store import deliveries as ledger
from services.social.store import drafts, posts
from services.social.web.post_show import day_of
from shared import clock
from shared.approval import store as approvals
from shared.approval.rules import EDITORS, Standing
from shared.approval.things import Thing
from shared.approval.web import DECIDERS, Decider
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Language
from shared.i18n import CONTENT_LANGUAGES
from shared.web.pages import Pages
from shared.web.request_state import cause_of

SHOWN = 300
NEW = f"{PATH}/new"
Editor = Annotated[Person, Depends(require(*EDITORS))]
_TONES = {"submitted": "info", "approved": "good", "changes_requested": "warning", "expired": "warning", "rejected": "bad"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One post in the queue."""

    post: Post
    standing: Standing
    stage: Stage
    leaves: datetime | None
    day: date | None

    @property
    def tone(self) -> str:
        """The tone of where it stands."""
        return _TONES.get(self.standing.state.value, "neutral")


def router(database: Database, pages: Pages, thing: Thing) -> APIRouter:
    """Return the queue, and the two ways to begin a post."""
    router = APIRouter(dependencies=[Depends(require(*DECIDERS))], include_in_schema=False)

    @router.get("/social/")
    async def start() -> Response:
        """Lead to the queue."""
        return RedirectResponse(PATH, status_code=303)

    @router.get(PATH)
    async def queue(request: Request, person: Decider) -> Response:
        """Show what is to be done, what is planned by day, and what stands."""
        async with database.transaction() as tx:
            found = await posts.latest(tx, SHOWN)
            ids = [post.id for post in found]
            standings = await approvals.standings(tx, ABOUT, ids)
            known = await ledger.of_posts(tx, ids)
            untouched = await drafts.untouched(tx)
        rows = []
        for post in found:
            states = {name: one.row.state for name, one in known.get(post.id, {}).items()}
            planned = post.wish.planned
            rows.append(
                Row(
                    post=post,
                    standing=standings[post.id],
                    stage=stage_of(post, standings[post.id].state.value, states),
                    leaves=planned.instant if planned else None,
                    day=day_of(planned.instant, pages.zone) if planned else None,
                )
            )
        return pages.render(
            request,
            "social/queue.html",
            stages=[(stage, _ordered(stage, rows)) for stage in Stage],
            untouched=untouched,
            languages=CONTENT_LANGUAGES,
            may_write=person.holds(*EDITORS),
            full=len(found) == SHOWN,
            path=PATH,
            new=NEW,
        )

    @router.post(NEW)
    async def begin(request: Request, person: Editor, language: Annotated[Language, Form()] = "en") -> Response:
        """Begin a post that comes from nothing published."""
        async with database.transaction() as tx:
            post_id = await writing.begin_freely(tx, Hand(thing=thing, by=person, cause=cause_of(request)), language, zone=pages.zone)
        return RedirectResponse(f"{PATH}/{post_id}", status_code=303)

    @router.post("/social/drafts/{draft}/post")
    async def take_up(request: Request, person: Editor, draft: UUID) -> Response:
        """Make a post of a draft, or lead to the one that was made of it."""
        async with database.transaction() as tx:
            post_id = await writing.begin_from_draft(tx, Hand(thing=thing, by=person, cause=cause_of(request)), draft, zone=pages.zone)
        if post_id is None:
            raise HTTPException(404)
        return RedirectResponse(f"{PATH}/{post_id}", status_code=303)

    return router


def _ordered(stage: Stage, rows: Sequence[Row]) -> Sequence[Row]:
    """Return the posts of a stage: what leaves first is first, what was worked on last comes first where none leaves."""
    here = [row for row in rows if row.stage is stage]
    if stage in {Stage.PLANNED, Stage.AWAITS}:
        timed = [row for row in here if row.leaves is not None]
        return [*sorted(timed, key=lambda row: row.leaves or clock.now()), *(row for row in here if row.leaves is None)]
    return here
