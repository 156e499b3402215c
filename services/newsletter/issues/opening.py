"""By the clock: an issue opens every month, whoever is away, and people are reminded before it closes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert

from services.newsletter.issues.rules import Dates, Latest, Rule, dates_of, is_reminder_due, month_to_open, number_of
from services.newsletter.issues.tables import issue_rule, issues
from shared import tasks
from shared.db import Transaction
from shared.events.codes import LANGUAGES, Language, Role
from shared.events.times import Days
from shared.i18n import translate
from shared.ids import new_id
from shared.tasks import Task
from shared.trace import Cause

GATHER = "gather-issue"
"""The task that reminds of an issue that will close."""
PAGE = "/newsletter/issues/"


async def rule_of(tx: Transaction) -> Rule:
    """Return the standing rule."""
    row = (await tx.execute(select(issue_rule))).one()
    return Rule(
        closes_day=row.closes_day,
        sends_day=row.sends_day,
        months_later=row.months_later,
        sends_at=row.sends_at,
        remind_days=row.remind_days,
        valid_hours=row.valid_hours,
        languages=tuple(row.languages),
    )


async def open_due(tx: Transaction, now: datetime, zone: str) -> UUID | None:
    """Return the id of the issue that opened, or None while one gathers; however often and wherever this runs, one a month opens."""
    rule, latest = await rule_of(tx), await _latest(tx)
    month = month_to_open(rule, now.astimezone(ZoneInfo(zone)).date(), latest)
    return None if month is None else await open_issue(tx, month, rule, dates_of(rule, month), zone)


async def open_issue(tx: Transaction, month: date, rule: Rule, dates: Dates, zone: str) -> UUID | None:
    """Return the id of the new issue of a month, or None where that month has one."""
    values = {
        "id": new_id(),
        "month": month,
        "number": number_of(month),
        "serial": select(func.coalesce(func.max(issues.c.serial), 0) + 1).scalar_subquery(),
        "closes_on": dates.closes_on,
        "sends_at": dates.sends_at,
        "zone": zone,
        "remind_days": rule.remind_days,
        "valid_hours": rule.valid_hours,
        "languages": list(rule.languages),
        "fallback": rule.languages[0],
        "subject": title_of(month, rule.languages),
        "preheader": {},
        "revision": 1,
    }
    made = await tx.execute(insert(issues).values(values).on_conflict_do_nothing().returning(issues.c.id))
    found: UUID | None = made.scalar_one_or_none()
    return found


def title_of(month: date, languages: Sequence[str]) -> Mapping[Language, str]:
    """Return what an issue is called until somebody writes a subject; languages without a catalogue get none."""
    return {
        language: translate(language, "issue.subject", month=format_date(month.replace(day=1), "LLLL y", locale=language))
        for language in LANGUAGES
        if language in languages and language in {"en", "fr", "es", "ar"}
    }


async def remind(tx: Transaction, now: datetime, zone: str, public_url: str) -> int:
    """Open a task for each issue that will soon close, and return for how many; of the same one people are told once."""
    today = now.astimezone(ZoneInfo(zone)).date()
    gathering = await tx.execute(select(issues).where(issues.c.cut_at.is_(None)).order_by(issues.c.month))
    due = [row for row in gathering if is_reminder_due(row.closes_on, row.remind_days, today)]
    for row in due:
        await tasks.open_task(tx, reminder_of(row, public_url), cause=Cause.start(row.id))
    return len(due)


def reminder_of(issue: Row[tuple[object, ...]], public_url: str) -> Task:
    """Return the task that asks drafters to bring in what is still to go into an issue."""
    return Task(
        kind=GATHER,
        subject=str(issue.id),
        role=Role.DRAFTER,
        title=title_or_number(issue),
        address=f"{public_url}{PAGE}{issue.id}",
        due=Days(precision="day", first=issue.closes_on, last=issue.closes_on),
    )


def title_or_number(issue: Row[tuple[object, ...]]) -> Mapping[Language, str]:
    """Return what an issue is called, for events; its number where nobody has written a subject."""
    return dict(issue.subject) or {"en": str(issue.number)}


async def _latest(tx: Transaction) -> Latest | None:
    row = (await tx.execute(select(issues.c.month, issues.c.closes_on, issues.c.cut_at).order_by(issues.c.month.desc()).limit(1))).first()
    return None if row is None else Latest(month=row.month, closes_on=row.closes_on, cut=row.cut_at is not None)
