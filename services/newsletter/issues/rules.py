"""When an issue opens, closes and goes, and when people are reminded. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.events.codes import LANGUAGES, Language

# Every month has these days.
DAYS = range(1, 29)
FEWEST_LANGUAGES = 2
VALID_HOURS = range(1, 15 * 24)
REMIND_DAYS = range(15)


class IssueError(Exception):
    """Something cannot be done to an issue as it is."""

    slug = "issue"
    status = 409

    def __init__(self, **facts: object) -> None:
        super().__init__(self.__doc__)
        self.facts = facts


class UnknownIssueError(IssueError):
    """There is no such issue, or no such part of it; go back to the list."""

    slug = "unknown"
    status = 404


class UnderWayError(IssueError):
    """This issue is being sent or was sent: it stays as it was approved."""

    slug = "under-way"


class AlreadyCutError(IssueError):
    """The cut of this issue was made already; items that come now go to the next one."""

    slug = "already-cut"


class NotOfferedError(IssueError):
    """This item cannot stand in this issue: its source was withdrawn, or it is in another issue; look at it in the pool."""

    slug = "not-offered"


class DatesError(IssueError):
    """An issue cannot go before it has closed; choose a later hour to send, or an earlier closing day."""

    slug = "dates"
    status = 422


class LanguagesError(IssueError):
    """An issue has two languages at least, and what readers without one of them get is one of these."""

    slug = "languages"
    status = 422


class ReasonError(IssueError):
    """This needs a reason of at most 300 characters, in words that others will read."""

    slug = "reason"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When issues close and go, as long as nobody says otherwise of one."""

    closes_day: int = 20  # the last day whose items are in it, of the month that it gathers
    sends_day: int = 1
    months_later: int = 1  # 0: goes in the month that it gathers
    sends_at: time = time(9)
    remind_days: int = 3  # before the closing day
    valid_hours: int = 48  # after the planned hour; later nothing of it leaves until a person has looked
    languages: tuple[Language, ...] = ("en", "fr")  # the first is what readers of other languages get

    def check(self) -> None:
        """Raise DatesError or LanguagesError for a rule by which no issue could be made."""
        if self.closes_day not in DAYS or self.sends_day not in DAYS or self.months_later not in (0, 1):
            raise DatesError
        if self.remind_days not in REMIND_DAYS or self.valid_hours not in VALID_HOURS:
            raise DatesError
        dates_of(self, date(2026, 2, 1))
        check_languages(self.languages, self.languages[0] if self.languages else "")


@dataclass(frozen=True, kw_only=True)
class Dates:
    """When one issue closes and goes."""

    closes_on: date  # the last day whose items are in it
    sends_at: datetime  # as the clock on the wall shows it, without a zone

    def __post_init__(self) -> None:
        if self.sends_at.date() <= self.closes_on:
            raise DatesError


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The issue that opened last."""

    month: date
    closes_on: date
    cut: bool


def number_of(month: date) -> str:
    """Return the number of the issue that gathers a month: 2026-06."""
    return f"{month:%Y-%m}"


def dates_of(rule: Rule, month: date) -> Dates:
    """Return when the issue of a month closes and goes; raises DatesError where it would go before it closes."""
    going = _month_after(month) if rule.months_later else month
    return Dates(closes_on=month.replace(day=rule.closes_day), sends_at=datetime.combine(going.replace(day=rule.sends_day), rule.sends_at))


def month_to_open(rule: Rule, today: date, latest: Latest | None) -> date | None:
    """Return the month whose issue is to open now, or None while one gathers.

    One issue gathers at any time: the next opens when the last has been cut or its closing day is over. Months whose closing day passed
    while nothing ran get none, since nothing could have gone into it.
    """
    if latest is not None and not latest.cut and today <= latest.closes_on:
        return None
    month = today.replace(day=1)
    if latest is not None and month <= latest.month:
        month = _month_after(latest.month)
    while month.replace(day=rule.closes_day) < today:
        month = _month_after(month)
    return month


def is_to_be_cut(closes_on: date, today: date) -> bool:
    """Say whether the closing day is over; what arrives on that day is still in."""
    return today > closes_on


def is_reminder_due(closes_on: date, remind_days: int, today: date) -> bool:
    """Say whether people are to be reminded that an issue will close."""
    return closes_on - timedelta(days=remind_days) <= today <= closes_on


def check_languages(languages: Sequence[str], fallback: str) -> None:
    """Raise LanguagesError unless there are two or more of the six, none twice, and `fallback` is among them."""
    if len(languages) < FEWEST_LANGUAGES or len(set(languages)) != len(languages) or not set(languages) <= set(LANGUAGES):
        raise LanguagesError
    if fallback not in languages:
        raise LanguagesError


def audience_of(languages: Sequence[Language], fallback: Language) -> Mapping[Language, Sequence[Language]]:
    """Return who gets which variant: by its language the languages of its readers."""
    others = [language for language in LANGUAGES if language not in languages]
    return {language: (language, *others) if language == fallback else (language,) for language in languages}


def _month_after(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
