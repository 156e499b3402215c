"""A title says in which language it really is, so that a page can say so too."""

import pytest

from shared.reference.titles import LANGUAGES, Mark, Title, Titles, Wording, direction_of


def titles(**texts: str) -> Titles:
    return Titles(wordings=tuple(Wording(lang=lang, text=text, mark=Mark.YES) for lang, text in texts.items()))


def test_a_title_is_given_in_the_language_asked() -> None:
    assert titles(en="Data", fr="Données").in_("fr") == Title(text="Données", lang="fr", dir="ltr")


def test_a_missing_language_gives_english_and_says_so() -> None:
    assert titles(en="Data", fr="Données").in_("ar") == Title(text="Data", lang="en", dir="ltr")


def test_arabic_runs_from_right_to_left() -> None:
    assert titles(en="Individual pledge", ar="تعهد فردي").in_("ar") == Title(text="تعهد فردي", lang="ar", dir="rtl")
    assert {lang for lang in LANGUAGES if direction_of(lang) == "rtl"} == {"ar"}


@pytest.mark.parametrize("tag", ["fr-CH", "FR", "fr_CA"])
def test_a_tag_with_a_country_gives_its_language(tag: str) -> None:
    assert titles(en="Data", fr="Données").in_(tag).lang == "fr"


@pytest.mark.parametrize("tag", ["", "de", "*", "x-klingon"])
def test_a_tag_of_no_language_of_ours_gives_english(tag: str) -> None:
    assert titles(en="Data", fr="Données").in_(tag).lang == "en"


@pytest.mark.parametrize(
    ("texts", "fault"),
    [({"fr": "Données"}, "no English"), ({"en": "Data", "de": "Daten"}, "unknown languages"), ({}, "no English")],
)
def test_a_title_that_cannot_fall_back_is_refused(texts: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        titles(**texts)


def test_a_language_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Titles(wordings=(Wording(lang="en", text="a", mark=Mark.YES), Wording(lang="en", text="b", mark=Mark.NO)))


def test_what_nobody_read_at_its_source_is_named() -> None:
    mixed = Titles(
        wordings=(
            Wording(lang="en", text="Data", mark=Mark.YES),
            Wording(lang="fr", text="Données", mark=Mark.SECOND_HAND),
            Wording(lang="es", text="Datos", mark=Mark.NO),
        )
    )
    assert mixed.unverified == ("fr second-hand", "es no")
    assert mixed.mark_in("fr") is Mark.SECOND_HAND
    assert mixed.mark_in("ar") is None
