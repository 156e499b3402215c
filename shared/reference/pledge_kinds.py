"""The four kinds of pledge: what is promised. How it is promised is a way (`ways.py`)."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class PledgeKind:
    """One kind of pledge; a pledge may have several."""

    code: str
    title: Titles
    definition: Titles  # in our words
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `pledge-kind:financial`."""
        return f"pledge-kind:{self.code}"


@cache
def pledge_kinds() -> tuple[PledgeKind, ...]:
    """Return the four kinds."""
    found = []
    for row in read("pledge-kinds"):
        title, definition = titles(row, "title"), titles(row, "definition")
        origin = provenance(row, title=title, definition=definition)
        found.append(PledgeKind(code=row["code"], title=title, definition=definition, provenance=origin))
    return tuple(found)


def pledge_kind(code: str) -> PledgeKind:
    """Return the kind with `code`, for example `in-kind`. Raises UnknownCodeError when there is none."""
    return first((found for found in pledge_kinds() if found.code == code), otherwise=f"there is no kind of pledge {code!r}")
