"""Dates that others suggest: what is known of one, what it becomes, and what it may be the same as. No I/O."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.calendar.domain.dates import CalendarError, Description, NewDate, StoredDate
from shared.actors import Actor
from shared.events.codes import DateKind, Language, Principle, Region
from shared.events.times import When
from shared.trace import Cause

SIMILAR = 0.6
"""How much of two titles must be the same for them to look like one thing: "Regional review, Africa" and "Africa regional review"."""

_WHEN: TypeAdapter[When] = TypeAdapter(When)


class SuggestionState(StrEnum):
    """Where a suggestion stands."""

    RECEIVED = "received"
    QUESTION = "question"  # the reviewers asked something
    ACCEPTED = "accepted"
    DECLINED = "declined"


OPEN = frozenset({SuggestionState.RECEIVED, SuggestionState.QUESTION})


class AlreadyDecidedError(CalendarError):
    """Somebody has decided on this suggestion already; look at what they decided before deciding otherwise."""


class OwnEntryError(CalendarError):
    """Who entered a suggestion for its sender cannot be the one who accepts it; a colleague can."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A date that was suggested, as it is kept."""

    id: UUID  # that of the submission
    reference: str
    language: Language
    channel: str
    partner: str | None
    entered_by: str | None
    public: Mapping[str, Any]
    internal: Mapping[str, Any]
    answers: Sequence[Mapping[str, Any]]  # each with `question`, `text` and `answered_at`
    contact_sealed: bytes | None
    event_id: UUID
    trace_id: str
    revision: int  # of the door's last event
    received_at: datetime
    state: SuggestionState
    reason: str | None = None
    reason_language: str | None = None
    date_id: UUID | None = None  # the date that it became
    decision_revision: int = 0
    decided_at: datetime | None = None
    decided_by_name: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it awaits a decision."""
        return self.state in OPEN

    @property
    def title(self) -> Mapping[Language, str]:
        """Its title per language."""
        title: Mapping[Language, str] = self.public["title"]
        return title

    @property
    def kind(self) -> DateKind:
        """What kind of date it is."""
        return DateKind(self.public["kind"])

    @property
    def when(self) -> When:
        """When it is."""
        return _WHEN.validate_python(self.public["when"])

    @property
    def cause(self) -> Cause:
        """The cause of what a decision tells: the event that told of it, in the trace of its receipt."""
        return Cause(id=str(self.event_id), trace_id=self.trace_id)

    @property
    def content_hash(self) -> str:
        """SHA-256 of exactly what is decided on."""
        content = orjson.dumps([self.public, self.internal, list(self.answers)], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()


def check_may_decide(found: Suggestion) -> None:
    """Return where a suggestion may be decided on; raises AlreadyDecidedError."""
    if not found.is_open:
        raise AlreadyDecidedError(AlreadyDecidedError.__doc__)


def check_may_accept(found: Suggestion, by: Actor) -> None:
    """Return where a person may accept a suggestion; raises AlreadyDecidedError and OwnEntryError."""
    check_may_decide(found)
    if found.entered_by == by.id:
        raise OwnEntryError(OwnEntryError.__doc__)


def description_of(found: Suggestion) -> Description:
    """Return what a suggestion says that the date is."""
    public = found.public
    return Description(
        language=found.language,
        title=public["title"],
        summary=public.get("summary") or {},
        place=public.get("place"),
        entity=public.get("entity"),
        regions=tuple(map(Region, public.get("regions", ()))),
        countries=tuple(public.get("countries", ())),
        objectives=tuple(public.get("objectives", ())),
        principles=tuple(map(Principle, public.get("principles", ()))),
        links=tuple({"address": one["address"], "label": one.get("label")} for one in public.get("links", ())),
    )


def date_from(found: Suggestion, *, id_: UUID) -> NewDate:
    """Return the date that an accepted suggestion becomes."""
    return NewDate(
        id=id_,
        kind=found.kind,
        description=description_of(found),
        when=found.when,
        submission_id=found.id,
        trace_id=found.trace_id,
    )


# ---- the same thing twice ----


def doubles(title: Mapping[Language, str], others: Iterable[StoredDate]) -> Sequence[StoredDate]:
    """Return those of `others`, which lie on the same days, whose title looks like `title` in any language, most alike first."""
    rated = [(max(_alike(a, b) for a in title.values() for b in other.description.title.values()), other) for other in others]
    return [other for rate, other in sorted(rated, key=lambda pair: (-pair[0], str(pair[1].id))) if rate >= SIMILAR]


def _alike(one: str, other: str) -> float:
    a, b = _words(one), _words(other)
    if not a or not b:
        return 0.0
    in_common = len(set(a) & set(b)) / min(len(set(a)), len(set(b))) if min(len(set(a)), len(set(b))) > 1 else 0.0
    return max(in_common * 0.9, SequenceMatcher(None, " ".join(a), " ".join(b)).ratio())


_LITTLE = """
    a an and de des du el et for in l la las le les los of on para pour sobre sur the y
"""
_STOP = frozenset(_LITTLE.split())
"""Words that say nothing of what a title is about."""


def _words(text: str) -> list[str]:
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return [word for word in re.findall(r"\w+", plain) if word not in _STOP]


def merged(existing: Description, suggested: Description) -> Description:
    """Return an existing date's words with what a suggestion knows beyond them; nothing that stands there changes."""
    known = {link["address"] for link in existing.links}
    return replace(
        existing,
        title={**suggested.title, **existing.title},
        summary={**suggested.summary, **existing.summary},
        place=existing.place or suggested.place,
        entity=existing.entity or suggested.entity,
        regions=_joined(existing.regions, suggested.regions),
        countries=_joined(existing.countries, suggested.countries),
        objectives=_joined(existing.objectives, suggested.objectives),
        principles=_joined(existing.principles, suggested.principles),
        links=(*existing.links, *(link for link in suggested.links if link["address"] not in known)),
    )


def _joined(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*one, *(value for value in other if value not in one))
