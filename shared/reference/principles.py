"""The ten guiding principles of the Global Compact (A/RES/73/195, paragraph 15)."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class Principle:
    """One guiding principle."""

    code: str
    title: Titles
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has; objective 23 has the same short title as one principle."""
        return f"principle:{self.code}"


@cache
def principles() -> tuple[Principle, ...]:
    """Return the ten principles in the order of the Compact."""
    found = []
    for row in read("principles"):
        title = titles(row, "title")
        found.append(Principle(code=row["code"], title=title, provenance=provenance(row, title=title)))
    return tuple(found)


def principle(code: str) -> Principle:
    """Return the principle with `code`, for example `human-rights`. Raises UnknownCodeError when there is none."""
    return first((found for found in principles() if found.code == code), otherwise=f"there is no principle {code!r}")
