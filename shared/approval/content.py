"""What an approval is bound to: canonical bytes of each variant, their SHA-256, and one hash of the whole.

A variant is what goes out in one language (`fr`) or in one language on one network (`x/fr`). Whatever a reader gets belongs into it:
subject, text, links, alternative texts, hashes of files, audience. Its canonical form is JSON with sorted keys, texts in NFC, without
white space, in UTF-8; numbers are whole, since a float has no one form. Lists keep their order.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import Any

from shared.events.codes import LANGUAGES

Content = Mapping[str, Mapping[str, Any]]
"""What goes out, by variant; values are texts, whole numbers, true, false, nothing, and lists and mappings of these."""

VARIANT = re.compile(rf"([a-z]+/)?({'|'.join(LANGUAGES)})")
_MARK = re.compile(rf"{VARIANT.pattern}:(?P<hash>[0-9a-f]{{64}})")
# Six languages on each of a dozen networks; what is longer was not made by us.
MOST_VARIANTS = 72
MISSING = object()


class ContentError(ValueError):
    """Something cannot be approved as it is, because it has no canonical form; the message names the place and what is wrong."""


class FingerprintError(ValueError):
    """This is not a fingerprint as a page or answer gave it; read the item again and send the one that comes with it."""


class How(StrEnum):
    """What happened to a variant between two readings."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One variant that is not what it was."""

    variant: str
    how: How


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One value within a variant that is not what it was."""

    pointer: str  # JSON pointer (RFC 6901)
    before: Any  # MISSING where it was not there
    after: Any  # MISSING where it is gone


@dataclass(frozen=True)
class Fingerprint:
    """The SHA-256 of each variant, and of all together. Two contents are the same to the letter where their fingerprints are equal."""

    variants: Mapping[str, str]  # variant -> lower-case hexadecimal digits

    @cached_property
    def whole(self) -> str:
        """SHA-256 over the names and hashes of all variants: one left out, added or exchanged for another is another whole."""
        return hashlib.sha256(_bytes(dict(self.variants))).hexdigest()

    @property
    def text(self) -> str:
        """One line that a form or a program sends back to say what its reader saw; `Fingerprint.parse` reads it."""
        return " ".join(f"{variant}:{digest}" for variant, digest in sorted(self.variants.items()))

    @classmethod
    def parse(cls, text: str) -> "Fingerprint":
        """Return what `text` gave; raises FingerprintError."""
        marks = [_MARK.fullmatch(mark) for mark in text.split(" ", MOST_VARIANTS)]
        found = {mark.string.partition(":")[0]: mark["hash"] for mark in marks if mark}
        if len(found) != len(marks):
            raise FingerprintError(FingerprintError.__doc__)
        return cls(found)

    def changes_to(self, later: "Fingerprint") -> tuple[Change, ...]:
        """Return which variants differ in `later`, by name; empty where nothing does."""
        found: list[Change] = []
        for variant in sorted({*self.variants, *later.variants}):
            before, after = self.variants.get(variant), later.variants.get(variant)
            if before != after:
                how = How.ADDED if before is None else How.REMOVED if after is None else How.CHANGED
                found.append(Change(variant=variant, how=how))
        return tuple(found)

    def __hash__(self) -> int:
        return hash(self.whole)


def canonical(variant: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of one variant; raises ContentError.

    Who sends takes the texts from these bytes, or from what gave them: then what was hashed is what leaves.
    """
    return _bytes(_normal(variant, ""))


def digest(variant: Mapping[str, Any]) -> str:
    """Return the SHA-256 of one variant in lower-case hexadecimal digits; raises ContentError."""
    return hashlib.sha256(canonical(variant)).hexdigest()


def fingerprint(content: Content) -> Fingerprint:
    """Return the fingerprint of a whole content; raises ContentError, also for one without any variant."""
    if not content:
        raise ContentError("there is no variant in any language, so there is nothing to approve")
    if wrong := sorted(name for name in content if not VARIANT.fullmatch(name)):
        raise ContentError(f"{wrong[0]!r} names no variant; write a language (`fr`) or network and language (`x/fr`)")
    return Fingerprint({name: digest(content[name]) for name in sorted(content)})


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return which values differ between two states of one variant, in the order of their places; raises ContentError."""
    return tuple(_differing(_normal(before, ""), _normal(after, ""), ""))


def _differing(before: Any, after: Any, pointer: str) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differing(before.get(key, MISSING), after.get(key, MISSING), f"{pointer}/{_step(key)}")
    elif isinstance(before, list) and isinstance(after, list):
        for place, (one, other) in enumerate(zip_longest(before, after, fillvalue=MISSING)):
            yield from _differing(one, other, f"{pointer}/{place}")
    elif type(before) is not type(after) or before != after:  # True equals 1, and is not the same
        yield FieldChange(pointer=pointer, before=before, after=after)


def _normal(value: Any, pointer: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, pointer)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return _mapping(value, pointer)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_normal(one, f"{pointer}/{place}") for place, one in enumerate(value)]
    raise ContentError(f"{pointer or '/'} is a {type(value).__name__}, which has no one written form; give it as text")


def _mapping(value: Mapping[Any, Any], pointer: str) -> dict[str, Any]:
    normal: dict[str, Any] = {}
    for key, one in value.items():
        if not isinstance(key, str):
            raise ContentError(f"{pointer or '/'} has a key that is a {type(key).__name__}; keys are texts")
        name = _text(key, pointer)
        if name in normal:
            raise ContentError(f"{pointer}/{_step(name)} stands there twice, written in two ways")
        normal[name] = _normal(one, f"{pointer}/{_step(name)}")
    return normal


def _text(value: str, pointer: str) -> str:
    normal = unicodedata.normalize("NFC", str(value))
    if any("\ud800" <= character <= "\udfff" for character in normal):
        raise ContentError(f"{pointer or '/'} holds half a character, which has no bytes")
    return normal


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
