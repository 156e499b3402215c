"""The words that stand in issues and drafts: all of them in all six languages, though no page speaks Russian or Chinese."""

from datetime import date

import pytest

from shared import i18n
from shared.i18n import CONTENT_LANGUAGES, LANGUAGES
from tests.shared.test_i18n_keys import messages, places, sentences_of

OF_MAILS = ("newsletter.mail.", "source.", "when.", "social.draft.")
BEYOND = [language for language in CONTENT_LANGUAGES if language not in LANGUAGES]


def test_there_are_two_languages_that_only_content_has() -> None:
    assert BEYOND == ["ru", "zh"]


@pytest.mark.parametrize("language", BEYOND)
def test_words_of_mails_are_whole_and_nothing_else_is_there(language: str) -> None:
    english = {key: message for key, message in messages("en").items() if key.startswith(OF_MAILS)}
    own = messages(language)
    assert own.keys() == english.keys()
    for key, message in own.items():
        assert all(sentences_of(message)), key
        assert places(sentences_of(message)[0]) == places(sentences_of(english[key])[0]), key


@pytest.mark.parametrize("language", BEYOND)
def test_what_these_languages_lack_is_said_in_english_and_not_counted(language: str) -> None:
    counted = i18n.fallbacks.copy()
    assert i18n.look_up(language, "newsletter.mail.web")[1] == language
    assert i18n.look_up(language, "base.skip") == i18n.look_up("en", "base.skip")
    assert i18n.fallbacks == counted


def test_month_is_written_as_people_of_each_language_write_it() -> None:
    written = {language: i18n.month(date(2026, 11, 1), language) for language in CONTENT_LANGUAGES}
    assert written == {
        "en": "November 2026",
        "fr": "novembre 2026",
        "es": "noviembre de 2026",
        "ar": "نوفمبر 2026",
        "ru": "ноябрь 2026\u202fг.",
        "zh": "2026年11月",
    }
