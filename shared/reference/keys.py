"""Namespaced keys: one text that names one record of any kind, such as `objective:23` or `country:TR`."""

from collections.abc import Callable
from typing import Protocol

from shared.reference.champions import champion
from shared.reference.countries import country
from shared.reference.guidance import guidance_theme
from shared.reference.initiatives import initiative
from shared.reference.loader import Provenance, UnknownCodeError
from shared.reference.objectives import objective
from shared.reference.pledge_kinds import pledge_kind
from shared.reference.principles import principle
from shared.reference.regions import region
from shared.reference.thematic import area, priority
from shared.reference.ways import way


class Record(Protocol):
    """What every record has."""

    @property
    def key(self) -> str:
        """Return the namespaced key."""
        ...

    @property
    def provenance(self) -> Provenance:
        """Return source, unverified parts and note."""
        ...


def _number(code: str) -> int:
    # int() also takes "+1", "01" and Arabic digits: those are other texts for a number that has one key
    if not (code.isascii() and code.isdigit()) or code != str(int(code)):
        raise UnknownCodeError(f"{code!r} is no number; write it in plain digits, for example 23")
    return int(code)


_FINDERS: dict[str, Callable[[str], Record]] = {
    "objective": lambda code: objective(_number(code)),
    "principle": principle,
    "pledge-kind": pledge_kind,
    "way": way,
    "region": region,
    "thematic-area": lambda code: area(_number(code)),
    "thematic-priority": priority,
    "guidance-theme": guidance_theme,
    "champion": champion,
    "initiative": initiative,
    "country": country,
}

NAMESPACES = tuple(_FINDERS)
"""Every word that may stand before the colon."""


def find(key: str) -> Record:
    """Return the record that `key` names. Raises UnknownCodeError for another namespace or code, or another text for a key."""
    namespace, _, code = key.partition(":")
    finder = _FINDERS.get(namespace)
    if finder is None:
        raise UnknownCodeError(f"{key!r} begins with no known word; known are {', '.join(NAMESPACES)}")
    record = finder(code)
    if record.key != key:  # country:TUR finds Türkiye, whose one key is country:TR
        raise UnknownCodeError(f"{key!r} is written {record.key!r}")
    return record
