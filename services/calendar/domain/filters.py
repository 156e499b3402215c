"""One grammar of filters for the page, the month, the feeds and the frame: `?kind=meeting&objective=8,21&from=2026-01-01`.

A filter that is given several times, or with commas, takes what has any of its values; several filters take what passes all of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from urllib.parse import urlencode

from services.calendar.domain.dates import NEVER_PUBLIC
from shared.events.codes import LANGUAGES, OBJECTIVES, SYNTHETIC_COUNTRIES, DateKind, Principle, Region
from shared.events.times import YEARS
from shared.reference.countries import countries, is_country
from shared.reference.thematic import areas, priorities

# More than any list on the page has; a longer address is nobody's wish.
VALUES_MAX = 60
_LEAD_MAX_CHARACTERS = 200
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

SHOWN_KINDS = tuple(kind for kind in DateKind if kind not in NEVER_PUBLIC)
"""What the public sees of the calendar; the others are the team's own."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a reader wants to see; an empty one takes everything."""

    kind: tuple[str, ...] = ()
    objective: tuple[int, ...] = ()
    principle: tuple[str, ...] = ()
    region: tuple[str, ...] = ()  # with the countries that lie in it
    country: tuple[str, ...] = ()
    theme: tuple[str, ...] = ()  # numbers of thematic areas
    priority: tuple[str, ...] = ()  # of the work plan
    lead: tuple[str, ...] = ()  # as printed
    language: tuple[str, ...] = ()  # in which there is a title
    first: date | None = None  # `from`: what is over before is left out
    last: date | None = None  # `to`: what begins after is left out
    hide_cancelled: bool = False  # `cancelled=hide`

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The filters as they stand in an address, always in the same order."""
        several = [(name, str(value)) for name in NAMES for value in getattr(self, name)]
        days = [("from", self.first), ("to", self.last)]
        found = [*several, *((name, day.isoformat()) for name, day in days if day is not None)]
        return [*found, ("cancelled", "hide")] if self.hide_cancelled else found

    @property
    def query(self) -> str:
        """The filters as the query of an address, without the question mark; empty where there is none."""
        return urlencode(self.pairs)

    @property
    def region_countries(self) -> tuple[str, ...]:
        """The countries that lie in the regions asked for: what is about one of them is about the region too."""
        return tuple(found.alpha2 for found in countries() if set(self.region) & set(found.home_regions))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Filters as they were understood, and what was passed over."""

    filters: Filters
    ignored: tuple[str, ...]  # such as "kind=lunch"


def _one_of(words: Iterable[str]) -> Callable[[str], str | None]:
    known = frozenset(words)
    return lambda value: value if value in known else None


def _objective(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 2 and int(value) in OBJECTIVES else None


def _country(value: str) -> str | None:
    code = value.upper()
    return code if code in SYNTHETIC_COUNTRIES or is_country(code) else None


def _lead(value: str) -> str | None:
    return value if value.isprintable() and len(value) <= _LEAD_MAX_CHARACTERS else None


_READERS: Mapping[str, Callable[[str], str | int | None]] = {
    "kind": _one_of(SHOWN_KINDS),
    "objective": _objective,
    "principle": _one_of(Principle),
    "region": _one_of(Region),
    "country": _country,
    "theme": _one_of(str(area.n) for area in areas()),
    "priority": _one_of(priority.code for priority in priorities()),
    "lead": _lead,
    "language": _one_of(LANGUAGES),
}
NAMES: Sequence[str] = [field.name for field in fields(Filters) if field.name in _READERS]
"""The filters of which several values can be given."""


def read(query: Iterable[tuple[str, str]]) -> Asked:
    """Return the filters of an address; what makes no sense is passed over and named, never refused: a calendar program reads no errors."""
    found: dict[str, list[str | int]] = {name: [] for name in NAMES}
    days: dict[str, date] = {}
    hide, ignored = False, []
    for name, text in query:
        if name in _READERS:
            for value in filter(None, [text.strip()] if name == "lead" else (part.strip() for part in text.split(","))):
                known = _READERS[name](value) if len(found[name]) < VALUES_MAX else None
                if known is None:
                    ignored.append(f"{name}={value}")
                elif known not in found[name]:
                    found[name].append(known)
        elif name in {"from", "to"} and text.strip():
            day = _day(text.strip())
            if day is None:
                ignored.append(f"{name}={text}")
            else:
                days[name] = day
        elif name == "cancelled":
            hide = text == "hide"
    several = {name: tuple(sorted(values, key=str)) for name, values in found.items()}
    filters = Filters(**several, first=days.get("from"), last=days.get("to"), hide_cancelled=hide)  # type: ignore[arg-type]
    return Asked(filters=filters, ignored=tuple(ignored))


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None
