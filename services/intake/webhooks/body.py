"""Reading the bytes of a body as JSON, as strictly as I-JSON (RFC 7493) and PostgreSQL need it.

Written so that no body, however made, costs more than its length or raises: nesting is counted before anything recursive
touches it, numbers are bounded before they are converted, and what grammar allows but nobody can keep (a name given twice, half
a surrogate pair, U+0000) is named with its place.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from services.intake.webhooks.problem import Reason, Refusal, refuse
from shared.events.kinds.faults import pointer_to

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 32  # objects and lists within each other; our deepest kind needs six
MAX_NUMBER_CHARACTERS = 64  # a double written out in full by a decimal library has about 55
MAX_INTEGER = 2**63 - 1  # PostgreSQL's bigint, and what fast JSON writers can write

_BOM = b"\xef\xbb\xbf"
# A string, closed or not: the quotation mark at the end is optional so that the scan never starts again inside one it could
# not close, which would make it quadratic; possessive for the same reason.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_size(size: int) -> Refusal | None:
    """Return the refusal of a body of `size` bytes, or None where it is small enough.

    The door asks with the declared length before it reads, and with what has come so far while it reads.
    """
    return refuse(Reason.TOO_LARGE, n=MAX_BODY_BYTES) if size > MAX_BODY_BYTES else None


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH) -> object | Refusal:
    """Return the JSON value that `body` holds (dict, list, str, int, float, bool or None), or why it is none we can keep."""
    text = _text(body)
    if isinstance(text, Refusal):
        return text
    if is_deeper(body, max_depth):
        return refuse(Reason.JSON_TOO_DEEP, max=max_depth)
    reading = _Reading()
    try:
        value: object = reading.decoder.decode(text)
    except json.JSONDecodeError as error:
        return refuse(Reason.JSON_UNREADABLE, line=error.lineno, column=error.colno)
    # Only an escape can bring in a surrogate or U+0000, so a body without one needs no second look.
    if reading.found_unfit or "\\u" in text:
        for path, reason in _unfit(value, ()):
            return refuse(reason, pointer=pointer_to(path))
    return value


def is_deeper(body: bytes, max_depth: int) -> bool:
    """Return whether `body` nests more than `max_depth` objects and lists; linear, not recursive, right for broken JSON too."""
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > max_depth:
            return True
    return False


def _text(body: bytes) -> str | Refusal:
    if refusal := check_size(len(body)):
        return refusal
    if not body.strip(b" \t\r\n"):
        return refuse(Reason.BODY_EMPTY)
    if body.startswith(_BOM):
        return refuse(Reason.BODY_STARTS_WITH_BOM)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        return refuse(Reason.BODY_NOT_UTF8, offset=error.start)


@dataclass(frozen=True)
class _Unfit:
    """Stands in the tree where a value cannot be kept, until its place is known."""

    reason: Reason
    name: str | None = None  # the name that came twice


class _Reading:
    """One run of the decoder, which knows values but not their places."""

    def __init__(self) -> None:
        self.found_unfit = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._real,
            parse_constant=self._constant,
        )

    def _mark(self, reason: Reason, name: str | None = None) -> _Unfit:
        self.found_unfit = True
        return _Unfit(reason, name)

    def _object(self, pairs: list[tuple[str, object]]) -> object:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        counted = Counter(name for name, _ in pairs)
        return self._mark(Reason.JSON_NAME_REPEATED, next(name for name, times in counted.items() if times > 1))

    def _integer(self, digits: str) -> object:
        # The length first: converting a long row of digits takes quadratic time, and raises from 4,300 on.
        if len(digits) > MAX_NUMBER_CHARACTERS or abs(value := int(digits)) > MAX_INTEGER:
            return self._mark(Reason.JSON_NUMBER_OUT_OF_RANGE)
        return value

    def _real(self, digits: str) -> object:
        if len(digits) > MAX_NUMBER_CHARACTERS or not math.isfinite(value := float(digits)):
            return self._mark(Reason.JSON_NUMBER_OUT_OF_RANGE)
        return value

    def _constant(self, _name: str) -> object:
        return self._mark(Reason.JSON_NOT_A_NUMBER)


def _unfit(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Reason]]:
    """Yield what cannot be kept with its place, in the order of the body; as deep as the body may be, no deeper."""
    if isinstance(value, _Unfit):
        yield (path if value.name is None else (*path, value.name)), value.reason
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _unfit_text(name, (*path, name))
            yield from _unfit(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _unfit(member, (*path, index))
    elif isinstance(value, str):
        yield from _unfit_text(value, path)


def _unfit_text(text: str, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Reason]]:
    if "\0" in text:
        yield path, Reason.JSON_NULL_CHARACTER
    elif _SURROGATE.search(text):
        yield path, Reason.JSON_LONE_SURROGATE
