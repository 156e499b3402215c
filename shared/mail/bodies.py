"""Bodies as bytes, encoded once for all who get them, with slots for what differs from one to the next.

Everything is quoted-printable or base64, so that every server passes it on as it is; and it is written so that DKIM's relaxed
form of it is the body itself: no tab, no two spaces beside each other, none at the end of a line.
"""

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

# Private-use characters: they pass through templates and their escaping as they are, and no text of people has them.
_OPEN, _CLOSE = "\ue000", "\ue001"
_SLOT = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")
_NAME = re.compile("[a-z_]+")

# Base64 makes four characters of three bytes, quoted-printable three of one: above this share of bytes outside ASCII it is shorter.
_BASE64_ABOVE = 1 / 6
_QUOTED_CHARACTERS = 75
_BASE64_LINE_BYTES = 57
_LINE_END = re.compile("\r\n|\r|\n")
# Besides what must be: a second space, a last one, and what servers on the way have been seen to change at the head of a line.
_ESCAPED = re.compile(rb"[^\x20-\x3c\x3e-\x7e]|(?<= ) | \Z|\A\.|\AF(?=rom )")
_ESCAPED_START = re.compile(rb"\A\.|\AF(?=rom )")

Subtype = Literal["plain", "html"]


class SlotError(ValueError):
    """A text and the values for its slots do not fit each other."""


def slot(name: str) -> str:
    """Return what stands in a text where each mail gets a value of its own; `name` is of small letters and underscores."""
    if not _NAME.fullmatch(name):
        raise SlotError(f"{name!r} is no name of a slot: use small letters and underscores")
    return f"{_OPEN}{name}{_CLOSE}"


@dataclass(frozen=True, kw_only=True)
class Body:
    """One text, encoded."""

    subtype: Subtype
    encoding: Literal["quoted-printable", "base64"]
    pieces: Sequence[bytes]  # what stands between the slots: one more than there are slots; UTF-8 not yet encoded where base64
    slots: Sequence[str]

    @property
    def headers(self) -> bytes:
        """The header lines of the part."""
        return f"Content-Type: text/{self.subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {self.encoding}\r\n".encode("ascii")

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Return the encoded body with its slots filled; raises SlotError where a value lacks."""
        encoded = {name: self._value(name, values) for name in set(self.slots)}
        found = [self.pieces[0]]
        for name, piece in zip(self.slots, self.pieces[1:], strict=True):
            found += [encoded[name], piece]
        whole = b"".join(found)
        return whole if self.encoding == "quoted-printable" else _base64(whole)

    def _value(self, name: str, values: Mapping[str, str]) -> bytes:
        if name not in values:
            raise SlotError(f"the slot {name!r} has no value")
        if any(ord(character) < 0x20 for character in values[name]):
            raise SlotError(f"the value of the slot {name!r} has a line break or control character")
        value = escape(values[name]) if self.subtype == "html" else values[name]
        # A soft line break behind it: what stands before and after a slot never changes, however long the value is.
        return _quoted(value) + b"=\r\n" if self.encoding == "quoted-printable" else value.encode()


def encode(text: str, subtype: Subtype) -> Body:
    """Return `text` encoded, its slots open."""
    lines = _LINE_END.sub("\r\n", text)
    if not lines.endswith("\r\n"):
        lines += "\r\n"
    parts = _SLOT.split(lines)
    pieces, slots = parts[::2], parts[1::2]
    if any(_OPEN in piece or _CLOSE in piece for piece in pieces):
        raise SlotError("the text has half of a slot; write slots by slot()")
    octets = "".join(pieces).encode()
    outside = sum(byte > 0x7F for byte in octets)
    if outside > len(octets) * _BASE64_ABOVE:
        return Body(subtype=subtype, encoding="base64", pieces=[piece.encode() for piece in pieces], slots=slots)
    # A soft line break before each slot, as behind its value.
    quoted = [_quoted(piece) for piece in pieces]
    pieces_ = [piece + b"=\r\n" for piece in quoted[:-1]] + quoted[-1:]
    return Body(subtype=subtype, encoding="quoted-printable", pieces=pieces_, slots=slots)


def _quoted(text: str) -> bytes:
    lines = (_ESCAPED.sub(lambda found: b"=%02X" % found.group()[0], line) for line in text.encode().split(b"\r\n"))
    return b"\r\n".join(_wrapped(line) for line in lines)


def _wrapped(line: bytes) -> bytes:
    """Return an encoded line broken softly, so that none has more than 75 characters and the sign that it goes on."""
    pieces = []
    while len(line) > _QUOTED_CHARACTERS:
        cut = _QUOTED_CHARACTERS
        while b"=" in line[cut - 2 : cut]:  # never inside of =XX
            cut -= 1
        pieces.append(line[:cut])
        line = _ESCAPED_START.sub(lambda found: b"=%02X" % found.group()[0], line[cut:])
    return b"=\r\n".join([*pieces, line])


def _base64(octets: bytes) -> bytes:
    lines = (binascii.b2a_base64(octets[at : at + _BASE64_LINE_BYTES], newline=False) for at in range(0, len(octets), _BASE64_LINE_BYTES))
    return b"\r\n".join(lines) + b"\r\n"
