"""How far an activity of the work plan has come, as of a day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from services.calendar.domain.entries import Entry


class Progress(StrEnum):
    """Where an activity stands; the first that is true, in this order."""

    CANCELLED = "cancelled"
    DONE = "done"  # somebody has said so, or its source has
    LATE = "late"  # its last day is over, and nobody has said that it is done
    MOVED = "moved"  # to be done, later than first planned
    ONGOING = "ongoing"  # has no end
    OPEN = "open"


def progress(activity: Entry, today: date) -> Progress:
    """Return where an activity stands on a day."""
    if activity.is_cancelled:
        return Progress.CANCELLED
    if activity.done_on is not None:
        return Progress.DONE
    if activity.last_day is not None and activity.last_day < today:
        return Progress.LATE
    if activity.moved_from is not None:
        return Progress.MOVED
    return Progress.ONGOING if activity.last_day is None else Progress.OPEN


def counted(activities: Iterable[Entry], today: date) -> Mapping[Progress, int]:
    """Return how many activities stand where, every state once."""
    found = Counter(progress(activity, today) for activity in activities)
    return {state: found[state] for state in Progress}
