"""What the reference data must hold, and that its records agree with each other."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from shared.reference import champions as champions_module
from shared.reference.champions import Champion, Completeness, champion, champions, completeness
from shared.reference.countries import countries, footnotes, is_country
from shared.reference.guidance import guidance_theme, guidance_themes
from shared.reference.initiatives import initiative, initiatives
from shared.reference.keys import NAMESPACES, Record, find
from shared.reference.loader import UnknownCodeError, read
from shared.reference.objectives import objective, objectives
from shared.reference.pledge_kinds import pledge_kind, pledge_kinds
from shared.reference.principles import principle, principles
from shared.reference.regions import Scheme, region, regions
from shared.reference.thematic import PriorityKind, area, areas, priorities, priority
from shared.reference.titles import Mark, Titles
from shared.reference.ways import way, ways


def every_record() -> list[Record]:
    return [
        *objectives(),
        *principles(),
        *pledge_kinds(),
        *ways(),
        *regions(),
        *areas(),
        *priorities(),
        *guidance_themes(),
        *champions(),
        *initiatives(),
        *countries(),
    ]


def languages(titles: Sequence[Titles]) -> set[tuple[str, ...]]:
    return {title.languages for title in titles}


def test_there_are_23_objectives_with_short_and_long_titles() -> None:
    assert [record.n for record in objectives()] == list(range(1, 24))
    assert languages([record.short for record in objectives()]) == {("en", "fr", "es")}
    assert all({"en", "fr"} <= set(record.long.languages) for record in objectives())


def test_objective_titles_are_those_of_the_compact_and_the_hub() -> None:
    assert objective(23).short.in_("fr").text == "Coopération internationale"
    assert objective(8).long.in_("en").text == "Save lives and establish coordinated international efforts on missing migrants"


def test_an_official_title_that_is_missing_stays_missing() -> None:
    title = objective(9).long.in_("ar")
    assert (title.lang, title.dir) == ("en", "ltr")
    assert title.text == objective(9).long.in_("en").text


@pytest.mark.parametrize(("lang", "path"), [("en", "/taxonomy/term/301"), ("fr", "/fr/taxonomy/term/301"), ("ar", "/taxonomy/term/301")])
def test_an_objective_links_to_its_page_on_the_hub(lang: str, path: str) -> None:
    assert urlsplit(objective(23).hub_address(lang)).path == path


def test_an_inferred_hub_number_is_marked() -> None:
    assert "hub term inferred" in objective(23).provenance.unverified
    assert "hub term inferred" not in objective(22).provenance.unverified


def test_there_are_ten_principles_in_four_languages() -> None:
    assert len(principles()) == 10
    assert languages([record.title for record in principles()]) == {("en", "fr", "es", "zh")}


def test_objective_and_principle_of_the_same_name_have_different_keys() -> None:
    one, other = objective(23), principle("international-cooperation")
    assert one.short.in_("en").text == other.title.in_("en").text
    assert (one.key, other.key) == ("objective:23", "principle:international-cooperation")


def test_there_are_four_kinds_and_four_ways() -> None:
    assert [record.code for record in pledge_kinds()] == ["financial", "in-kind", "process", "policy"]
    assert [record.code for record in ways()] == ["individual", "common", "partnership", "matching"]
    assert languages([record.title for record in ways()]) == {("en", "fr", "es", "ar")}


def test_a_way_that_no_page_names_is_marked_as_ours() -> None:
    assert way("individual").title.mark_in("en") is Mark.NO
    assert way("matching").title.mark_in("en") is Mark.YES
    assert way("matching").title.mark_in("fr") is Mark.NO


def test_both_schemes_of_regions_are_held() -> None:
    assert len(regions()) == 11
    assert [record.commission for record in regions(Scheme.REVIEW)] == ["ECA", "ESCWA", "ESCAP", "ECE", "ECLAC"]
    assert [record.code for record in regions(Scheme.HUB)] == ["hub-africa", "hub-americas", "hub-asia", "hub-europe", "hub-oceania"]
    assert [record.code for record in regions(Scheme.ANY)] == ["global"]


def test_pseudo_values_of_the_hub_are_no_records() -> None:
    names = {record.short.in_("en").text for record in objectives()} | {record.title.in_("en").text for record in principles()}
    assert not names & {"General", "Global geographic scope", "Global"}
    assert "Global" not in {record.name.in_("en").text for record in countries()}


def test_there_are_five_areas_whose_objectives_are_not_made_up() -> None:
    assert [record.n for record in areas()] == [1, 2, 3, 4, 5]
    for record in areas():
        assert record.objectives == ()
        assert "objectives not seen" in record.provenance.unverified
        assert record.title.mark_in("fr") is Mark.YES
        assert record.title.mark_in("en") is Mark.NO


def test_there_are_17_priorities_of_three_kinds() -> None:
    kinds = [record.kind for record in priorities()]
    assert [kinds.count(kind) for kind in PriorityKind] == [6, 4, 7]
    assert sum(record.activities for record in priorities()) == 60
    assert sum(record.activities_with_deadline for record in priorities()) == 56


def test_areas_and_priorities_name_each_other() -> None:
    for record in areas():
        assert {priority(code).area for code in record.workplan_sections} == {record.n}
        named = {n for code in record.workplan_sections for n in priority(code).objectives}
        assert set(record.objectives_in_workplan) == named
    assert all(record.area in {None, *(area.n for area in areas())} for record in priorities())


def test_there_are_seven_guidance_themes() -> None:
    assert [record.code for record in guidance_themes()] == [
        "alternatives-to-detention",
        "regular-pathways",
        "bilateral-labour-agreements",
        "return-and-reintegration",
        "access-to-services",
        "discrimination",
        "covid-19",
    ]


def test_a_theme_without_a_page_says_what_is_missing() -> None:
    unsure = guidance_theme("discrimination")
    assert unsure.document is None
    assert unsure.provenance.unverified == ("title en no", "document not found")
    assert "not" in unsure.provenance.note or "neither" in unsure.provenance.note
    sure = guidance_theme("return-and-reintegration")
    assert sure.provenance.unverified == ()
    assert sure.document is not None
    assert urlsplit(sure.document.address).hostname == "migrationnetwork.un.org"


def test_themes_name_sections_and_objectives_that_exist() -> None:
    for record in guidance_themes():
        assert record.priority is None or priority(record.priority)
        assert all(objective(n) for n in record.objectives)


def test_there_are_31_champions_whose_countries_are_known() -> None:
    assert len(champions()) == len({record.country for record in champions()}) == 31
    assert all(is_country(record.country) for record in champions())


def test_champions_are_dated_and_marked() -> None:
    assert (champion("IQ").since, champion("IQ").seen, champion("IQ").verified) == ("2021-02", "2023-11", Mark.YES)
    assert champion("KH").seen is None
    assert champion("BD").provenance.unverified == ("champion second-hand", "since not known")


def test_the_list_of_champions_is_stated_to_be_incomplete() -> None:
    assert completeness() == Completeness(known=31, stated=33, stated_in="Overview of the Network’s support", stated_year=2023)
    assert not completeness().complete


def test_believed_champions_are_left_out() -> None:
    for country in ("ID", "NP", "PH", "UG"):
        with pytest.raises(UnknownCodeError, match="incomplete"):
            champion(country)


def test_a_list_with_every_stated_champion_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    many: tuple[Champion, ...] = (*champions(), *champions()[:2])
    monkeypatch.setattr(champions_module, "champions", lambda: many)
    assert champions_module.completeness().complete


def test_every_record_has_a_source() -> None:
    for provenance in [*(record.provenance for record in every_record()), *(footnote.provenance for footnote in footnotes())]:
        assert provenance.source.strip(), provenance


def test_every_text_has_letters_and_no_stray_space() -> None:
    files = ("objectives", "principles", "pledge-kinds", "ways", "regions", "thematic-areas", "thematic-priorities", "guidance-themes")
    for name in (*files, "champions", "initiatives", "countries", "footnotes"):
        for row in read(name):
            for column, cell in row.items():
                assert cell == cell.strip(), (name, column, cell)
                assert "�" not in cell, (name, column, cell)


def test_what_is_partly_verified_has_a_note_that_says_what_is_missing() -> None:
    for record in every_record():
        if any("partly" in part for part in record.provenance.unverified):
            assert record.provenance.note, record.key


def test_every_key_is_unique_and_finds_its_record() -> None:
    keys = [record.key for record in every_record()]
    assert len(keys) == len(set(keys))
    assert {key.partition(":")[0] for key in keys} == set(NAMESPACES)
    for record in every_record():
        assert find(record.key) is record


@pytest.mark.parametrize(
    "key",
    [
        "objective:0",
        "objective:24",
        "objective:+1",
        "objective:01",
        "objective:٣",
        "objective:²",
        "objective:",
        "principle:23",
        "country:TUR",
        "country:tr",
        "country:ZZ",
        "goal:1",
        "23",
        "",
    ],
)
def test_another_text_is_no_key(key: str) -> None:
    with pytest.raises(UnknownCodeError):
        find(key)


@pytest.mark.parametrize(
    ("look_up", "code"),
    [
        (principle, "General"),
        (pledge_kind, "money"),
        (way, ""),
        (region, "hub-global"),
        (priority, "core-2"),
        (guidance_theme, "x"),
        (initiative, "y"),
        (area, 6),
    ],
)
def test_an_unknown_code_is_named_in_the_error(look_up: object, code: object) -> None:
    assert callable(look_up)
    with pytest.raises(UnknownCodeError, match=repr(code)):
        look_up(code)
