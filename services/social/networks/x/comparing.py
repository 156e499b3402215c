"""Whether a post on X's timeline is one of ours, which X gives back a little changed."""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from services.social.domain.content import Content
from services.social.domain.deliveries import Found
from services.social.networks.x.urls import links

_SHORT = re.compile(r"https?://t\.co/[0-9A-Za-z]+")
# X adds the address of the pictures at the end, as one more link of its own.
_PICTURE = re.compile(r"/status/[0-9]+/(photo|video)/[0-9]+$")


def is_same(content: Content, found: Found) -> bool:
    """Say whether `found` is this content: the same words, links and number of pictures."""
    if len(content.pictures) != found.pictures:
        return False
    ours = _plain(content.text)
    # X escapes &, < and > in a text; both readings are tried, so that a post that speaks of "&amp;" is known too.
    return any(_plain(text) == ours for text in _readings(found))


def _readings(found: Found) -> Sequence[str]:
    # Links are put back before anything is unescaped: an address may hold what looks like an escape.
    text = _with_own_links(found.text, found.raw.get("entities", {}).get("urls", []), pictures=found.pictures)
    return (html.unescape(text), text)


def _with_own_links(text: str, told: Sequence[Mapping[str, Any]], *, pictures: int) -> str:
    leads_to = {link["url"]: link for link in told if "url" in link}

    def own(short: re.Match[str]) -> str:
        link = leads_to.get(short.group())
        if link is None:
            # A link that X says nothing of is, at the end of a post with pictures, theirs.
            return "" if pictures and not text[short.end() :].strip() else short.group()
        expanded = str(link.get("expanded_url", short.group()))
        if "media_key" in link or _PICTURE.search(expanded):
            return ""
        return expanded.replace("&", "&amp;")  # as the rest of the text is, until it is read

    return _SHORT.sub(own, text)


def _plain(text: str) -> str:
    """Return a text without what X changes: forms of characters, spaces, and of links the scheme, the host's case and the last slash."""
    text = unicodedata.normalize("NFC", text)
    parts = []
    position = 0
    for start, end in links(text):
        parts += [text[position:start], _plain_link(text[start:end])]
        position = end
    return " ".join("".join([*parts, text[position:]]).split())


def _plain_link(link: str) -> str:
    host, slash, rest = re.sub(r"^https?://", "", link, flags=re.IGNORECASE).partition("/")
    return (host.lower() + slash + rest).rstrip("/")
