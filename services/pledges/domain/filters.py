"""What somebody wants to see of the register: one grammar for page, JSON, CSV, Atom, changes and charts. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from services.pledges.domain.pledges import Freshness
from services.pledges.domain.search import has_words
from shared.events.codes import (
    LANGUAGES,
    OBJECTIVES,
    SYNTHETIC_COUNTRIES,
    EntityType,
    PledgeKind,
    PledgeState,
    PledgeWay,
    Principle,
    Region,
    Scope,
)
from shared.reference.countries import is_country

Q_MAX_CHARACTERS = 200


class Due(StrEnum):
    """How a pledge stands to the day by which it was to be fulfilled."""

    OVERDUE = "overdue"  # that day has passed, and its owner has not said that it is fulfilled, given up or replaced


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is wanted; an empty one wants everything that stands on the register."""

    q: str | None = None  # words of title, description or entity, in any language
    objective: int | None = None
    principle: str | None = None
    kind: str | None = None
    way: str | None = None
    scope: str | None = None
    entity_type: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, or a code of sample data
    region: str | None = None  # review region; a country may lie in several
    state: str | None = None  # as its owner says
    freshness: str | None = None
    due: str | None = None
    language: str | None = None  # in which it was written
    as_of: date | None = None  # the register as it stood at the end of this UTC day; empty: as it stands

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Return name and value of each filter that is set, in the order of the grammar."""
        return [(name, str(value)) for name in NAMES if (value := getattr(self, name)) is not None]

    def query(self, **more: str) -> str:
        """Return the query by which the same is asked for again, always written in the same way."""
        return urlencode([*self.pairs(), *more.items()])

    @property
    def narrows(self) -> bool:
        """Whether anything but the day is set."""
        return any(name != "as_of" for name, _ in self.pairs())


NAMES = tuple(field.name for field in fields(Filters))


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A value that makes no sense; `code` and `params` are those of the sentence `fault.<code>`."""

    name: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was understood, and what was not."""

    filters: Filters
    unfit: tuple[Unfit, ...]


def wish_in(values: Mapping[str, str], today: date, *, beside: frozenset[str] = frozenset()) -> Wish:
    """Return what the query of a request asks for; names in `beside` are another's. Nothing is raised: what is unfit is named and unset.

    An empty value is none, since forms send every field.
    """
    found: dict[str, Any] = {}
    unfit: list[Unfit] = []
    for name, text in values.items():
        if name in beside or (name in NAMES and not text.strip()):
            continue
        if name not in NAMES:
            unfit.append(Unfit(name=name, code="unexpected", params={}))
            continue
        try:
            found[name] = _day(text, today) if name == "as_of" else _words(text) if name == "q" else _code(name, text)
        except _UnfitError as error:
            unfit.append(Unfit(name=name, code=error.fault, params=error.params))
    return Wish(filters=Filters(**found), unfit=tuple(unfit))


CODES: Mapping[str, Sequence[str]] = {
    "objective": [str(number) for number in OBJECTIVES],
    "principle": [one.value for one in Principle],
    "kind": [one.value for one in PledgeKind],
    "way": [one.value for one in PledgeWay],
    "scope": [one.value for one in Scope],
    "entity_type": [one.value for one in EntityType],
    "region": [one.value for one in Region],
    "state": [one.value for one in PledgeState],
    "freshness": [one.value for one in Freshness],
    "due": [one.value for one in Due],
    "language": list(LANGUAGES),
}
"""The values of each filter that has a closed set of them, in their order."""


class _UnfitError(Exception):
    def __init__(self, fault: str, **params: object) -> None:
        super().__init__(fault)
        self.fault = fault
        self.params = params


def _code(name: str, text: str) -> str | int:
    if name == "country":
        if not (is_country(text) or text in SYNTHETIC_COUNTRIES):
            raise _UnfitError("unknown-country", code=text[:20])
        return text
    if text not in CODES[name]:
        raise _UnfitError("not-one-of", expected=", ".join(CODES[name]))
    made: Callable[[str], str | int] = int if name == "objective" else str
    return made(text)


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _UnfitError("not-a-day") from None
    if day.isoformat() != text:  # a week or an ordinal day, which ISO 8601 knows and readers do not
        raise _UnfitError("not-a-day")
    if day > today:
        raise _UnfitError("too-large", limit=today.isoformat())
    return day


def _words(text: str) -> str:
    if len(text) > Q_MAX_CHARACTERS:
        raise _UnfitError("too-long", n=Q_MAX_CHARACTERS)
    if not has_words(text):
        raise _UnfitError("missing")
    return " ".join(text.split())
