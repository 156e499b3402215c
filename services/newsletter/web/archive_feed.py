"""The archive as an Atom feed (RFC 4287), in the language asked for."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from services.newsletter.archive import store
from services.newsletter.archive.store import Archived, ArchivedText
from services.newsletter.compose.edition import standing_in
from services.newsletter.web.archive_show import ARCHIVE, FEED, FRONT, wanted_language
from shared import clock
from shared.db import Database
from shared.events.codes import Language
from shared.web.atom import CACHE, MEDIA_TYPE, Entry, Feed, document

# Two years: readers of feeds keep what they saw.
ENTRIES = 24


def router(database: Database, public_url: str) -> APIRouter:
    """Return the address of the feed."""
    router = APIRouter(include_in_schema=False)

    @router.get(FEED)
    async def feed(request: Request) -> Response:
        """Give the newest issues whole, each in the language asked for, or in another and marked with it."""
        language = wanted_language(request)
        async with database.transaction() as tx:
            issues = await store.newest(tx, ENTRIES)
            shown = [(issue, standing_in(issue.subject, language) or language) for issue in issues]
            entries = [(issue, code, await store.text_of(tx, issue.issue_id, code)) for issue, code in shown]
        headers = {"Cache-Control": CACHE, "Vary": "Accept-Language, Cookie", "Content-Language": language}
        return Response(_document(entries, language, public_url), media_type=MEDIA_TYPE, headers=headers)

    return router


def _document(entries: Sequence[tuple[Archived, Language, ArchivedText]], language: Language, public_url: str) -> bytes:
    feed = Feed(
        id=public_url + FEED,
        language=language,
        title_key="newsletter.title",
        address=f"{public_url}{FEED}?lang={language}",
        page=f"{public_url}{ARCHIVE}?lang={language}",
        site=public_url + FRONT,
        updated=entries[0][0].sent_at if entries else clock.now(),
    )
    return document(feed, [_entry(issue, code, text, public_url) for issue, code, text in entries])


def _entry(issue: Archived, language: Language, text: ArchivedText, public_url: str) -> Entry:
    return Entry(
        id=f"urn:uuid:{issue.issue_id}",
        language=language,
        title=issue.subject[language],
        published=issue.sent_at,
        updated=issue.sent_at,
        addresses={code: f"{public_url}{issue.address}?lang={code}" for code in issue.subject},
        summary=issue.preheader[language],
        html=text.html,
    )
