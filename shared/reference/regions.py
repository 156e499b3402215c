"""The two schemes of regions that the Network uses side by side, and the mark for worldwide scope."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from shared.reference.loader import Provenance, first, provenance, read, titles
from shared.reference.titles import Titles


class Scheme(StrEnum):
    """The list a region belongs to."""

    REVIEW = "review"  # the five Regional Commissions, which the regional reviews follow
    HUB = "hub"  # the filter of the Network's Hub
    ANY = "any"  # worldwide: not a region, and no country lies in it


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region of one scheme."""

    code: str
    scheme: Scheme
    title: Titles
    commission: str | None  # ECA, ESCWA, ESCAP, ECE or ECLAC; only for review regions
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `region:hub-africa`."""
        return f"region:{self.code}"


@cache
def regions(scheme: Scheme | None = None) -> tuple[Region, ...]:
    """Return the regions of `scheme`, or all of them."""
    if scheme is not None:
        return tuple(region for region in regions() if region.scheme is scheme)
    found = []
    for row in read("regions"):
        title = titles(row, "title")
        found.append(
            Region(
                code=row["code"],
                scheme=Scheme(row["scheme"]),
                title=title,
                commission=row["commission"] or None,
                provenance=provenance(row, title=title),
            )
        )
    return tuple(found)


def region(code: str) -> Region:
    """Return the region with `code`, for example `asia-pacific`. Raises UnknownCodeError when there is none."""
    return first((found for found in regions() if found.code == code), otherwise=f"there is no region {code!r}")
