"""Atom feeds (RFC 4287): the head that all of ours have, and entries that each feed fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from shared import clock, i18n

MEDIA_TYPE = "application/atom+xml"
# Asked every hour by every follower.
CACHE = "public, max-age=900"

_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that a feed tells of, in one language."""

    id: str  # a URI that stays, whatever the address
    language: str
    title: str
    published: datetime
    updated: datetime
    addresses: Mapping[str, str]  # by the language in which each is read
    summary: str = ""
    html: str = ""  # made by our own templates
    categories: Sequence[tuple[str, str]] = field(default=())  # scheme and term


@dataclass(frozen=True, kw_only=True)
class Feed:
    """The head of a feed."""

    id: str
    language: str  # of who reads it
    title_key: str
    address: str  # its own, whole
    page: str  # where people read the same
    site: str  # of whom it comes from
    updated: datetime
    subtitle: str = ""
    licence: str | None = None  # its web address; None where nothing is said of one


def document(feed: Feed, entries: Sequence[Entry]) -> bytes:
    """Return the feed as XML."""
    title, found_in = i18n.look_up(feed.language, feed.title_key)
    root = Element("feed", {"xmlns": _ATOM, _LANG: feed.language})
    SubElement(root, "id").text = feed.id
    SubElement(root, "title", {} if found_in == feed.language else {_LANG: found_in}).text = title
    if feed.subtitle:
        SubElement(root, "subtitle").text = feed.subtitle
    SubElement(root, "updated").text = clock.rfc3339(feed.updated)
    SubElement(root, "link", {"rel": "self", "href": feed.address})
    SubElement(root, "link", {"rel": "alternate", "href": feed.page, "type": "text/html"})
    if feed.licence:
        SubElement(root, "link", {"rel": "license", "href": feed.licence})  # RFC 4946
        SubElement(root, "rights").text = feed.licence
    author = SubElement(root, "author")
    SubElement(author, "name").text = i18n.translate(feed.language, "newsletter.mail.network")
    SubElement(author, "uri").text = feed.site
    for entry in entries:
        root.append(_entry(entry))
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(entry: Entry) -> Element:
    element = Element("entry", {_LANG: entry.language})
    SubElement(element, "id").text = entry.id
    SubElement(element, "title").text = entry.title
    SubElement(element, "published").text = clock.rfc3339(entry.published)
    SubElement(element, "updated").text = clock.rfc3339(entry.updated)
    for language, address in entry.addresses.items():
        SubElement(element, "link", {"rel": "alternate", "href": address, "hreflang": language, "type": "text/html"})
    for scheme, term in entry.categories:
        SubElement(element, "category", {"scheme": scheme, "term": term})
    if entry.summary:
        SubElement(element, "summary").text = entry.summary
    if entry.html:
        # Atom's html knows no direction of its own.
        inside = f'<div lang="{entry.language}" dir="{i18n.direction(entry.language)}">{entry.html}</div>'
        SubElement(element, "content", {"type": "html"}).text = inside
    return element
