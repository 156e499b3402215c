"""Countries that were seen named as champions of the Compact: dated, sourced, and not the whole list."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read
from shared.reference.titles import Mark


@dataclass(frozen=True, kw_only=True)
class Champion:
    """One country that a source names as a champion; its name is in `countries.py`."""

    country: str  # ISO alpha-2
    since: str | None  # year and month it joined, `2021-02`; None when not known
    seen: str | None  # when the source names it as a champion, year or year and month; None when the source has no date
    verified: Mark
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `champion:MA`."""
        return f"champion:{self.country}"


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How much of the list is here. Show it wherever the list is shown: this is never the current list."""

    known: int  # champions in the list here
    stated: int  # champions that the source counts
    stated_in: str  # the source
    stated_year: int

    @property
    def complete(self) -> bool:
        """Return whether every champion that the source counts is here."""
        return self.known >= self.stated


@cache
def champions() -> tuple[Champion, ...]:
    """Return the champions that were seen named, a starting point for the list that the comms team keeps."""
    return tuple(
        Champion(
            country=row["country"],
            since=row["since"] or None,
            seen=row["seen"] or None,
            verified=Mark(row["verified"]),
            provenance=provenance(row, *_unverified(row["since"], Mark(row["verified"]))),
        )
        for row in read("champions")
    )


def champion(country: str) -> Champion:
    """Return the champion with the ISO alpha-2 code `country`. Raises UnknownCodeError for one that was not seen named."""
    return first(
        (found for found in champions() if found.country == country),
        otherwise=f"{country!r} was not seen among the champion countries; the list here is incomplete",
    )


def completeness() -> Completeness:
    """Return how many champions are known here against the number the Network states."""
    # The overview of 2023 counts 33 without naming them; no later total was found.
    return Completeness(known=len(champions()), stated=33, stated_in="Overview of the Network’s support", stated_year=2023)


def _unverified(since: str, mark: Mark) -> tuple[str, ...]:
    return (*(() if mark is Mark.YES else (f"champion {mark}",)), *(() if since else ("since not known",)))
