"""Whether a process can do its work, part by part, each with its reason."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a part is."""

    READY = "ready"
    DEGRADED = "degraded"  # works on, and somebody should look
    DOWN = "down"  # cannot do its work; send requests elsewhere


class DatabaseState(StrEnum):
    """What is known of a service's database."""

    ANSWERS = "answers"
    AWAY = "away"
    NOT_MIGRATED = "not-migrated"  # its tables are missing
    OLDER = "older"  # its schema is older than this program, which may ask for what is not there yet
    NEWER = "newer"  # a newer program has migrated; this one works on until that takes over


OUTBOX_UNKNOWN = "unknown"
"""State of an outbox whose database did not answer; else it is how many events wait and for how long."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One part of a service as it is now."""

    part: str  # service and part: intake.database
    grade: Grade
    state: str
    reason: str = ""  # why it is not ready; empty when it is


def summary(checks: Sequence[Check]) -> tuple[int, dict[str, object]]:
    """Return the HTTP status and the JSON of /readyz: 200 while every part works, degraded ones included, else 503."""
    grades = {check.grade for check in checks}
    worst = next((grade for grade in (Grade.DOWN, Grade.DEGRADED) if grade in grades), Grade.READY)
    return 503 if worst is Grade.DOWN else 200, {"status": worst.value, "checks": [asdict(check) for check in checks]}
