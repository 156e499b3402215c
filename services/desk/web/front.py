"""The public front page: the newest of everything, the next dates, the last bulletin, how to take part and to subscribe."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from fastapi import APIRouter, Request, Response

from services.desk.awaiting.letters import path_of
from services.desk.public import store
from services.desk.public.rules import Kind, State, Thing
from shared import i18n
from shared.db import Database, Transaction
from shared.events.times import Days, TimeWithZone, When
from shared.web.pages import Pages, Sentence, localize
from shared.web.request_state import reader_language

PATH = "/"

NEWEST = 5
DATES = 6
TALKS = 4
POSTS = 4
# So many variants are asked for: a post in every language on every network counts as one.
_VARIANTS = 40


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the front page, for everybody."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def front(request: Request) -> Response:
        """Show what desk was told of last."""
        reader = reader_language(request)
        today = pages.today
        async with database.transaction() as tx:
            issues = await store.newest(tx, Kind.ISSUE, 1)
            dates = await store.coming(tx, Kind.DATE, today, DATES)
            talks = await _talks(tx, today)
            newest = {kind: await store.newest(tx, kind, NEWEST) for kind in (Kind.PLEDGE, Kind.PRACTICE, Kind.NEWS)}
            variants = await store.newest(tx, Kind.POST, _VARIANTS)
            about = await store.titles_of(tx, [one.about for one in variants if one.about])
        shown = {kind.value: [_entry(thing, reader) for thing in found] for kind, found in newest.items()}
        return pages.render(
            request,
            "desk/front.html",
            issue=_entry(issues[0], reader) if issues else None,
            dates=[_entry(thing, reader) for thing in dates],
            talks=[_entry(thing, reader) for thing in talks],
            shown=shown,
            posts=_posts(variants, about, reader),
            invented=any(thing.synthetic for found in newest.values() for thing in found),
        )

    return router


async def _talks(tx: Transaction, today: date) -> Sequence[Thing]:
    """Return the Talks to come, the next first, and the last ones held where these are few."""
    ahead = await store.coming(tx, Kind.TALK, today, TALKS)
    return ahead if len(ahead) == TALKS else [*ahead, *await store.past(tx, Kind.TALK, today, TALKS - len(ahead))]


def _entry(thing: Thing, reader: str) -> Mapping[str, object]:
    return {
        "thing": thing,
        "path": path_of(thing.address),
        "title": localize(thing.title or {i18n.DEFAULT: thing.number or thing.id}, reader),
        "when": in_words(thing.time, reader) if thing.first_day else "",
        "day": thing.first_day,
        "cancelled": thing.state is State.CANCELLED,
    }


def in_words(when: When | None, reader: str) -> str:
    """Return a time by the clock of its own zone, or its days; empty where it is not known to the day."""
    if isinstance(when, TimeWithZone):
        return i18n.moment(when.starts, reader, when.zone)
    if isinstance(when, Days):
        first, last = i18n.day(when.first, reader), i18n.day(when.last, reader)
        return first if when.first == when.last else i18n.translate(reader, "front.days", first=first, last=last)
    return ""


def _posts(variants: Iterable[Thing], about: Mapping[str, Thing], reader: str) -> Sequence[Mapping[str, object]]:
    """Return the newest posts, each once, with every place where it stands; what it is about is named where that is public."""
    found: dict[str, dict[str, object]] = {}
    places: dict[str, list[Thing]] = {}
    for variant in variants:
        post = variant.id.partition("/")[0]
        places.setdefault(post, []).append(variant)
        source = about.get(variant.about)
        title: Sentence | None = localize(source.title, reader) if source and source.title else None
        found.setdefault(post, {"title": title, "at": variant.published_at, "places": places[post]})
    return list(found.values())[:POSTS]
