"""A date: what it is, when it is, what may change of it and how that is counted. No I/O."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.calendar.domain.whens import is_exact
from shared.events.base import Source
from shared.events.codes import DateKind, DateStatus, Language, Principle, Region
from shared.events.times import Due, When

NEVER_PUBLIC = frozenset({DateKind.BLACKOUT, DateKind.EMBARGO})
"""What is for those who send, and stands on no public page."""

SLUG_CHARACTERS = 60


class CalendarError(Exception):
    """Something that the calendar was asked to do cannot be done."""


class UnknownDateError(CalendarError):
    """No date has this id here; if the database was restored, restore one that holds it, then try again."""


class CancelledError(CalendarError):
    """This date is cancelled, so it can no longer be moved, done or cancelled again."""


class NotMovedError(CalendarError):
    """The new time is the old one; give another."""


class NoDayBeforeError(CalendarError):
    """A deadline that follows a meeting lies before its first day; a meeting that goes on without end has none."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a date is, all but when; changing it is a correction of words."""

    language: Language
    title: Mapping[Language, str]
    summary: Mapping[Language, str] = field(default_factory=dict)  # empty where nobody has written one
    place: str | None = None
    entity: str | None = None  # who holds it
    regions: tuple[Region, ...] = ()
    countries: tuple[str, ...] = ()
    objectives: tuple[int, ...] = ()
    principles: tuple[Principle, ...] = ()
    theme: str | None = None  # number of a thematic area
    priority: str | None = None  # key of a thematic priority of the work plan
    lead: tuple[str, ...] = ()  # as printed
    participants: tuple[str, ...] = ()  # as printed
    links: tuple[Mapping[str, Any], ...] = ()  # each with `address` and perhaps `label`


@dataclass(frozen=True, kw_only=True)
class NewDate:
    """A date about to stand in the calendar."""

    id: UUID
    kind: DateKind
    description: Description
    when: When
    public: bool = True
    status: DateStatus = DateStatus.CONFIRMED
    source: Source | None = None  # of what it is the date; for an embargo, of what nobody may speak
    source_address: str | None = None
    submission_id: UUID | None = None
    import_key: str | None = None
    yearly: str | None = None  # key of the named day that it is one year's instance of
    follows: UUID | None = None  # the meeting that it moves with
    days_before: int | None = None
    plan: Mapping[str, Any] | None = None  # what the work plan says of an activity beyond the date
    done_on: date | None = None
    cancelled_because: Mapping[Language, str] | None = None
    historic: bool = False
    synthetic: bool = False
    trace_id: str

    @property
    def shown(self) -> bool:
        """Whether it stands on public pages."""
        return self.public and self.kind not in NEVER_PUBLIC

    @property
    def told(self) -> bool:
        """Whether the other services hear of it: what is public, and what keeps the senders still."""
        return self.shown or self.kind in NEVER_PUBLIC


@dataclass(frozen=True, kw_only=True)
class StoredDate(NewDate):
    """A date as it is kept."""

    slug: str
    sequence: int
    revision: int  # of the last event told; 0 as long as none was
    done_note: Mapping[Language, str] | None = None
    cancelled_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def uid(self) -> str:
        """Its UID in feeds; the same for ever, whatever the host."""
        return f"{self.id}@tidings"

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.status is DateStatus.CANCELLED

    @property
    def is_done(self) -> bool:
        """Whether somebody has marked it as done, or its source has."""
        return self.done_on is not None

    @property
    def path(self) -> str:
        """The path of its page: the public one, or the team's for what is not public."""
        return f"/calendar/{self.slug}" if self.shown else f"/calendar/manage/{self.id}"


@dataclass(frozen=True, kw_only=True)
class Move:
    """When a date was before."""

    sequence: int  # that it had then
    was: When
    moved_at: datetime
    moved_by: str | None  # id of the person; empty where a source or a meeting moved
    because: Mapping[Language, str] | None


def sequence_after(sequence: int, *, moved: bool = False, status_changed: bool = False) -> int:
    """Return the SEQUENCE after a change: one more where its time or status is another (RFC 5546, section 2.1.4), else the same."""
    return sequence + 1 if moved or status_changed else sequence


def check_may_change(found: StoredDate) -> None:
    """Return where a date may be moved, done or cancelled; raises CancelledError."""
    if found.is_cancelled:
        raise CancelledError(CancelledError.__doc__)


def check_moves(found: StoredDate, when: When) -> None:
    """Return where a date may be moved to `when`; raises CancelledError and NotMovedError."""
    check_may_change(found)
    if when == found.when:
        raise NotMovedError(NotMovedError.__doc__)


def due_of(when: When) -> Due | None:
    """Return by when it is due, None as long as no day is known."""
    return when if is_exact(when) else None  # type: ignore[return-value]


# ---- addresses ----

RESERVED = frozenset({"manage", "review", "operations", "events", "files", "api", "embed", "month", "work-plan"})
"""Words that pages of the calendar begin with; no date has them for its address."""


def slugs_for(new: NewDate) -> tuple[str, ...]:
    """Return the addresses that a date may have, best first: words of its title with the year; the last one is its own alone."""
    words = _words_of(new.description.title, new.description.language)
    year = str(new.when.first_day.year)
    named = words if words.endswith(year) else f"{words}-{year}".strip("-")
    own = f"{named}-{new.id.hex[-8:]}"
    return (named, own, f"{named}-{new.id.hex}") if words else (own, f"{named}-{new.id.hex}")


def _words_of(title: Mapping[Language, str], language: str) -> str:
    """Return the words of a title as an address has them, from the English title where there is one; empty for other scripts."""
    text: str = title.get("en") or next((title[code] for code in (language, *title) if code in title), "")  # type: ignore[index]
    letters = unicodedata.normalize("NFKD", text.replace("’", "").replace("'", "")).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", letters))
    return slug if len(slug) <= SLUG_CHARACTERS else slug[: SLUG_CHARACTERS + 1].rpartition("-")[0] or slug[:SLUG_CHARACTERS]


def in_order(dates: Sequence[StoredDate]) -> list[StoredDate]:
    """Return dates by their first day, then by their hour."""
    return sorted(dates, key=lambda one: (one.when.first_day, getattr(one.when, "starts", None) is not None, str(one.id)))
