"""When issues open, close and go: plain rules."""

from datetime import date, datetime, time

import pytest

from services.newsletter.issues.rules import (
    DatesError,
    LanguagesError,
    Latest,
    Rule,
    audience_of,
    check_languages,
    dates_of,
    is_reminder_due,
    is_to_be_cut,
    month_to_open,
    number_of,
)

RULE = Rule()
NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


def latest(month: date, *, cut: bool, closes_on: date | None = None) -> Latest:
    return Latest(month=month, closes_on=closes_on or month.replace(day=20), cut=cut)


@pytest.mark.parametrize(
    ("today", "before", "opens"),
    [
        pytest.param(date(2026, 11, 5), None, NOVEMBER, id="the first of all"),
        pytest.param(date(2026, 11, 20), None, NOVEMBER, id="the first of all, on its closing day"),
        pytest.param(date(2026, 11, 25), None, DECEMBER, id="the first of all, after this month's closing day"),
        pytest.param(date(2026, 11, 5), latest(NOVEMBER, cut=False), None, id="one gathers"),
        pytest.param(date(2026, 11, 20), latest(NOVEMBER, cut=False), None, id="one gathers until its closing day is over"),
        pytest.param(date(2026, 11, 21), latest(NOVEMBER, cut=False), DECEMBER, id="its closing day is over"),
        pytest.param(date(2026, 11, 5), latest(NOVEMBER, cut=True), DECEMBER, id="cut early by hand"),
        pytest.param(date(2026, 12, 3), latest(NOVEMBER, cut=False), DECEMBER, id="nothing ran over the month's change"),
        pytest.param(date(2026, 12, 3), latest(NOVEMBER, cut=False, closes_on=date(2026, 12, 4)), None, id="its closing day was moved"),
        pytest.param(date(2026, 12, 21), latest(DECEMBER, cut=True), JANUARY, id="over the year's change"),
        pytest.param(date(2027, 1, 25), latest(NOVEMBER, cut=True), date(2027, 2, 1), id="nothing ran for two months"),
    ],
)
def test_one_issue_gathers_at_any_time(today: date, before: Latest | None, opens: date | None) -> None:
    assert month_to_open(RULE, today, before) == opens


def test_dates_follow_from_the_rule() -> None:
    dates = dates_of(RULE, DECEMBER)
    assert (dates.closes_on, dates.sends_at) == (date(2026, 12, 20), datetime(2027, 1, 1, 9))  # noqa: DTZ001  # a time on the wall
    assert number_of(DECEMBER) == "2026-12"


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(closes_day=20, sends_day=20, months_later=0), id="goes on the day it closes"),
        pytest.param(Rule(closes_day=28, sends_day=1, months_later=0), id="goes before it closes"),
        pytest.param(Rule(valid_hours=0), id="is over before it goes"),
        pytest.param(Rule(remind_days=40), id="reminds before it opens"),
    ],
)
def test_rule_by_which_no_issue_could_be_made_is_refused(rule: Rule) -> None:
    with pytest.raises(DatesError):
        rule.check()
    Rule(closes_day=20, sends_day=25, months_later=0, sends_at=time(6)).check()


@pytest.mark.parametrize(
    ("languages", "fallback"),
    [(("en",), "en"), ((), ""), (("en", "en"), "en"), (("en", "fr"), "ar"), (("en", "de"), "en")],
    ids=["one", "none", "one twice", "fallback is none of them", "none of the six"],
)
def test_issue_has_two_of_the_six_languages_at_least(languages: tuple[str, ...], fallback: str) -> None:
    with pytest.raises(LanguagesError):
        check_languages(languages, fallback)
    check_languages(("ar", "en"), "ar")


def test_every_language_of_readers_has_its_variant() -> None:
    assert audience_of(("en", "ar"), "en") == {"en": ("en", "fr", "es", "ru", "zh"), "ar": ("ar",)}


def test_what_arrives_on_the_closing_day_is_in() -> None:
    assert [is_to_be_cut(date(2026, 11, 20), date(2026, 11, day)) for day in (19, 20, 21)] == [False, False, True]


def test_reminder_is_due_from_its_day_to_the_closing_day() -> None:
    assert [is_reminder_due(date(2026, 11, 20), 3, date(2026, 11, day)) for day in (16, 17, 20, 21)] == [False, True, True, False]
