"""Countries are kept by code and named as the United Nations names them."""

import re

import pytest

from shared.reference.countries import by_name, countries, country, footnotes_for, is_country
from shared.reference.loader import UnknownCodeError
from shared.reference.regions import Scheme, region, regions
from shared.reference.titles import LANGUAGES, Mark

ISO_COUNTRIES = 249

# Counts of members and associate members: ECA 54, ESCWA 21, ESCAP 53 and 9, ECE 56, ECLAC 46 and 14.
MEMBERS = {"africa": 54, "arab-states": 21, "asia-pacific": 62, "europe-north-america": 56, "latin-america-caribbean": 60}


def test_every_iso_country_and_kosovo_are_held_once() -> None:
    codes = [record.alpha2 for record in countries()]
    assert len(codes) == len(set(codes)) == ISO_COUNTRIES + 1
    assert codes == sorted(codes)
    assert len({record.alpha3 for record in countries()}) == ISO_COUNTRIES + 1


def test_codes_have_the_form_of_their_standards() -> None:
    for record in countries():
        assert re.fullmatch(r"[A-Z]{2}", record.alpha2), record.alpha2
        assert re.fullmatch(r"[A-Z]{3}", record.alpha3), record.alpha2
        assert record.m49 is None or re.fullmatch(r"[0-9]{3}", record.m49), record.alpha2
    numbers = [record.m49 for record in countries() if record.m49 is not None]
    assert len(numbers) == len(set(numbers)) == ISO_COUNTRIES - 1
    assert {record.alpha2 for record in countries() if record.m49 is None} == {"TW", "XK"}


@pytest.mark.parametrize(
    ("alpha2", "alpha3", "m49"), [("TR", "TUR", "792"), ("CI", "CIV", "384"), ("AF", "AFG", "004"), ("SS", "SSD", "728")]
)
def test_a_country_is_found_by_either_code(alpha2: str, alpha3: str, m49: str) -> None:
    assert country(alpha2) is country(alpha3)
    assert country(alpha2).m49 == m49


@pytest.mark.parametrize("code", ["", "tr", "ZZ", "QM", "AN", "Türkiye", "EU"])
def test_another_text_is_no_country(code: str) -> None:
    assert not is_country(code)
    with pytest.raises(UnknownCodeError):
        country(code)


def test_only_the_two_letter_code_is_the_form_that_is_kept() -> None:
    assert is_country("XK")
    assert not is_country("XKX")


@pytest.mark.parametrize(
    ("code", "lang", "name"),
    [
        ("BS", "en", "Bahamas, The"),
        ("BO", "en", "Bolivia (Plurinational State of)"),
        ("TR", "en", "Türkiye"),
        ("CI", "en", "Côte d’Ivoire"),
        ("GM", "en", "The Gambia"),
        ("TR", "fr", "Türkiye"),
        ("TR", "es", "Türkiye"),
        ("PS", "en", "State of Palestine"),
        ("CZ", "en", "Czechia"),
        ("MK", "en", "North Macedonia"),
        ("GB", "fr", "Royaume-Uni de Grande-Bretagne et d’Irlande du Nord"),
        ("VE", "es", "Venezuela (República Bolivariana de)"),
        ("KR", "ar", "جمهورية كوريا"),
        ("LA", "ru", "Лаосская Народно-Демократическая Республика"),
        ("TZ", "zh", "坦桑尼亚联合共和国"),
        ("HK", "en", "China, Hong Kong Special Administrative Region"),
        ("FK", "es", "Islas Malvinas (Falkland)"),
    ],
)
def test_names_follow_the_usage_of_the_united_nations(code: str, lang: str, name: str) -> None:
    assert country(code).name.in_(lang).text == name


def test_names_that_a_library_would_print_are_absent() -> None:
    names = {record.name.in_("en").text for record in countries()}
    assert not names & {"Taiwan, Province of China", "Palestine, State of", "Gambia", "Turkey", "Ivory Coast", "South Korea", "Swaziland"}


def test_every_country_has_a_name_in_every_language_but_for_two() -> None:
    missing = {
        record.alpha2: set(LANGUAGES) - set(record.name.languages) for record in countries() if len(record.name.languages) < len(LANGUAGES)
    }
    assert missing == {"TW": {"fr", "es", "ar", "ru", "zh"}, "UM": {"ar"}}


def test_a_missing_name_falls_back_to_english_and_says_so() -> None:
    name = country("UM").name.in_("ar")
    assert (name.text, name.lang, name.dir) == ("United States Minor Outlying Islands", "en", "ltr")


