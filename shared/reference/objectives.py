"""The 23 objectives of the Global Compact (A/RES/73/195, paragraph 16)."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read, titles
from shared.reference.titles import Titles

_HUB = "https://migrationnetwork.un.org"
_HUB_LANGUAGES = frozenset({"fr", "es"})
"""The languages of the Hub beside English; it shows English labels in the others."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One objective: its number is what people cite, its short title what the Network's Hub calls it."""

    n: int  # 1 to 23
    short: Titles
    long: Titles
    hub_term_id: int  # the Hub's own number for it
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `objective:23`."""
        return f"objective:{self.n}"

    def hub_address(self, lang: str) -> str:
        """Return the address of the Hub's page on this objective, in `lang` where the Hub speaks it, else in English."""
        prefix = f"/{lang}" if lang in _HUB_LANGUAGES else ""
        return f"{_HUB}{prefix}/taxonomy/term/{self.hub_term_id}"


@cache
def objectives() -> tuple[Objective, ...]:
    """Return the 23 objectives in their order."""
    found = []
    for row in read("objectives"):
        short, long = titles(row, "short"), titles(row, "long")
        inferred = () if row["hub_term_verified"] == "yes" else ("hub term inferred",)
        found.append(
            Objective(
                n=int(row["n"]),
                short=short,
                long=long,
                hub_term_id=int(row["hub_term_id"]),
                provenance=provenance(row, *inferred, short=short, long=long),
            )
        )
    return tuple(found)


def objective(n: int) -> Objective:
    """Return objective number `n`. Raises UnknownCodeError outside 1 to 23."""
    return first((found for found in objectives() if found.n == n), otherwise=f"there is no objective {n}; they are numbered 1 to 23")
