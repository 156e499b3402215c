"""A pledge as it stands on the register: its facts, its number, and how long ago its owner last spoke. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.events.codes import PledgeState, Region
from shared.reference.countries import country, is_country


class Standing(StrEnum):
    """Whether a pledge stands on the public register."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"  # its address says so; it counts no more


class Change(StrEnum):
    """What made a new version of a pledge."""

    PUBLISHED = "published"
    EDITED = "edited"  # the team corrected it, or an import has it otherwise
    REPORTED = "reported"  # its owner reported, and a moderator took the report
    EVIDENCED = "evidenced"  # a moderator saw that the evidence shows what was reported
    WITHDRAWN = "withdrawn"


class Freshness(StrEnum):
    """How long ago the last word on a pledge was."""

    GREEN = "green"  # less than a year
    YELLOW = "yellow"  # a year or more
    RED = "red"  # two years or more


FINISHED = frozenset({PledgeState.FULFILLED, PledgeState.DISCONTINUED, PledgeState.SUPERSEDED})
"""States after which no further word is awaited."""
YELLOW_AFTER_YEARS = 1
RED_AFTER_YEARS = 2
FIRST_REVISION = 1
NUMBER_DIGITS = 4


class PledgeError(Exception):
    """Something that the register was asked to do cannot be done."""


class UnknownPledgeError(PledgeError):
    """No pledge has this number; look it up on the register."""


class WithdrawnError(PledgeError):
    """This pledge was withdrawn; nothing of it changes any more."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is public of a pledge, all of it: the same columns as `store.tables` has for a pledge and for each version of it."""

    language: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    entity: str
    entity_type: str
    participants: tuple[str, ...] = ()
    kinds: tuple[str, ...]
    way: str
    matched_number: str | None = None
    scope: str
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    objectives: tuple[int, ...] = ()
    principles: tuple[str, ...] = ()
    metric: str
    baseline: str | None = None
    target: str
    currency: str | None = None
    amount: Decimal | None = None
    start: date | None = None
    due: date
    links: tuple[Mapping[str, Any], ...] = ()
    synthetic: bool = False
    standing: Standing = Standing.PUBLISHED
    withdrawn_because: str | None = None
    state: PledgeState = PledgeState.NOT_STARTED
    progress: str | None = None
    reported_on: date | None = None
    evidence: tuple[str, ...] = ()  # addresses that are to show it
    evidenced_on: date | None = None
    superseded_by: str | None = None
    published_on: date

    @property
    def last_word_on(self) -> date:
        """The day of the owner's last word: of the last report, or of the pledge itself as long as that is the later one.

        A report may speak of a day before the pledge was published; who has just pledged has not been silent since then.
        """
        return max(self.reported_on or self.published_on, self.published_on)

    @property
    def claimed(self) -> PledgeState:
        """How far it has come, as its owner says."""
        return self.state

    @property
    def evidenced(self) -> bool:
        """Whether a moderator saw that evidence shows what its owner says last."""
        return self.evidenced_on is not None

    @property
    def is_awaited(self) -> bool:
        """Whether a further word of its owner is awaited."""
        return self.standing is Standing.PUBLISHED and self.state not in FINISHED


@dataclass(frozen=True, kw_only=True)
class Pledge:
    """A pledge as it is kept."""

    id: UUID
    number: str
    submission_id: UUID | None
    import_key: str | None
    import_hash: str | None  # of the row as it was taken last
    facts: Facts
    revision: int  # of its last version, and of the last event told
    contact_sealed: bytes  # empty where nobody is known
    reminded_at: datetime | None
    trace_id: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewPledge:
    """A pledge about to be published."""

    id: UUID
    submission_id: UUID | None = None
    import_key: str | None = None
    import_hash: str | None = None
    facts: Facts
    contact_sealed: bytes = b""
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state that a pledge was in."""

    pledge_id: UUID
    number: str
    revision: int
    facts: Facts
    change: Change
    stands_from: date  # UTC day from which the register shows it
    recorded_at: datetime
    changed_by: str | None


def number_of(drawn: int) -> str:
    """Return the public number for what was drawn from the sequence: P-0042."""
    return f"P-{drawn:0{NUMBER_DIGITS}d}"


def pledge_path(number: str) -> str:
    """Return the path of a pledge's public page, which stays."""
    return f"/pledges/{number}"


def freshness(facts: Facts, today: date) -> Freshness | None:
    """Return how long ago the last word on a pledge was; None where none is awaited any more."""
    if not facts.is_awaited:
        return None
    if today >= years_after(facts.last_word_on, RED_AFTER_YEARS):
        return Freshness.RED
    return Freshness.YELLOW if today >= years_after(facts.last_word_on, YELLOW_AFTER_YEARS) else Freshness.GREEN


def years_after(day: date, years: int) -> date:
    """Return the same day some years later, or before where negative; the last of February where that year has no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def facts_of(public: Mapping[str, Any], *, published_on: date, synthetic: bool = False) -> Facts:
    """Return the facts of a pledge whose public fields are those of a PledgeSubmission, as JSON values."""
    money = public.get("money") or {}
    countries = tuple(public.get("countries", ()))
    return Facts(
        language=public["language"],
        title=public["title"],
        description=public["description"],
        entity=public["entity"],
        entity_type=public["entity_type"],
        participants=tuple(public.get("participants", ())),
        kinds=tuple(public["kinds"]),
        way=public["way"],
        matched_number=public.get("matched_id"),
        scope=public["scope"],
        countries=countries,
        regions=regions_of(public.get("regions", ()), countries),
        objectives=tuple(public.get("objectives", ())),
        principles=tuple(public.get("principles", ())),
        metric=public["metric"],
        baseline=public.get("baseline"),
        target=public["target"],
        currency=money.get("currency"),
        amount=Decimal(money["amount"]) if money else None,
        start=date.fromisoformat(public["start"]) if public.get("start") else None,
        due=date.fromisoformat(public["due"]),
        links=tuple(public.get("links", ())),
        synthetic=synthetic,
        published_on=published_on,
    )


def regions_of(given: Sequence[str], countries: Sequence[str]) -> tuple[str, ...]:
    """Return the review regions that were given and those in which the countries lie, in their order."""
    found = {*given, *(region for code in countries if is_country(code) for region in country(code).home_regions)}
    return tuple(region.value for region in Region if region.value in found)
