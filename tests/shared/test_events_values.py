"""Texts, addresses, times and amounts come in clean or not at all, and are the same after every journey."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.events.base import Countries, Languages, Money, Objectives, Principles
from shared.events.codes import COUNTRIES, CURRENCIES, DateKind, Language
from shared.events.texts import ADDRESS_LENGTH, LINE_LENGTH, Article, Identifier, Line, LocalLine, Sha256, Text, WebAddress, Word
from shared.events.times import ApproximateDate, Day, Days, Due, Moment, TimeWithZone, When, is_zone

LINE: TypeAdapter[str] = TypeAdapter(Line)
TEXT: TypeAdapter[str] = TypeAdapter(Text)
ADDRESS: TypeAdapter[str] = TypeAdapter(WebAddress)
WHEN: TypeAdapter[Any] = TypeAdapter(When)


def code_of(adapter: TypeAdapter[Any], value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python(value)
    return str(refused.value.errors()[0]["type"])


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        pytest.param("  Talk \u00a0", "Talk", id="spaces around"),
        pytest.param("Migracio\u0301n", "Migración", id="a letter and its accent"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="a joiner that Persian needs"),
        pytest.param("\u2066UN\u2069 شبكة", "\u2066UN\u2069 شبكة", id="isolates around a name in another direction"),
        pytest.param("👩‍👩‍👧", "👩‍👩‍👧", id="an emoji of several"),
    ],
)
def test_a_line_is_stripped_and_composed(given_text: str, kept: str) -> None:
    assert LINE.validate_python(given_text) == kept


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        pytest.param("a\x00b", "control-character", id="NUL"),
        pytest.param("a\x1bb", "control-character", id="escape"),
        pytest.param("a\x9fb", "control-character", id="a control character above ASCII"),
        pytest.param("a\u202eb", "control-character", id="an override of direction"),
        pytest.param("a\ufffeb", "control-character", id="a sign that is none, with which no feed can be read"),
        pytest.param("a\uffffb", "control-character", id="the other one"),
        pytest.param("a\ud800b", "control-character", id="half a surrogate pair"),
        pytest.param("a\nb", "one-line", id="two lines"),
        pytest.param("a\tb", "one-line", id="a tab"),
        pytest.param("a\u2028b", "one-line", id="a line separator"),
        pytest.param(" \u200b\u2060 ", "string_too_short", id="nothing visible"),
        pytest.param("x" * (LINE_LENGTH + 1), "string_too_long", id="too long"),
        pytest.param(7, "string_type", id="a number"),
    ],
)
def test_a_line_that_would_harm_or_mislead_is_refused(refused: object, code: str) -> None:
    assert code_of(LINE, refused) == code


def test_the_length_of_a_line_is_counted_in_composed_characters() -> None:
    assert LINE.validate_python("e\u0301" * LINE_LENGTH) == "é" * LINE_LENGTH


def test_a_text_keeps_its_lines_whatever_system_they_come_from() -> None:
    assert TEXT.validate_python("one\r\ntwo\rthree\u2029four\vfive\tsix") == "one\ntwo\nthree\nfour\nfive\tsix"


@given(st.text(st.characters(), min_size=1, max_size=60))
def test_a_text_that_was_accepted_is_accepted_again_as_it_is(raw: str) -> None:
    try:
        kept = TEXT.validate_python(raw)
    except ValidationError:
        return
    assert TEXT.validate_python(kept) == kept
    assert unicodedata.is_normalized("NFC", kept)
    kept.encode("utf-8")
    assert "\x00" not in kept


def test_texts_per_language_stand_in_one_order_and_are_never_empty() -> None:
    texts: TypeAdapter[Mapping[Language, str]] = TypeAdapter(LocalLine)
    assert list(texts.validate_python({"zh": "三", "en": "three", "fr": "trois"})) == ["en", "fr", "zh"]
    assert code_of(texts, {}) == "too_short"
    assert code_of(texts, {"de": "drei"}) == "literal_error"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("HTTPS://Example.ORG/Report", "https://example.org/Report"),
        ("http://bücher.example/ä b", "http://xn--bcher-kva.example/%C3%A4%20b"),
        ("https://example.org", "https://example.org/"),
        ("  https://example.org/a?b=c#d ", "https://example.org/a?b=c#d"),
        ("http://localhost:8000/practices/x", "http://localhost:8000/practices/x"),
    ],
)
def test_a_web_address_is_kept_in_its_canonical_form(written: str, kept: str) -> None:
    assert ADDRESS.validate_python(written) == kept
    assert ADDRESS.validate_python(kept) == kept


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ("javascript:alert(1)", "web-address"),
        ("ftp://example.org/x", "web-address"),
        ("mailto:x@example.org", "web-address"),
        ("//example.org", "web-address"),
        ("example.org", "web-address"),
        ("https://", "web-address"),
        ("https://a..b/", "web-address"),
        ("https://un.org@example.com/", "web-address-with-user"),
        ("https://example.org/\u202egpj.exe", "control-character"),
        ("https://example.org/a\nb", "one-line"),
        ("https://example.org/" + "x" * ADDRESS_LENGTH, "string_too_long"),
        ("https://example.org/" + "é" * (ADDRESS_LENGTH // 2), "web-address-too-long"),
    ],
)
def test_what_is_no_safe_web_address_is_refused(refused: str, code: str) -> None:
    assert code_of(ADDRESS, refused) == code


@pytest.mark.parametrize(
    ("adapter", "good", "bad"),
    [
        (TypeAdapter(Word), "review-practice", "Review practice"),
        (TypeAdapter(Sha256), "0" * 64, "0" * 63),
        (TypeAdapter(Identifier), "0197a2b7", "a\nb"),
        (TypeAdapter(Article), "x" * 20_000, "x" * 20_001),
        (TypeAdapter(Day), "2026-06-16", "2026-06-16T00:00:00"),
        (TypeAdapter(Moment), "2026-06-16T09:00:00+02:00", "2026-06-16T09:00:00"),
    ],
)
def test_a_value_is_what_its_name_says(adapter: TypeAdapter[Any], good: object, bad: object) -> None:
    adapter.validate_python(good)
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)


@pytest.mark.parametrize(
    "refused", [1_781_568_000, "16 June 2026", "2026-13-01", datetime(2026, 6, 16, tzinfo=UTC), "1776-07-04", "9999-12-31", True]
)
def test_a_day_is_a_day_of_a_plausible_year(refused: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(refused)


def test_a_time_is_held_in_utc_and_never_taken_from_a_number() -> None:
    moment: TypeAdapter[datetime] = TypeAdapter(Moment)
    assert moment.validate_python("2026-06-16T09:00:00+02:00") == datetime(2026, 6, 16, 7, tzinfo=UTC)
    assert moment.validate_python("2026-06-16T09:00:00+02:00").tzinfo is UTC
    assert moment.dump_json(moment.validate_python("2026-06-16T09:00:00+02:00")) == b'"2026-06-16T07:00:00Z"'
    assert code_of(moment, 1_781_568_000) == "not-a-moment"


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        pytest.param(
            {"precision": "time", "starts": "2026-06-16T23:30:00Z", "ends": "2026-06-17T01:00:00Z", "zone": "Asia/Kathmandu"},
            date(2026, 6, 17),
            date(2026, 6, 17),
            id="the day of the place, not of UTC",
        ),
        pytest.param(
            {"precision": "time", "starts": "2026-06-16T07:00:00Z", "zone": "UTC"},
            date(2026, 6, 16),
            date(2026, 6, 16),
            id="without an end",
        ),
        pytest.param(
            {"precision": "day", "first": "2026-07-06", "last": "2026-07-15"}, date(2026, 7, 6), date(2026, 7, 15), id="several days"
        ),
        pytest.param(
            {
                "precision": "quarter",
                "windows": [{"first": "2021-04-01", "last": "2021-06-30"}, {"first": "2022-04-01", "last": "2022-06-30"}],
            },
            date(2021, 4, 1),
            date(2022, 6, 30),
            id="two quarters a year apart",
        ),
        pytest.param(
            {"precision": "month", "windows": [{"first": "2024-02-01", "last": "2024-02-29"}]},
            date(2024, 2, 1),
            date(2024, 2, 29),
            id="a leap month",
        ),
        pytest.param(
            {"precision": "half", "windows": [{"first": "2021-07-01", "last": "2022-06-30"}]},
            date(2021, 7, 1),
            date(2022, 6, 30),
            id="two halves",
        ),
        pytest.param({"precision": "ongoing", "windows": [{"first": "2021-04-01"}]}, date(2021, 4, 1), None, id="without an end in sight"),
        pytest.param(
            {"precision": "ongoing", "windows": [{"first": "2021-04-01", "last": "2021-09-30"}]},
            date(2021, 4, 1),
            date(2021, 9, 30),
            id="ongoing until",
        ),
    ],
)
def test_a_date_is_as_exact_as_it_is_known(written: dict[str, Any], first: date, last: date | None) -> None:
    when = WHEN.validate_python(written)
    assert (when.first_day, when.last_day) == (first, last)
    assert WHEN.validate_json(WHEN.dump_json(when)) == when


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ({"precision": "day", "first": "2026-06-16", "last": "2026-06-15"}, "end-before-start"),
        ({"precision": "time", "starts": "2026-06-16T09:00:00Z", "ends": "2026-06-16T08:00:00Z", "zone": "UTC"}, "end-before-start"),
        ({"precision": "time", "starts": "2026-06-16T09:00:00Z", "zone": "CEST"}, "unknown-zone"),
        ({"precision": "time", "starts": "2026-06-16T09:00:00Z", "zone": "Europe/../Zurich"}, "unknown-zone"),
        ({"precision": "time", "starts": "2026-06-16T09:00:00", "zone": "UTC"}, "timezone_aware"),
        ({"precision": "month", "windows": [{"first": "2026-04-02", "last": "2026-04-30"}]}, "not-a-whole-period"),
        ({"precision": "quarter", "windows": [{"first": "2026-04-01", "last": "2026-05-31"}]}, "not-a-whole-period"),
        ({"precision": "year", "windows": [{"first": "2026-01-01"}]}, "not-a-whole-period"),
        ({"precision": "year", "windows": []}, "too_short"),
        (
            {
                "precision": "month",
                "windows": [{"first": "2026-05-01", "last": "2026-05-31"}, {"first": "2026-04-01", "last": "2026-04-30"}],
            },
            "periods-out-of-order",
        ),
        ({"precision": "week", "first": "2026-06-16"}, "union_tag_invalid"),
    ],
)
def test_a_date_that_cannot_be_is_refused(written: dict[str, Any], code: str) -> None:
    assert code_of(WHEN, written) == code


def test_an_approximate_date_is_never_a_due_day() -> None:
    due: TypeAdapter[TimeWithZone | Days] = TypeAdapter(Due)
    assert code_of(due, {"precision": "month", "windows": [{"first": "2026-06-01", "last": "2026-06-30"}]}) == "union_tag_invalid"
    assert isinstance(
        WHEN.validate_python({"precision": "month", "windows": [{"first": "2026-06-01", "last": "2026-06-30"}]}), ApproximateDate
    )


@pytest.mark.parametrize(
    "zone", ["Europe/Zurich", "UTC", "America/Argentina/Buenos_Aires", "Australia/Lord_Howe", "America/Port-au-Prince"]
)
def test_a_zone_of_the_iana_database_is_known(zone: str) -> None:
    assert is_zone(zone)


@pytest.mark.parametrize("zone", ["", "Europe", "EST", "Etc/GMT+1", "/etc/localtime", "Europe/Zürich", "europe/zurich", "Europe/Atlantis"])
def test_what_is_no_zone_or_an_ambiguous_one_is_not(zone: str) -> None:
    assert not is_zone(zone)


def test_codes_stand_in_one_order_and_once() -> None:
    assert TypeAdapter(Objectives).validate_python([16, 2, "16"]) == (2, 16)
    assert TypeAdapter(Principles).validate_python(["whole-of-society", "people-centred"]) == ("people-centred", "whole-of-society")
    assert TypeAdapter(Countries).validate_python(["PT", "MA", "PT"]) == ("MA", "PT")
    assert TypeAdapter(Languages).validate_python(["ar", "en"]) == ("en", "ar")


@pytest.mark.parametrize("refused", [0, 24, True, 6.0, "six", None, "-1", "٦"])
def test_an_objective_is_one_of_the_23(refused: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Objectives).validate_python([refused])


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0", "USD", "amount-not-positive"),
        ("-5", "USD", "not-an-amount"),
        ("1e6", "USD", "not-an-amount"),
        ("1,000", "USD", "not-an-amount"),
        ("١٠٠", "USD", "not-an-amount"),
        (10, "USD", "not-an-amount"),
        (10.5, "USD", "not-an-amount"),
        ("NaN", "USD", "not-an-amount"),
        ("1.5", "JPY", "too-many-decimal-places"),
        ("1.005", "EUR", "too-many-decimal-places"),
    ],
)
def test_an_amount_is_an_exact_sum_that_can_be_paid(amount: object, currency: str, code: str) -> None:
    assert code_of(TypeAdapter(Money), {"amount": amount, "currency": currency}) == code


@pytest.mark.parametrize(("amount", "currency"), [("1500000.00", "USD"), ("320000000", "JPY"), ("1250000.500", "KWD"), ("7.00", "XOF")])
def test_an_amount_travels_as_it_was_written(amount: str, currency: str) -> None:
    money = Money.model_validate({"amount": amount, "currency": currency})
    assert money.amount == Decimal(amount)
    assert money.model_dump(mode="json") == {"currency": currency, "amount": amount}


def test_the_closed_sets_hold_what_they_should() -> None:
    assert len(COUNTRIES) == 250  # 249 of ISO 3166-1 and XK
    assert {len(code) for code in COUNTRIES} == {2}
    assert len(CURRENCIES) == len(set(CURRENCIES)) > 150
    assert (CURRENCIES["JPY"], CURRENCIES["USD"], CURRENCIES["KWD"]) == (0, 2, 3)
    assert {DateKind.BLACKOUT, DateKind.EMBARGO, DateKind.STEERING_COMMITTEE} <= set(DateKind)
