"""Bytes made readable without hiding anything: what is no text, or would not be seen, is shown as its code."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SHOWN_CHARACTERS = 50_000
# Deeper than any event of ours; indenting something built to be deep would cost more than it shows.
INDENTED_DEPTH = 20

# Control characters but for tab and line feed, marks that change the direction of what follows, and spaces without width.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+')


class Oddity(StrEnum):
    """What a reader must know about bytes shown as text."""

    NONE = "none"
    NULL = "null"  # there is no value at all
    EMPTY = "empty"  # no bytes
    NOT_UTF8 = "not-utf8"  # \\xff stands for a byte
    UNSEEN = "unseen"  # \\x00 stands for a character that would not be seen


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A value as text."""

    text: str
    oddity: Oddity
    size: int  # bytes in all
    cut: bool = False  # there is more


def readable(value: bytes | None) -> Readable:
    """Return bytes as text that can be shown anywhere text can, JSON with line breaks put in, and nothing else changed."""
    if value is None:
        return Readable(text="", oddity=Oddity.NULL, size=0)
    if not value:
        return Readable(text="", oddity=Oddity.EMPTY, size=0)
    try:
        text, oddity = value.decode("utf-8"), Oddity.NONE
    except UnicodeDecodeError:
        text, oddity = value.decode("utf-8", "backslashreplace"), Oddity.NOT_UTF8
    seen = _UNSEEN.sub(_code, indented(text) or text)
    if oddity is Oddity.NONE and _UNSEEN.search(text):
        oddity = Oddity.UNSEEN
    return Readable(text=seen[:SHOWN_CHARACTERS], oddity=oddity, size=len(value), cut=len(seen) > SHOWN_CHARACTERS)


def _code(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def indented(text: str) -> str | None:
    """Return JSON with line breaks and spaces put between its parts, every part as it was written; None where it is not JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    parts = _JSON_PART.findall(text)
    if _depth(parts) > INDENTED_DEPTH:
        return None
    lines, depth = [""], 0
    for place, part in enumerate(parts):
        after = parts[place + 1] if place + 1 < len(parts) else ""
        if part in "}]":
            depth -= 1
            if parts[place - 1] not in "{[":
                lines.append("  " * depth)
        lines[-1] += part + (" " if part == ":" else "")
        if part in "{[":
            depth += 1
        if (part in "{[" and after not in "}]") or part == ",":
            lines.append("  " * depth)
    return "\n".join(lines)


def _depth(parts: Sequence[str]) -> int:
    depth = deepest = 0
    for part in parts:
        if part in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif part in "}]":
            depth -= 1
    return deepest
