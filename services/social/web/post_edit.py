"""The page of one post: written, approved by another, given its time; and what follows from a decision on it."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from services.social.domain.posts import Wish
from services.social.networks.fitting import FITS
from services.social.posting import planning, quiet, writing
from services.social.posting.things import PATH, check_fit
from services.social.posting.writing import Hand
from services.social.store import deliveries as ledger
from services.social.store import posts
from services.social.web import post_form, post_show
from services.social.web.post_form import Filled
from services.social.web.post_show import PostView
from shared import clock, i18n
from shared.approval.deciding import Decided
from shared.approval.rules import FOR_LEAVING, ApprovalError, UnknownItemError
from shared.approval.things import Thing
from shared.approval.view import problem_of, sentence_of
from shared.approval.web import DECIDERS, Decider, Refusal, decisions_of
from shared.auth.require import require
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Language, Network
from shared.files.answers import shown
from shared.pauses.quiet import to_come
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.problem import Problem
from shared.web.request_state import cause_of, reader_language

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    writing.LeftError: (409, "staff.post.refused.left"),
    writing.ChangedError: (409, "staff.post.refused.changed"),
    writing.OnlyVariantError: (409, "staff.post.refused.only"),
    writing.PastError: (422, "staff.post.refused.past"),
    writing.EndsBeforeItLeavesError: (422, "staff.post.refused.ends-before"),
    ValueError: (422, "staff.post.refused.no-time"),
}
Work = Callable[[Transaction, Hand], Awaitable[object]]
DONE = ("saved", "planned", "added", "removed")


class WantedTime(BaseModel):
    """When a post is to leave, as a program sends it."""

    model_config = ConfigDict(extra="forbid")

    local: datetime | None = Field(default=None, description="On the clock on the wall, without offset; empty to plan nothing.")
    zone: str = Field(description="IANA name of the zone in which that clock hangs.", examples=["Europe/Zurich"])
    until: datetime | None = Field(default=None, description="From when it must not leave any more, on the same clock.")


class Text(BaseModel):
    """A text to be counted."""

    text: str = Field(max_length=20_000)


async def after(tx: Transaction, item: UUID, decided: Decided, *, cause: Cause) -> None:
    """Plan what was approved, take back what no longer is, and tell; refuse what could not leave whoever approves it."""
    what = decided.step.what
    if what in {action.value for action in FOR_LEAVING}:
        post = await posts.find(tx, item)
        assert post is not None
        check_fit(post)
        await quiet.check_embargo(tx, post)
    await planning.follow(tx, item, cause=cause, anew=what in planning.APPROVING)
    if what in planning.APPROVING:
        await planning.tell_of_approval(tx, item, cause=cause)


class PostPages:
    """The pages of posts; one for each process."""

    def __init__(self, database: Database, pages: Pages, thing: Thing) -> None:
        self._database = database
        self._pages = pages
        self._thing = thing

    def router(self) -> APIRouter:
        """Return the addresses of one post."""
        router = APIRouter(dependencies=[Depends(require(*DECIDERS))])
        _add_pages(router, self)
        _add_variants(router, self)
        _add_programs(router, self)
        router.include_router(decisions_of(self._thing, self._database, service="social", things="posts", show=self.refuse, after=after))
        return router

    async def show(
        self, request: Request, person: Person, post_id: UUID, refusal: Refusal | None = None, filled: Filled | None = None, **typed: Any
    ) -> Response:
        """Return the page of a post; `filled` and `typed` are what could not be saved."""
        async with self._database.transaction() as tx:
            view = await post_show.view_of(tx, self._thing, post_id, person, filled)
            quiet_times = await to_come(tx, clock.now())
        if view is None:
            raise problem_of(UnknownItemError(), {})
        wish = view.post.wish
        planned = wish.planned
        done = request.query_params.get("done", "")
        return self._pages.render(
            request,
            "social/post.html",
            refusal.status if refusal else 422 if filled else 200,
            page=view,
            view=view.looked.view,
            changes_found=view.looked.changes,
            refusal_found=refusal,
            faults=filled.faults if filled else (),
            field_labels=_labels(view, reader_language(request)),
            wall=i18n.moment(planned.instant, reader_language(request), wish.zone) if planned else "",
            done=done if done in DONE and not refusal and not filled else "",
            path=f"{PATH}/{post_id}",
            planned=planned,
            expires_at=wish.expires_at,
            zone_options=post_show.zones_with(wish.zone),
            time_typed={
                "local": post_show.wall_clock(wish.local),
                "zone": wish.zone,
                "until": post_show.wall_clock(wish.until),
            }
            | typed,
            networks=tuple(FITS),
            quiet_times=quiet_times,
        )

    async def refuse(self, request: Request, person: Person, item: UUID, refusal: Refusal) -> Response:
        """Return the page with why a decision came to nothing."""
        return await self.show(request, person, item, refusal)

    async def change(self, request: Request, person: Person, work: Work) -> Refusal | None:
        """Do `work` for a person in one transaction; return why it was refused, and nothing has happened then."""
        try:
            async with self._database.transaction() as tx:
                await work(tx, Hand(thing=self._thing, by=person, cause=cause_of(request)))
        except writing.NoPostError as error:
            raise HTTPException(404) from error
        except ApprovalError as error:
            key, params = sentence_of(error, {})
            return Refusal(status=error.status, key=key, params=params)
        except quiet.QuietError as error:
            words = error.quiet.words(reader_language(request), self._pages.zone)
            return Refusal(status=422, key=error.quiet.key, params=words)
        except tuple(_REFUSALS) as error:
            status, key = next(found for kind, found in _REFUSALS.items() if isinstance(error, kind))
            return Refusal(status=status, key=key, params={})
        return None

    async def variant(self, post_id: UUID, name: str) -> Any:
        """Return a variant of a post as it stands; raises 404."""
        async with self._database.transaction() as tx:
            post = await posts.find(tx, post_id)
        if post is None or name not in post.variants:
            raise HTTPException(404)
        return post.variants[name]

    async def picture(self, sha256: str) -> Any:
        """Return a picture that is kept; raises 404."""
        if not _SHA256.fullmatch(sha256):
            raise HTTPException(404)
        async with self._database.transaction() as tx:
            found = await ledger.picture(tx, sha256)
        if found is None:
            raise HTTPException(404)
        return found


def _add_pages(router: APIRouter, door: PostPages) -> None:
    @router.get(PATH + "/{item}", include_in_schema=False)
    async def show(request: Request, person: Decider, item: UUID) -> Response:
        """Show a post."""
        return await door.show(request, person, item)

    @router.post(PATH + "/{item}/schedule", include_in_schema=False)
    async def schedule(
        request: Request,
        person: Decider,
        item: UUID,
        local: Annotated[str, Form()] = "",
        zone: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
    ) -> Response:
        """Set when it leaves."""

        async def work(tx: Transaction, hand: Hand) -> None:
            wish = Wish(local=_wall(local), zone=zone, until=_wall(until))
            await writing.schedule(tx, hand, item, wish)

        refusal = await door.change(request, person, work)
        if refusal is not None:
            return await door.show(request, person, item, refusal, local=local, zone=zone, until=until)
        return RedirectResponse(f"{PATH}/{item}?done=planned#time", status_code=303)

    @router.get("/social/pictures/{sha256}", include_in_schema=False)
    async def picture(request: Request, sha256: str) -> Response:
        """Show a picture of a post."""
        found = await door.picture(sha256)
        return shown(request, data=found.data, media_type=found.media_type, sha256=sha256)

    @router.post("/social/count", include_in_schema=False)
    async def count(request: Request, wanted: Annotated[Text, Body()], network: Network = Network.X) -> dict[str, Any]:
        """Return how long a text is on a network, with the words that say so, for the page on which it is typed."""
        if network not in FITS:
            raise HTTPException(404)
        fit = FITS[network]
        length = fit.count(wanted.text.strip())
        over = max(0, length - fit.limit)
        language = reader_language(request)
        words = i18n.translate(language, "staff.post.count", length=length, limit=fit.limit)
        if over:
            words += " " + i18n.translate(language, "staff.post.over", n=over)
        return {"length": length, "limit": fit.limit, "over": over, "words": words}


def _add_variants(router: APIRouter, door: PostPages) -> None:
    @router.post(PATH + "/{item}/variants", include_in_schema=False)
    async def add(
        request: Request,
        person: Decider,
        item: UUID,
        language: Annotated[Language, Form()],
        network: Annotated[Network, Form()] = Network.X,
    ) -> Response:
        """Add a variant in another language."""

        async def work(tx: Transaction, hand: Hand) -> None:
            await writing.add_variant(tx, hand, item, network, language)

        refusal = await door.change(request, person, work)
        if refusal is not None:
            return await door.show(request, person, item, refusal)
        return RedirectResponse(f"{PATH}/{item}?done=added#{network.value}-{language}", status_code=303)

    @router.post(PATH + "/{item}/variants/{network}/{language}", include_in_schema=False)
    async def save(request: Request, person: Decider, item: UUID, network: Network, language: Language) -> Response:
        """Save one variant, with a picture that was added or taken out."""
        name = f"{network.value}/{language}"
        variant = await door.variant(item, name)
        async with request.form(max_files=1, max_fields=40, max_part_size=200_000) as form:
            filled = await post_form.read(form, variant)
        written, drawn = filled.written, filled.drawn
        if written is None:
            return await door.show(request, person, item, filled=filled)

        async def work(tx: Transaction, hand: Hand) -> None:
            if drawn is not None:
                await ledger.keep_picture(tx, sha256=drawn.sha256, media_type=drawn.media_type, data=drawn.data)
            await writing.write(tx, hand, item, name, written)

        refusal = await door.change(request, person, work)
        if refusal is not None:
            return await door.show(request, person, item, refusal, filled)
        return RedirectResponse(f"{PATH}/{item}?done=saved#{filled.prefix}", status_code=303)

    @router.post(PATH + "/{item}/variants/{network}/{language}/remove", include_in_schema=False)
    async def remove(request: Request, person: Decider, item: UUID, network: Network, language: Language) -> Response:
        """Take a variant out."""

        async def work(tx: Transaction, hand: Hand) -> None:
            await writing.remove_variant(tx, hand, item, f"{network.value}/{language}")

        refusal = await door.change(request, person, work)
        if refusal is not None:
            return await door.show(request, person, item, refusal)
        return RedirectResponse(f"{PATH}/{item}?done=removed", status_code=303)


def _add_programs(router: APIRouter, door: PostPages) -> None:
    @router.post("/social/api/v1/posts/{item}/schedule", summary="Set when a post leaves", tags=["posts"])
    async def schedule(request: Request, person: Decider, item: UUID, wanted: Annotated[WantedTime, Body()]) -> dict[str, Any]:
        """Return the instant that is meant, and what is odd about the time on the wall."""
        wish = Wish(local=wanted.local, zone=wanted.zone, until=wanted.until)

        async def work(tx: Transaction, hand: Hand) -> None:
            await writing.schedule(tx, hand, item, wish)

        refusal = await door.change(request, person, work)
        if refusal is not None:
            slug = refusal.key.rpartition(".")[2]
            raise Problem(refusal.status, slug, "staff.post.refused", refusal.key, refusal.params)
        planned, expires_at = wish.planned, wish.expires_at
        return {
            "leaves": clock.rfc3339(planned.instant) if planned else None,
            "oddity": planned.oddity if planned else None,
            "expires": clock.rfc3339(expires_at) if expires_at else None,
        }


def _wall(text: str) -> datetime | None:
    """Return a time as the field of a form gives it; None where it is empty. Raises ValueError."""
    return datetime.fromisoformat(text.strip()) if text.strip() else None


def _labels(view: PostView, language: str) -> dict[str, str]:
    """Return what each field is called that something can be wrong with, with its language, since several have the same label."""
    labels: dict[str, str] = {}
    for one in view.variants:
        of = i18n.language_name(one.content.language, language)
        labels[f"{one.prefix}-text"] = f"{i18n.translate(language, 'staff.post.text')} ({of})"
        labels[f"{one.prefix}-picture"] = f"{i18n.translate(language, 'staff.post.picture.file')} ({of})"
        for name in ("new", *(picture.sha256 for picture in one.content.pictures)):
            labels[f"{one.prefix}-alternative-{name}"] = f"{i18n.translate(language, 'staff.post.alternative')} ({of})"
    return labels
