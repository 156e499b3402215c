"""Texts and addresses as they may travel: cleaned once, so that what is compared, hashed and shown is the same everywhere."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, TypeVar

from annotated_types import MinLen
from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.events.codes import LANGUAGES, Language

T = TypeVar("T")

LINE_LENGTH = 300  # a title, a name: three lines on a page
SUMMARY_LENGTH = 1_000  # what the newsletter prints of an item
TEXT_LENGTH = 10_000  # a practice described, a remark
ARTICLE_LENGTH = 20_000  # a statement or blog article; in six languages about 200 kB, within what one event may carry
ADDRESS_LENGTH = 2_000  # what browsers, mail programs and networks all take

# Line ends of every system, and the separators that word processors leave behind.
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, halves of surrogate pairs (no UTF-8 for them), the two signs that are none (no feed with them can be read), and the
# two overrides that make text read otherwise than it is.
# Marks that Arabic, Persian and emoji need (joiners, direction marks, isolates) are welcome.
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202d\u202e\ufffe\uffff]")
_INVISIBLE = {"Cf", "Zs", "Zl", "Zp"}


def _clean(value: str) -> str:
    value = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", value)).strip()
    if refused := _REFUSED.search(value):
        raise PydanticCustomError(
            "control-character", "holds a control character, {code}; remove it", {"code": f"U+{ord(refused.group()):04X}"}
        )
    # A text of nothing but joiners and spaces looks empty, so it is.
    return value if any(unicodedata.category(character) not in _INVISIBLE for character in value) else ""


def clean_text(value: object) -> object:
    """Return a text of several lines stripped, in NFC, with plain line ends; refuses control characters. What is no text passes."""
    if not isinstance(value, str):
        return value
    # Most texts are one line of printable characters, which leaves nothing to look for: every event is read by each of its listeners.
    plain = unicodedata.normalize("NFC", value).strip()
    return plain if plain.isprintable() else _clean(value)


def clean_line(value: object) -> object:
    """Return a text of one line, cleaned as `clean_text` does; refuses a second line and tabs."""
    cleaned = clean_text(value)
    if isinstance(cleaned, str) and ("\n" in cleaned or "\t" in cleaned):
        raise PydanticCustomError("one-line", "must be one line, without tabs")
    return cleaned


Line = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LENGTH), BeforeValidator(clean_line)]
Summary = Annotated[str, StringConstraints(min_length=1, max_length=SUMMARY_LENGTH), BeforeValidator(clean_text)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH), BeforeValidator(clean_text)]
Article = Annotated[str, StringConstraints(min_length=1, max_length=ARTICLE_LENGTH), BeforeValidator(clean_text)]

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""A key such as `review-practice`; its sentence stands in the locales."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(clean_line)]
"""The id of a thing or a person, as the service that owns it writes it."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hexadecimal digits."""


def _in_order(texts: Mapping[Language, T]) -> Mapping[Language, T]:
    return {language: texts[language] for language in LANGUAGES if language in texts}


# One text per language; at least one, always in the same order, so that equal texts have equal hashes.
LocalLine = Annotated[Mapping[Language, Line], MinLen(1), AfterValidator(_in_order)]
LocalSummary = Annotated[Mapping[Language, Summary], MinLen(1), AfterValidator(_in_order)]
LocalText = Annotated[Mapping[Language, Text], MinLen(1), AfterValidator(_in_order)]
LocalArticle = Annotated[Mapping[Language, Article], MinLen(1), AfterValidator(_in_order)]


_NO_WEB_ADDRESS = PydanticCustomError("web-address", "is not a web address; it begins with https:// or http:// and names a host")


def _web_address(value: str) -> str:
    try:
        url = AnyHttpUrl(value)
    except ValueError as error:
        raise _NO_WEB_ADDRESS from error
    if not url.host or ".." in url.host:
        raise _NO_WEB_ADDRESS
    if url.username is not None or url.password is not None:
        # "https://un.org@example.com" looks like one host and opens another.
        raise PydanticCustomError("web-address-with-user", "must not hold a user name or a password")
    address = str(url)
    if len(address) > ADDRESS_LENGTH:
        raise PydanticCustomError("web-address-too-long", "is longer than {length} characters once encoded", {"length": ADDRESS_LENGTH})
    return address


WebAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=ADDRESS_LENGTH),
    BeforeValidator(clean_line),
    AfterValidator(_web_address),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": ADDRESS_LENGTH}),
]
"""An absolute http or https address in its canonical form: ASCII, host in lower case."""
