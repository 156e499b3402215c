"""The public pages of GCM Talks: those to come and those that were, with their filters; and one Talk."""

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services.intake.domain.slugs import TALKS, practice_path, talk_path
from services.intake.domain.talks import StoredTalk, TalkState, when_of
from services.intake.store import practices, submissions, talks
from services.intake.store.talks import Filters
from services.intake.web.record_show import (
    country_in,
    languages_of,
    objective_in,
    one_of,
    page_in,
    said,
    subjects_of,
    words_for,
)
from services.intake.web.talk_linked_data import linked_data
from shared import i18n
from shared.db import Database
from shared.events.codes import OBJECTIVES, Level, Region, TalkFormat
from shared.events.times import TimeWithZone
from shared.web import wording
from shared.web.pages import Pages, Sentence, localize, plain
from shared.web.request_state import reader_language
from shared.when import say

PAGE_SIZE = 20


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the public pages of Talks."""
    router = APIRouter(include_in_schema=False)

    @router.get(TALKS)
    async def browse(
        request: Request,
        when: str = "",
        objective: str = "",
        level: str = "",
        region: str = "",
        country: str = "",
        format: str = "",  # noqa: A002  # the word in the address
        page: str = "",
    ) -> Response:
        """List the Talks to come, the next one first, or with `when=past` those that are over, the last one first."""
        filters = Filters(
            objective=objective_in(objective),
            level=one_of(Level, level),
            region=one_of(Region, region),
            country=country_in(country),
            format=one_of(TalkFormat, format),
        )
        reader, today, past = reader_language(request), pages.today, when == "past"
        async with database.transaction() as tx:
            coming = await talks.count(tx, filters, today=today, past=False)
            over = await talks.count(tx, filters, today=today, past=True)
            last = max(1, ceil((over if past else coming) / PAGE_SIZE))
            here = min(page_in(page), last)
            found = await talks.listing(tx, filters, today=today, past=past, limit=PAGE_SIZE, offset=(here - 1) * PAGE_SIZE)
            named = await talks.countries_named(tx)
        return pages.render(
            request,
            "intake/talks.html",
            talks=[_entry(talk, reader) for talk in found],
            past=past,
            coming=coming,
            over=over,
            page=here,
            pages=last,
            chosen=filters,
            is_filtered=filters != Filters(),
            options=_options(named, reader),
            footnotes=wording.footnotes({code for talk in found for code in talk.fields.get("countries", ())}, reader),
        )

    @router.get(TALKS + "{slug}")
    async def show(request: Request, slug: str, text: str = "") -> Response:
        """Show one Talk, cancelled or not, in the language of `text` where it has it, else in the reader's, else in one that it has."""
        async with database.transaction() as tx:
            talk = await talks.by_slug(tx, slug) if slug.isascii() and "\0" not in slug else None
            notes = await submissions.concept_notes(tx, talk.submission_id) if talk and talk.shows_note else ()
            born = [one["slug"] for one in (talk.outcome or {}).get("practices", ())] if talk else []
            standing = await practices.standing_among(tx, born) if born else frozenset()
        if talk is None:
            raise HTTPException(404)
        shown = _shown(talk, reader_language(request), text, pages, standing)
        return pages.render(request, "intake/talk.html", notes=notes, **shown)

    return router


def _options(countries: Sequence[str], reader: str) -> Mapping[str, Sequence[wording.Option]]:
    return {
        "objective": [(str(number), wording.objective_title(number, reader)) for number in OBJECTIVES],
        "level": words_for(Level, "submit.word.level", reader),
        "region": [(region.value, wording.region_title(region.value, reader)) for region in Region],
        "country": wording.country_options(reader, countries),
        "format": words_for(TalkFormat, "submit.word.format", reader),
    }


def _entry(talk: StoredTalk, reader: str) -> Mapping[str, Any]:
    return {
        "path": talk_path(talk.slug),
        "title": localize(talk.fields["title"], reader),
        "summary": localize(talk.fields["summary"], reader),
        "entity": talk.fields["entity"],
        "when": say(talk.when, reader),
        "was": say(talk.moved_from, reader) if talk.moved_from else None,
        "state": talk.state.value,
        "level": said("submit.word.level", talk.fields["level"], reader),
        "format": said("submit.word.format", talk.fields["format"], reader),
    }


def _shown(talk: StoredTalk, reader: str, wanted: str, pages: Pages, standing: Collection[str]) -> Mapping[str, Any]:
    """Return what the page of a Talk shows; of the practices that were born there only those at an address that is `standing`."""
    languages = languages_of(talk.fields, talk.language, reader, wanted)
    language = languages["language"]
    outcome = talk.outcome or {}
    because = talk.cancelled_because
    is_over = talk.when.last_day is not None and talk.when.last_day < pages.today
    return {
        **languages,
        **subjects_of(talk.fields, reader),
        "talk": talk,
        "fields": talk.fields,
        "summary": Sentence(talk.fields["summary"][language], lang=language, reader=reader),
        "when": say(talk.when, reader),
        "elsewhere": _elsewhere(talk, reader),
        "was": [say(when_of(was), reader) for was in talk.was],
        "level": said("submit.word.level", talk.fields["level"], reader),
        "format": said("submit.word.format", talk.fields["format"], reader),
        "spoken": [i18n.language_name(code, reader) for code in talk.fields.get("spoken", ())],
        "because": localize(because, reader) if because else None,
        "registration": talk.fields.get("registration") if talk.state is TalkState.ANNOUNCED and not is_over else None,
        "result": localize(outcome["summary"], reader) if outcome else None,
        "pledges": [(f"/pledges/{one['number'] or one['id']}", one["number"] or one["id"]) for one in outcome.get("pledges", ())],
        "practices": [
            (practice_path(one["slug"]), localize(one["title"], reader)) for one in outcome.get("practices", ()) if one["slug"] in standing
        ],
        "links": outcome.get("links", ()),
        "linked_data": linked_data(
            talk,
            language=language,
            address=f"{pages.public_url}{talk_path(talk.slug)}",
            network=plain(i18n.translate(reader, "base.network")),
            licence=pages.licence,
        ),
    }


def _elsewhere(talk: StoredTalk, reader: str) -> str | None:
    """Return the hour of a Talk in UTC, for those who are elsewhere; None where it has no hour or is given in UTC already."""
    when = talk.when
    if not isinstance(when, TimeWithZone) or when.starts.astimezone(ZoneInfo(when.zone)).utcoffset() == when.starts.utcoffset():
        return None
    return i18n.moment(when.starts, reader, "UTC")
