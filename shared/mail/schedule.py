"""When a deferred mail is tried again, and when it is given up."""

from datetime import datetime, timedelta

# RFC 5321, section 4.5.4.1: at least 30 minutes between tries, which may be less for the first; give up after four to five days.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240))
HORIZON = timedelta(days=4, hours=12)


def next_try(attempts: int, first_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` tries of which the first was at `first_at`; None when it is time to give up."""
    at = now + PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]
    return at if at <= first_at + HORIZON else None
