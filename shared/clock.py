"""The one place that reads the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def check_aware(moment: datetime) -> datetime:
    """Return `moment` in UTC; raises ValueError for a time without a zone, which could mean any hour."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give one, for example 2026-06-16T09:00:00+02:00")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """Return `moment` as programs read it: 2026-06-16T07:00:00Z (RFC 3339); raises ValueError for a time without a zone."""
    return check_aware(moment).isoformat().replace("+00:00", "Z")
