"""Sentences, dates and numbers in the reader's language."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from markupsafe import Markup

from shared import i18n


@pytest.fixture
def lenient() -> Iterator[None]:
    i18n.be_lenient()
    yield
    i18n.be_lenient(False)
    i18n.unknown_keys.clear()


@pytest.mark.parametrize(
    ("language", "n", "expected"),
    [
        ("en", 1, "Wait 1 second, then try again."),
        ("en", 2, "Wait 2 seconds, then try again."),
        ("fr", 0, "Attendez 0 seconde, puis réessayez."),
        ("es", 5, "Espere 5 segundos e inténtelo de nuevo."),
        ("ar", 2, "انتظر ثانيتين ثم حاول مرة أخرى."),
        ("ar", 7, "انتظر 7 ثوانٍ ثم حاول مرة أخرى."),
        ("ar", 11, "انتظر 11 ثانية ثم حاول مرة أخرى."),
    ],
)
def test_plural_follows_the_language(language: str, n: int, expected: str) -> None:
    assert i18n.translate(language, "problem.too-many-requests.detail", n=n) == expected


def test_unknown_key_raises_so_that_a_slip_is_seen_in_tests() -> None:
    with pytest.raises(i18n.UnknownKeyError, match=r"no\.such\.key"):
        i18n.translate("fr", "no.such.key")


@pytest.mark.usefixtures("lenient")
def test_in_service_an_unknown_key_stands_for_its_sentence_and_is_counted() -> None:
    assert i18n.translate("fr", "no.such.{key}", n=3) == "no.such.{key}"
    assert i18n.unknown_keys["no.such.{key}"] == 1


def test_language_without_the_sentence_falls_back_to_english_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    held = i18n._find
    monkeypatch.setattr(i18n, "_find", lambda language, key, n: None if language == "ar" else held(language, key, n))
    before = i18n.fallbacks[("ar", "base.skip")]
    assert i18n.translate("ar", "base.skip") == "Skip to the content"
    assert i18n.fallbacks[("ar", "base.skip")] == before + 1


def test_content_language_without_an_interface_is_answered_in_english() -> None:
    assert i18n.translate("ru", "base.skip") == "Skip to the content"


def test_markup_parameters_stay_and_all_else_is_escaped() -> None:
    sentence = i18n.translate("en", "base.title", page=Markup("<b>x</b>"), site="<i>")
    assert sentence == Markup("<b>x</b> – &lt;i&gt;")
    assert isinstance(sentence, Markup)


def test_counts_get_separators_and_other_numbers_do_not() -> None:
    assert i18n.translate("en", "problem.too-large.detail", n=262_144) == "At most 262,144 bytes can be sent to this address."
    assert i18n.translate("en", "fault.too-small", limit=1990) == "Write 1990 or more."


def test_what_was_put_together_in_arabic_runs_as_the_arabic_sentence_around_it() -> None:
    at = i18n.moment(datetime(2026, 6, 16, 7, tzinfo=UTC), "ar", "Europe/Zurich")
    assert "\u2068" in at
    assert f"\u2067{at}\u2069" in i18n.translate("ar", "confirm.mail.do", moment=at)


def test_latin_name_in_an_arabic_sentence_is_isolated() -> None:
    assert i18n.translate("ar", "base.title", page="IOM (Geneva)", site="الهجرة") == "\u2068IOM (Geneva)\u2069 – الهجرة"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param("2026-06-16", "\u20682026-06-16\u2069", id="a day"),
        pytest.param(date(2026, 6, 16), "\u20682026-06-16\u2069", id="a day that is no text yet"),
        pytest.param("/data/0", "\u2068/data/0\u2069", id="a place in a body"),
        pytest.param("/", "\u2068/\u2069", id="a sign alone"),
        pytest.param("الهجرة الآمنة", "الهجرة الآمنة", id="Arabic"),
        pytest.param(1990, "1990", id="a number"),
        pytest.param(Markup("<b>x</b>"), "<b>x</b>", id="markup"),
    ],
)
def test_what_an_arabic_sentence_would_turn_round_is_isolated(page: object, expected: str) -> None:
    assert i18n.translate("ar", "base.title", page=page, site="الهجرة") == f"{expected} – الهجرة"


@pytest.mark.parametrize(
    ("what", "query", "cookie", "accept", "expected"),
    [
        ("the address first", "ar", "es", "fr", "ar"),
        ("then the cookie", None, "es", "fr", "es"),
        ("then the browser", None, None, "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr"),
        ("by weight, not by place", None, None, "en;q=0.2, es;q=0.9", "es"),
        ("not what is refused", None, None, "fr;q=0, es;q=0.1", "es"),
        ("not a region of what is refused", None, None, "es-MX, es;q=0, fr;q=0.1", "fr"),
        ("a language of content alone has no interface", "zh", None, "fr", "fr"),
        ("an unknown address and cookie", "xx", "<script>", "es", "es"),
        ("a language that we lack", None, None, "de, sv;q=0.5", "en"),
        ("any will do", None, None, "*", "en"),
        ("a malformed weight counts as none", None, None, "fr;q=x, es;q=nan, ar;q=9", "en"),
        ("nothing", None, None, None, "en"),
        ("an endless header", None, None, "de," * 10_000 + "fr", "en"),
    ],
)
def test_language_is_negotiated(what: str, query: str | None, cookie: str | None, accept: str | None, expected: str) -> None:
    assert i18n.negotiate(query=query, cookie=cookie, accept=accept) == expected, what


@pytest.mark.parametrize(("language", "expected"), [("en", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("fa", "rtl"), ("zh", "ltr")])
def test_direction(language: str, expected: str) -> None:
    assert i18n.direction(language) == expected


@pytest.mark.parametrize(
    ("language", "day", "number"),
    [
        ("en", "16 June 2026", "1,234.5"),
        ("fr", "16 juin 2026", "1\u202f234,5"),
        ("es", "16 de junio de 2026", "1.234,5"),
        ("ar", "16 يونيو 2026", "1,234.5"),
        ("ru", "16 июня 2026\u202fг.", "1\xa0234,5"),
        ("zh", "2026年6月16日", "1,234.5"),
    ],
)
def test_days_and_numbers_follow_the_language(language: str, day: str, number: str) -> None:
    assert i18n.day(date(2026, 6, 16), language) == day
    assert i18n.number(1234.5, language) == number


def test_moment_is_shown_in_its_zone() -> None:
    moment = datetime(2026, 6, 16, 22, 30, tzinfo=UTC)
    assert i18n.moment(moment, "en", "Europe/Zurich") == "17 June 2026, 00:30 (CEST)"
    assert i18n.moment(moment, "fr", "Europe/Zurich") == "17 juin 2026 à 00:30 (CEST)"


def test_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        i18n.moment(datetime(2026, 6, 16), "en", "Europe/Zurich")  # noqa: DTZ001


def test_languages_are_called_by_their_own_names() -> None:
    assert [i18n.language_name(code, code) for code in i18n.LANGUAGES] == ["English", "Français", "Español", "العربية"]
    assert i18n.language_name("zh", "fr") == "Chinois"