def test_names_are_written_in_the_script_of_their_language() -> None:
    scripts = {"ar": r"[؀-ۿ]", "ru": r"[а-яё]", "zh": r"[一-鿿]"}
    for record in countries():
        for lang, letters in scripts.items():
            if lang in record.name.languages:
                assert re.search(letters, record.name.in_(lang).text), (record.alpha2, lang)


def test_only_names_that_the_network_prints_count_as_reviewed() -> None:
    assert {record.alpha2 for record in countries() if record.reviewed_in} == {"BO", "BS", "CI", "GM", "TR"}
    assert country("TR").is_reviewed("en")
    assert not country("TR").is_reviewed("fr")
    assert country("TR").name.mark_in("en") is Mark.YES
    assert country("TR").name.mark_in("fr") is Mark.SECOND_HAND


def test_every_country_but_antarctica_lies_in_regions_that_exist() -> None:
    review = {record.code for record in regions(Scheme.REVIEW)}
    for record in countries():
        assert set(record.review_regions) <= review, record.alpha2
        assert record.review_regions[: len(record.home_regions)] == record.home_regions, record.alpha2
        if record.alpha2 == "AQ":
            assert (record.review_regions, record.hub_region) == ((), None)
            continue
        assert record.home_regions, record.alpha2
        assert record.hub_region is not None, record.alpha2
        assert region(record.hub_region).scheme is Scheme.HUB


@pytest.mark.parametrize(
    ("code", "home", "others"),
    [
        ("MA", ("africa", "arab-states"), ()),
        ("EG", ("africa", "arab-states"), ()),
        ("TR", ("europe-north-america", "asia-pacific"), ("latin-america-caribbean",)),
        ("CA", ("europe-north-america",), ("latin-america-caribbean",)),
        ("DE", ("europe-north-america",), ("latin-america-caribbean",)),
        ("KZ", ("europe-north-america", "asia-pacific"), ()),
        ("BR", ("latin-america-caribbean",), ()),
        ("XK", ("europe-north-america",), ()),
    ],
)
def test_a_country_may_belong_to_several_commissions(code: str, home: tuple[str, ...], others: tuple[str, ...]) -> None:
    found = country(code)
    assert found.home_regions == home
    assert found.review_regions == (*home, *others)


def test_each_commission_has_as_many_members_as_are_known() -> None:
    filed_by_place = {record.alpha2 for record in countries() if "filed by where it lies" in record.provenance.note}
    for code, members in MEMBERS.items():
        found = [record for record in countries() if code in record.review_regions and record.alpha2 not in filed_by_place]
        assert len(found) == members, code


def test_no_region_is_claimed_to_be_verified() -> None:
    assert all("regions no" in record.provenance.unverified for record in countries())


def test_naming_kosovo_brings_the_footnote() -> None:
    (footnote,) = footnotes_for(["AL", "XK"])
    assert footnotes_for(["XKX"]) == (footnote,)
    for lang in LANGUAGES:
        text = footnote.text.in_(lang)
        assert text.lang == lang
        assert "1244" in text.text
        assert "1999" in text.text
    assert footnote.text.in_("en").text == (
        "References to Kosovo shall be understood to be in the context of United Nations Security Council resolution 1244 (1999)."
    )


def test_only_the_english_footnote_was_read_at_its_source() -> None:
    (footnote,) = footnotes_for(["XK"])
    assert footnote.text.mark_in("en") is Mark.YES
    assert {footnote.text.mark_in(lang) for lang in LANGUAGES if lang != "en"} == {Mark.NO}


def test_other_countries_bring_no_footnote() -> None:
    assert footnotes_for(record.alpha2 for record in countries() if record.alpha2 != "XK") == ()


def test_an_unknown_code_among_the_countries_shown_is_an_error() -> None:
    with pytest.raises(UnknownCodeError):
        footnotes_for(["FR", "Kosovo"])


def test_a_list_to_choose_from_is_ordered_by_name_without_regard_to_accents() -> None:
    french = [record.name.in_("fr").text for record in by_name("fr")]
    assert len(french) == ISO_COUNTRIES + 1
    assert french.index("Égypte") < french.index("El Salvador") < french.index("Équateur") < french.index("Érythrée")
    assert french.index("Norvège") < french.index("Zambie")
    assert by_name("en")[1].name.in_("en").text == "Åland Islands"
