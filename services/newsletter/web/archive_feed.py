"""The archive as an Atom feed (RFC 4287), in the language asked for."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Request, Response

from services.newsletter.archive import store
from services.newsletter.archive.store import Archived, ArchivedText
from services.newsletter.compose.edition import standing_in
from services.newsletter.web.archive_show import ARCHIVE, FEED, FRONT, wanted_language
from shared import clock, i18n
from shared.db import Database
from shared.events.codes import Language

# Two years: readers of feeds keep what they saw.
ENTRIES = 24
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Asked every hour by every follower.
_CACHE = "public, max-age=900"


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
        headers = {"Cache-Control": _CACHE, "Vary": "Accept-Language, Cookie", "Content-Language": language}
        return Response(_document(entries, language, public_url), media_type="application/atom+xml", headers=headers)

    return router


def _document(entries: Sequence[tuple[Archived, Language, ArchivedText]], language: Language, public_url: str) -> bytes:
    title, found_in = i18n.look_up(language, "newsletter.title")
    feed = Element("feed", {"xmlns": _ATOM, _LANG: language})
    SubElement(feed, "id").text = public_url + FEED
    SubElement(feed, "title", {} if found_in == language else {_LANG: found_in}).text = title
    SubElement(feed, "updated").text = clock.rfc3339(entries[0][0].sent_at if entries else clock.now())
    SubElement(feed, "link", {"rel": "self", "href": f"{public_url}{FEED}?lang={language}"})
    SubElement(feed, "link", {"rel": "alternate", "href": f"{public_url}{ARCHIVE}?lang={language}", "type": "text/html"})
    author = SubElement(feed, "author")
    SubElement(author, "name").text = i18n.translate(language, "newsletter.mail.network")
    SubElement(author, "uri").text = public_url + FRONT
    for issue, code, text in entries:
        feed.append(_entry(issue, code, text, public_url))
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _entry(issue: Archived, language: Language, text: ArchivedText, public_url: str) -> Element:
    entry = Element("entry", {_LANG: language})
    SubElement(entry, "id").text = f"urn:uuid:{issue.issue_id}"
    SubElement(entry, "title").text = issue.subject[language]
    SubElement(entry, "published").text = clock.rfc3339(issue.sent_at)
    SubElement(entry, "updated").text = clock.rfc3339(issue.sent_at)
    for code in issue.subject:
        attributes = {"href": f"{public_url}{issue.address}?lang={code}", "hreflang": code, "type": "text/html"}
        SubElement(entry, "link", {"rel": "alternate", **attributes})
    if issue.preheader[language]:
        SubElement(entry, "summary").text = issue.preheader[language]
    # Atom's html knows no direction of its own.
    inside = f'<div lang="{language}" dir="{i18n.direction(language)}">{text.html}</div>'
    SubElement(entry, "content", {"type": "html"}).text = inside
    return entry
