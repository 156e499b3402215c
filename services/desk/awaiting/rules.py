"""Who may act, what is pressing, and when a mail is due. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.events.codes import Role, TaskEnd
from shared.events.times import Days, Due

SOON = timedelta(hours=48)
"""What is due within this time is marked."""
QUIET = timedelta(seconds=10)
"""A mail waits until nothing more has come for so long …"""
GATHER = timedelta(seconds=60)
"""… but never longer than this; and a person gets at most one mail about tasks in this time."""
DIGEST_HOUR = 8


class Urgency(StrEnum):
    """How pressing a task is."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"  # due, but not soon, or not due at all


class Rhythm(StrEnum):
    """How often a person is mailed about tasks."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a person wants to be mailed about what awaits them."""

    rhythm: Rhythm = Rhythm.AT_ONCE
    hour: int = DIGEST_HOUR  # of the daily mail, in `zone`
    zone: str | None = None  # IANA name; None: the team's
    language: str | None = None  # that the mails are written in; None: the first of the person's that mails are written in


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A task as desk was told of it."""

    id: str
    kind: str
    role: Role
    title: Mapping[str, str]
    address: str  # as it was told, absolute
    due: Due | None
    not_by: frozenset[str]  # ids of people who may not do it
    opened_at: datetime
    closed_at: datetime | None  # None while it awaits somebody
    end: TaskEnd | None

    @property
    def what_key(self) -> str:
        """The key of the sentence that says what is to be done."""
        return f"staff.task.{self.kind}"

    def awaits(self, person_id: str, roles: frozenset[Role]) -> bool:
        """Say whether this person may do it."""
        return self.closed_at is None and self.role in roles and person_id not in self.not_by


def due_at(due: Due | None, zone: str) -> datetime | None:
    """Return the moment from which a task is overdue, in UTC: a day is over at midnight in `zone`. None where nothing is due."""
    if due is None:
        return None
    if isinstance(due, Days):
        return datetime.combine(due.last + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    return (due.ends or due.starts).astimezone(UTC)


def urgency(due: Due | None, *, zone: str, now: datetime) -> Urgency:
    """Return how pressing something is that is due then."""
    at = due_at(due, zone)
    if at is None or at - now > SOON:
        return Urgency.LATER
    return Urgency.OVERDUE if at <= now else Urgency.SOON


@dataclass(frozen=True, kw_only=True)
class Unmailed:
    """What a person has not been mailed of yet."""

    first_at: datetime  # when desk heard of the first of these tasks
    last_at: datetime  # … and of the last
    mailed_at: datetime | None  # when the person got a mail about others


def mail_is_due(choice: Choice, unmailed: Unmailed, *, zone: str, now: datetime) -> bool:
    """Say whether a mail about these tasks should leave now; `zone` is the team's, for who chose none."""
    if choice.rhythm is Rhythm.NEVER:
        return False
    if choice.rhythm is Rhythm.DAILY:
        return unmailed.first_at <= last_slot(choice, zone=zone, now=now)
    gathered = now - unmailed.last_at >= QUIET or now - unmailed.first_at >= GATHER
    return gathered and (unmailed.mailed_at is None or now - unmailed.mailed_at >= GATHER)


def last_slot(choice: Choice, *, zone: str, now: datetime) -> datetime:
    """Return when the daily mail was last to leave, in UTC: what came later waits for the next one."""
    place = ZoneInfo(choice.zone or zone)
    today = now.astimezone(place).date()
    slot = datetime.combine(today, time(choice.hour), place)
    if slot.astimezone(UTC) > now:
        slot = datetime.combine(today - timedelta(days=1), time(choice.hour), place)
    return slot.astimezone(UTC)
