"""The newsletter as everybody sees it: its front page, and the archive with every issue in its languages."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from services.newsletter.archive import store
from services.newsletter.archive.store import Archived
from services.newsletter.compose.edition import standing_in
from shared import i18n
from shared.db import Database
from shared.events.codes import LANGUAGES, Language
from shared.web.pages import LanguageLink, Pages, Sentence, localize
from shared.web.request_state import reader_language

FRONT = "/newsletter/"
ARCHIVE = "/newsletter/archive/"
FEED = "/newsletter/archive.atom"
SUBSCRIBE = "/newsletter/subscribe"

# Beside the latest issue, on the front page.
_FURTHER = 5
# A number with more digits is none of ours, and too large for the database.
_DIGITS = 6

_NAMES: Mapping[str, Language] = {language: language for language in LANGUAGES}


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the public pages of the newsletter."""
    router = APIRouter(include_in_schema=False)

    @router.get(FRONT)
    async def front(request: Request) -> Response:
        """Show the latest issue, and how to get the next."""
        async with database.transaction() as tx:
            issues = await store.newest(tx, 1 + _FURTHER)
        context = _names(request) | {"latest": issues[0] if issues else None, "further": issues[1:]}
        return pages.render(request, "newsletter/front.html", **context)

    @router.get(ARCHIVE)
    async def listing(request: Request) -> Response:
        """List every issue, year by year."""
        async with database.transaction() as tx:
            issues = await store.newest(tx)
        return pages.render(request, "newsletter/archive.html", **_names(request), years=_by_year(issues))

    @router.get(ARCHIVE + "{number}")
    async def show(request: Request, number: str, view: str = "") -> Response:
        """Show one issue in the language asked for, or in another, and say so; `?view=text` without pictures and styles."""
        if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS):
            raise HTTPException(404)
        wanted = wanted_language(request)
        async with database.transaction() as tx:
            issue = await store.find(tx, int(number))
            shown = standing_in(issue.subject, wanted) if issue else None
            if issue is None or shown is None:
                raise HTTPException(404)
            text = await store.text_of(tx, issue.issue_id, shown)
            earlier, later = await store.neighbours(tx, issue.number)
        languages = [_link(issue, language, current=language == shown) for language in issue.subject]
        context = _names(request) | {
            "issue": issue,
            "title": Sentence(issue.subject[shown], lang=shown, reader=reader_language(request)),
            "wanted": wanted,
            "shown": shown,
            "content": Markup(text.html),  # noqa: S704  # made by our own templates, of texts that were cleaned, and approved as it is
            "text": text.text,
            "view": "text" if view == "text" else "",
            "issue_languages": languages,
            "earlier": earlier,
            "later": later,
            # One address for each language of the issue, whichever view of it is open, and none that only repeats another.
            "canonical": f"{pages.public_url}{issue.address}?lang={shown}",
            "alternates": {link.code: pages.public_url + link.address for link in languages},
            "alternate_default": pages.public_url + issue.address,
        }
        return pages.render(request, "newsletter/issue.html", **context)

    return router


def wanted_language(request: Request) -> Language:
    """Return the language in which somebody wants to read: `?lang=` may be any of the six, else it is that of the page."""
    return _NAMES.get(request.query_params.get("lang", "")) or _NAMES[reader_language(request)]


def _names(request: Request) -> dict[str, Any]:
    """Return how issues are named in lists, in the reader's language."""
    reader = reader_language(request)

    def subject_of(issue: Archived) -> Sentence:
        return localize(dict[str, str](issue.subject.items()), reader)

    def preheader_of(issue: Archived) -> Sentence | None:
        return localize(dict[str, str](issue.preheader.items()), reader) if any(issue.preheader.values()) else None

    def month_of(issue: Archived) -> str:
        return i18n.month(issue.month.first, reader)

    return {"subject_of": subject_of, "preheader_of": preheader_of, "month_of": month_of, "feed": FEED, "subscribe": SUBSCRIBE}


def _by_year(issues: Sequence[Archived]) -> Sequence[tuple[int, Sequence[Archived]]]:
    return [(year, list(own)) for year, own in groupby(issues, key=lambda issue: issue.month.year)]


def _link(issue: Archived, language: Language, *, current: bool) -> LanguageLink:
    address = f"{issue.address}?lang={language}"
    return LanguageLink(code=language, name=i18n.language_name(language, language), address=address, current=current)
