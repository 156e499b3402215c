"""The four ways of pledging: alone or with whom. What is promised is a kind (`pledge_kinds.py`)."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of pledging; a pledge has exactly one."""

    code: str
    title: Titles
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `way:matching`."""
        return f"way:{self.code}"


@cache
def ways() -> tuple[Way, ...]:
    """Return the four ways."""
    found = []
    for row in read("ways"):
        title = titles(row, "title")
        found.append(Way(code=row["code"], title=title, provenance=provenance(row, title=title)))
    return tuple(found)


def way(code: str) -> Way:
    """Return the way with `code`, for example `matching`. Raises UnknownCodeError when there is none."""
    return first((found for found in ways() if found.code == code), otherwise=f"there is no way of pledging {code!r}")
