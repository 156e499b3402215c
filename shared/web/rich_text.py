"""HTML that people wrote or pasted, made harmless for pages and mails: plain elements, `lang` and `dir`, and honest links."""

import re
import unicodedata
from urllib.parse import urlsplit

import nh3
from markupsafe import Markup

# A long article has 30,000.
HTML_MAX_CHARACTERS = 200_000
_TAGS_MAX = 5_000
# Emphasis that is never closed is opened again in each paragraph that follows, unless three like it are open (HTML, section 13.2.4.3):
# a short text of many unlike ones makes a huge one, and takes minutes.
_OPENED_AGAIN = re.compile(r"<(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE)
_OPENED_AGAIN_TIMES_TAGS_MAX = 100_000
# Lists in lists in a quotation have ten; whatever walks through the result must not run out of stack.
_DEPTH_MAX = 60

_TAGS = frozenset(
    {"p", "br", "strong", "em", "b", "i", "a", "ul", "ol", "li", "blockquote", "cite", "q", "abbr", "h2", "h3", "h4", "span", "sub", "sup"}
)
# Gone with all that stands in them: it is not text for readers.
_GONE_WHOLE = frozenset(
    {"script", "style", "template", "noscript", "noembed", "noframes", "iframe", "object", "svg", "math", "title", "textarea", "xmp"}
)
_EVERYWHERE = {"lang", "dir"}
_SCHEMES = frozenset({"http", "https", "mailto"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_TAG = re.compile(r"</?(?!br\b)[a-z]")
_DIRECTIONS = frozenset({"ltr", "rtl", "auto"})
_ADDRESS_MAX_CHARACTERS = 2_000
# Embeddings and overrides turn the letters round for what follows too; `dir` says the same and ends with its element.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_KEPT_CONTROLS = frozenset("\t\n\r")


class TooLongError(ValueError):
    """The text has more characters or elements, or more of them within one another, than are taken; paste it without its formatting."""


def clean(html: str) -> Markup:
    """Return `html` with nothing left that could act, load, cover or turn round anything outside itself; cleaning again changes nothing.

    Kept are paragraphs, headings of the second to fourth level, lists, quotations, emphasis, links to the web and to mail addresses,
    `lang` and `dir`. Of other elements the text stays. Raises TooLongError.
    """
    html, tags = _readable(html), html.count("<")
    if len(html) > HTML_MAX_CHARACTERS or tags > _TAGS_MAX or tags * len(_OPENED_AGAIN.findall(html)) > _OPENED_AGAIN_TIMES_TAGS_MAX:
        raise TooLongError(TooLongError.__doc__)
    # Twice: what the parser repairs the first time may be read as something else the second time (mutation), and what was written as
    # `&#x202E;` is a character only afterwards.
    cleaned = _sanitized(_readable(_sanitized(html)))
    if len(cleaned) > HTML_MAX_CHARACTERS or _depth(cleaned) > _DEPTH_MAX:
        raise TooLongError(TooLongError.__doc__)
    return Markup(cleaned)  # noqa: S704  # this is what makes it safe


def _sanitized(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_GONE_WHOLE),
        attributes={**{tag: set(_EVERYWHERE) for tag in _TAGS}, "a": {"href", *_EVERYWHERE}, "abbr": {"title", *_EVERYWHERE}},
        attribute_filter=_attribute,
        url_schemes=set(_SCHEMES),
        url_relative="deny",
        link_rel="noopener noreferrer",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "lang":
        return value if _LANGUAGE.fullmatch(value) else None
    if name == "dir":
        return value.lower() if value.lower() in _DIRECTIONS else None
    if tag == "a" and name == "href":
        return _address(value)
    return value


def _address(value: str) -> str | None:
    """Return a link's address, or None where it is of no use to readers or deceives them about where it leads."""
    address = value.strip()
    if len(address) > _ADDRESS_MAX_CHARACTERS or "\\" in address or any(character.isspace() for character in address):
        return None
    try:
        parts = urlsplit(address)
        host, user = parts.hostname, parts.username
    except ValueError:
        return None
    if parts.scheme == "mailto":
        # No `?bcc=` and no text put into the reader's mouth.
        return address if parts.path and not parts.query else None
    return address if parts.scheme in _SCHEMES and host and user is None else None


def _depth(cleaned: str) -> int:
    """Return how many elements stand within one another at most, in markup whose elements are all closed."""
    deepest = depth = 0
    for tag in _TAG.findall(cleaned):
        depth += -1 if tag.startswith("</") else 1
        deepest = max(deepest, depth)
    return deepest


def _readable(text: str) -> str:
    """Return `text` without what no reader sees: controls, halves of characters, marks that turn the reading direction."""
    return "".join(
        character
        for character in text.translate(_TURNING)
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in {"Cc", "Cs"}
    )
