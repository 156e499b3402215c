"""What an owner reports of a pledge, and what becomes of it. No I/O."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from services.pledges.domain.pledges import Facts, years_after
from services.pledges.domain.submissions import number_as_written
from shared.events.codes import Channel, Language, PledgeState
from shared.events.texts import Line, Text, WebAddress
from shared.events.times import Day

REPORT_TASK = "review-report"
"""What awaits a moderator where an owner has reported."""
LINK_DAYS = 30
"""How long a mailed link lets its holder report, as often as they like."""
EVIDENCE_MAX = 5
_TOKEN_BYTES = 24


class Verdict(StrEnum):
    """What became of a report."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # its pledge was, while the report waited; nobody said anything to it


class ReportForm(BaseModel):
    """What an owner fills in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    state: PledgeState
    reported_on: Day  # the day of which it speaks
    progress: Line | None = None  # the measure's value
    note: Text | None = None
    evidence: Annotated[tuple[WebAddress, ...], MaxLen(EVIDENCE_MAX)] = ()
    superseded_by: Line | None = Field(default=None, validate_default=True)

    @field_validator("superseded_by")
    @classmethod
    def _successor_named(cls, number: str | None, info: ValidationInfo) -> str | None:
        superseded = info.data.get("state") is PledgeState.SUPERSEDED
        if superseded and number is None:
            raise PydanticCustomError("fault.superseded-without-number", "name the pledge that took its place")
        return number_as_written(number) if superseded and number else None


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as it is kept."""

    id: UUID
    pledge_id: UUID
    reported_on: date
    state: PledgeState
    progress: str | None
    note: Mapping[str, str]  # per language; empty where nothing was written
    evidence: tuple[str, ...]
    superseded_by: str | None
    language: str
    channel: Channel
    sent_at: datetime
    verdict: Verdict | None = None  # empty while it waits
    reason: str | None = None  # why it was declined, or its pledge withdrawn
    decided_at: datetime | None = None
    decided_by: str | None = None
    decided_by_name: str | None = None


def report_from(form: ReportForm, *, report_id: UUID, pledge_id: UUID, at: datetime) -> Report:
    """Return the report that a form makes."""
    return Report(
        id=report_id,
        pledge_id=pledge_id,
        reported_on=form.reported_on,
        state=form.state,
        progress=form.progress,
        note={form.language: form.note} if form.note else {},
        evidence=form.evidence,
        superseded_by=form.superseded_by,
        language=form.language,
        channel=Channel.FORM,
        sent_at=at,
    )


def facts_after(facts: Facts, report: Report, *, evidenced_on: date | None) -> Facts | None:
    """Return how a pledge stands after a report was taken; None where a later word is known, so that this one is only kept.

    Evidence belongs to the word that it is to show: that of an earlier report shows nothing of a later one.
    """
    if facts.reported_on is not None and report.reported_on < facts.reported_on:
        return None
    return replace(
        facts,
        state=report.state,
        progress=report.progress or facts.progress,
        reported_on=report.reported_on,
        evidence=report.evidence,
        evidenced_on=evidenced_on,
        superseded_by=report.superseded_by,
    )


# ---- mailed links ----


def new_token() -> str:
    """Return the last part of the address of a mailed link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is kept of a link: with it nobody can report."""
    return hashlib.sha256(token.encode()).digest()


def link_ends(made_at: datetime) -> datetime:
    """Return until when a link lets its holder report."""
    return made_at + timedelta(days=LINK_DAYS)


# ---- reminders ----


class Reason(StrEnum):
    """Why an owner is asked for a word."""

    SILENT = "silent"  # no word for a year
    DUE = "due"  # the day has passed by which it was to be fulfilled, and nobody has said how it ended


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What an owner is asked about."""

    reason: Reason
    since: date  # on which the asking became due; before it nobody was asked on this occasion


def occasion_of(facts: Facts, today: date) -> Occasion | None:
    """Return what the owner of a pledge is to be asked today, None for nothing.

    Silence is asked about once a year, the day that has passed once; a word after that day ends the second alone.
    """
    if facts.synthetic or not facts.is_awaited:
        return None
    occasions = []
    years = today.year - facts.last_word_on.year
    years -= today < years_after(facts.last_word_on, years)
    if years >= 1:
        occasions.append(Occasion(reason=Reason.SILENT, since=years_after(facts.last_word_on, years)))
    if facts.last_word_on <= facts.due < today:
        occasions.append(Occasion(reason=Reason.DUE, since=facts.due + timedelta(days=1)))
    return max(occasions, key=lambda occasion: occasion.since, default=None)


def is_to_remind(facts: Facts, reminded_on: date | None, today: date) -> Occasion | None:
    """Return the occasion on which the owner is to be reminded now, None where there is none or they were on this one."""
    occasion = occasion_of(facts, today)
    if occasion is None or (reminded_on is not None and reminded_on >= occasion.since):
        return None
    return occasion
