"""Header lines as bytes: folded where text may be folded, whole where a machine reads a web address, and never injected into.

The standard library's policies fold a long web address into an encoded word, which no mailbox provider reads: the
unsubscribe button then silently disappears. So addresses are written here, as they are, and text by `email.header`, which
keeps to 75 characters an encoded word (RFC 2047, section 2).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from shared.clock import check_aware
from shared.mail.address import Mailbox

LINE_CHARACTERS = 76
# RFC 5322, section 2.1.1: no line is longer than 998 characters; a name and a neighbour have to fit beside an address.
URI_CHARACTERS = 900
TEXT_CHARACTERS = 500

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_URI = re.compile(r"(?:https?://|mailto:)[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_TOKEN = re.compile(r"[\x20-\x7e]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class HeaderError(ValueError):
    """A header cannot be written from this value: it has a line break, or is too long, or is no web address."""


def text_line(name: str, value: str) -> bytes:
    """Return a header of free text, such as a subject; raises HeaderError for a line break or more than 500 characters."""
    return _line(name, _folded(name, _one_line(name, value)))


def mailbox_line(name: str, box: Mailbox) -> bytes:
    """Return a header with one address and the name before it."""
    return _line(name, f"{phrase(name, box.name)} <{box.address}>" if box.name else box.address)


def list_id_line(name: str, id_: str) -> bytes:
    """Return List-Id with the list's name before its id (RFC 2919)."""
    return _line("List-Id", f"{phrase('List-Id', name)} <{token('List-Id', id_)}>" if name else f"<{token('List-Id', id_)}>")


def uri_line(name: str, addresses: Iterable[str]) -> bytes:
    """Return a header of web or mailto addresses in angle brackets (RFC 2369), each whole, on a line of its own."""
    return _line(name, ",\r\n ".join(f"<{uri(name, address)}>" for address in addresses))


def token_line(name: str, value: str) -> bytes:
    """Return a header of plain ASCII that is written as it is."""
    return _line(name, token(name, value))


def date_line(moment: datetime) -> bytes:
    """Return Date, in UTC."""
    return _line("Date", format_datetime(check_aware(moment)))


def uri(name: str, address: str) -> str:
    """Return `address` if it is http(s) or mailto, ASCII and at most 900 characters; raises HeaderError."""
    if len(address) > URI_CHARACTERS or not _URI.fullmatch(address):
        raise HeaderError(f"{name}: {address[:100]!r} is no web or mailto address of at most {URI_CHARACTERS} ASCII characters")
    return address


def token(name: str, value: str) -> str:
    """Return `value` if it is printable ASCII that fits on a line; raises HeaderError."""
    if len(value) > URI_CHARACTERS or not _TOKEN.fullmatch(value):
        raise HeaderError(f"{name}: {value[:100]!r} is no plain ASCII of one line")
    return value


def phrase(name: str, words: str) -> str:
    """Return the name before an address: as it is, quoted, or as encoded words."""
    words = _one_line(name, words)
    if words.isascii() and "=?" not in words and len(words) < LINE_CHARACTERS:
        if _ATOMS.fullmatch(words):
            return words
        return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _encoded(name, words)


def _one_line(name: str, value: str) -> str:
    if found := _CONTROL.search(value):
        raise HeaderError(f"{name} has a line break or control character (U+{ord(found.group()):04X}), which no header may have")
    if len(value) > TEXT_CHARACTERS:
        raise HeaderError(f"{name} is longer than {TEXT_CHARACTERS} characters")
    return value.strip()


def _folded(name: str, value: str) -> str:
    # Text that looks like an encoded word would be read as one, and a word longer than a line could not be folded.
    if value.isascii() and "=?" not in value and all(len(word) < LINE_CHARACTERS - len(name) for word in value.split()):
        return Header(value, "us-ascii", maxlinelen=LINE_CHARACTERS, header_name=name).encode(splitchars=" ", linesep="\r\n")
    return _encoded(name, value)


def _encoded(name: str, value: str) -> str:
    return Header(value, "utf-8", maxlinelen=LINE_CHARACTERS, header_name=name).encode(linesep="\r\n")


def _line(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise HeaderError(f"{name!r} is no name of a header")
    return f"{name}: {value}\r\n".encode("ascii")
