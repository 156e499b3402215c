"""How near a deadline is, and when that is worth a word."""

from datetime import date, timedelta

from services.calendar.domain.dates import StoredDate
from services.calendar.domain.whens import day_of, is_exact
from shared.events.codes import DateKind
from shared.events.times import TimeWithZone

THRESHOLDS = (14, 7, 1, 0)
"""Days before a deadline on which it is told that it is near: time to write, to finish, to send, and the day itself."""

REACH = timedelta(days=THRESHOLDS[0] + 1)
"""How far ahead to look; a day more than the first threshold, since days begin earlier elsewhere."""


def due_day(found: StoredDate, zone: str) -> date | None:
    """Return the day on which something is due by the clock of `zone`; None as long as it is known only roughly."""
    if not is_exact(found.when):
        return None
    return day_of(found.when.starts, zone) if isinstance(found.when, TimeWithZone) else found.when.last_day


def is_awaited(found: StoredDate) -> bool:
    """Say whether anybody waits for a deadline: not for what is done, cancelled, of the past or kept to the team."""
    return found.kind is DateKind.DEADLINE and found.shown and not (found.is_cancelled or found.is_done or found.historic)


def crossed(days_left: int) -> tuple[int, ...]:
    """Return the thresholds that lie behind, nearest first; none for what is over."""
    return () if days_left < 0 else tuple(sorted(days for days in THRESHOLDS if days_left <= days))
