"""What a feed may say of an hour by the clock of its place, and where it must say the instant instead."""

from datetime import datetime
from zoneinfo import ZoneInfo

UTC_NAMES = frozenset({"UTC"})


def by_the_clock(instant: datetime, zone: str) -> datetime | None:
    """Return what the clock in `zone` shows at an instant; None where only the instant says it.

    A time that the clock shows twice, when it goes back, means the first (RFC 5545, section 3.3.5; RFC 8984, section 1.4.4). The second
    can only be said in UTC, and the first is too: programs do not agree on it.
    """
    if zone in UTC_NAMES:
        return None
    place = ZoneInfo(zone)
    local = instant.astimezone(place).replace(tzinfo=None)
    twice = local.replace(tzinfo=place, fold=0).utcoffset() != local.replace(tzinfo=place, fold=1).utcoffset()
    return None if twice else local
