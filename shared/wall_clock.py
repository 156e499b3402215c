"""From a wish on the wall ("09:00 in Zurich on 30 March") to the instant it means, also in the two nights when clocks change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Oddity(StrEnum):
    """What is odd about a time on the wall; the reader is told, with what is done about it."""

    GAP = "gap"  # clocks go forward over it: it is taken as much later as they jump
    OVERLAP = "overlap"  # clocks go back over it, so it comes twice: the first is taken


@dataclass(frozen=True, kw_only=True)
class Planned:
    """When something is to go out."""

    local: datetime  # as it was wished, without a zone
    zone: str  # IANA name: a changed rule of summer time moves the instant, not the wish
    instant: datetime  # in UTC
    oddity: Oddity | None

    @property
    def oddity_key(self) -> str:
        """Key of the sentence that tells the oddity; empty where nothing is odd."""
        return f"wall-clock.{self.oddity.value}" if self.oddity else ""


def plan(local: datetime, zone: str) -> Planned:
    """Return the instant of a time on the wall; raises ValueError where `local` has a zone, `zone` is none, or no year is meant.

    A time that does not exist is taken with the offset from before the change, as RFC 5545 (section 3.3.5) has it: 02:30 in the night
    to summer time becomes 03:30. One that comes twice is the first of them, by the same section.
    """
    if local.tzinfo is not None:
        raise ValueError(f"{local.isoformat()} has a zone already; give the time as the clock on the wall shows it")
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{zone!r} is no time zone; give one such as Europe/Zurich") from error
    local = local.replace(fold=0)
    try:
        instant = local.replace(tzinfo=place).astimezone(UTC)
        again = instant.astimezone(place)
    except OverflowError as error:  # in another zone it is not the year 1 yet, or no longer 9999
        raise ValueError(f"{local.isoformat()} lies outside the calendar; give a year that people live in") from error
    oddity = None
    if again.replace(tzinfo=None) != local:
        oddity = Oddity.GAP
    elif local.replace(tzinfo=place).utcoffset() != local.replace(tzinfo=place, fold=1).utcoffset():
        oddity = Oddity.OVERLAP
    return Planned(local=local, zone=zone, instant=instant, oddity=oddity)
