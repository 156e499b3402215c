"""Deadlines that follow a meeting: which ones a meeting has by itself, and when they fall."""

from dataclasses import dataclass, replace
from uuid import UUID

from services.calendar.domain.dates import Description, NewDate, NoDayBeforeError, StoredDate
from services.calendar.domain.whens import days_before, is_exact
from shared.events.codes import DateKind, Language
from shared.events.times import When

CONCEPT_NOTES_DAYS = 42
"""Concept notes reach the Fund's Steering Committee six weeks before it meets (overview of the Network's support, 2023)."""


@dataclass(frozen=True, kw_only=True)
class OwnDeadline:
    """A deadline that every meeting of a kind has."""

    days_before: int
    key: str  # of its title, in the catalogue


OWN = {DateKind.STEERING_COMMITTEE: (OwnDeadline(days_before=CONCEPT_NOTES_DAYS, key="calendar.deadline.concept-notes"),)}
"""What follows by itself, by the kind of the meeting."""


def deadline_of(
    meeting: StoredDate, *, id_: UUID, days: int, title: dict[Language, str], language: Language, historic: bool, trace_id: str
) -> NewDate:
    """Return the deadline that lies so many days before a meeting; raises NoDayBeforeError."""
    words = replace(
        Description(language=language, title=title),
        regions=meeting.description.regions,
        countries=meeting.description.countries,
        objectives=meeting.description.objectives,
        principles=meeting.description.principles,
        theme=meeting.description.theme,
        priority=meeting.description.priority,
        entity=meeting.description.entity,
    )
    return NewDate(
        id=id_,
        kind=DateKind.DEADLINE,
        description=words,
        when=due_before(meeting.when, days),
        public=meeting.public,
        follows=meeting.id,
        days_before=days,
        historic=historic,
        synthetic=meeting.synthetic,
        trace_id=trace_id,
    )


def due_before(meeting: When, days: int, *, was: When | None = None) -> When:
    """Return when a deadline falls so many days before a meeting; raises NoDayBeforeError."""
    if days < 0 or meeting.last_day is None:
        raise NoDayBeforeError(NoDayBeforeError.__doc__)
    try:
        return days_before(meeting, days, was=was)
    except ValueError:  # before the years of the calendar
        raise NoDayBeforeError(NoDayBeforeError.__doc__) from None


def still_follows(found: StoredDate) -> bool:
    """Say whether a deadline moves with its meeting: what is done or cancelled stays where it is."""
    return not found.is_cancelled and not found.is_done


def distance(meeting: When, due: When) -> int | None:
    """Return how many days before a meeting something is due; None where either is known only roughly or it lies after the beginning."""
    if not is_exact(meeting) or not is_exact(due):
        return None
    days = (meeting.first_day - due.first_day).days
    return days if days >= 0 else None
