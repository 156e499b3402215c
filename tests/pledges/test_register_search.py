"""Words are found in any language, however they are written."""

import httpx
import pytest
from sqlalchemy import text

from services.pledges.domain.search import folded, tsquery_of
from tests.pledges.pledges_app import Register

TEXTS = {
    "fr": ("Filières régulières pour les travailleuses saisonnières", "L’État exemple ouvre des écoles d’été à Genève."),
    "es": ("Vías regulares para la niñez", "Protección consular en Ñuñoa."),
    "ar": ("إنهاء رسوم الاستقدام", "تُلغي الدولة رسوم الهجرة للعاملات والعمال في مدرسة القرية أو مستشفى المدينة ١٢٣."),
    "zh": ("终止移民招聘费用", "移民工人不再支付招聘费。"),
    "ru": ("Отмена сборов", "Ёлка и Жильё для мигрантов."),
}
FOUND = [
    ("without accents", "ecoles ete", "fr"),
    ("in capitals", "GENÈVE", "fr"),
    ("by a beginning", "saisonn", "fr"),
    ("words that stand apart", "saisonnieres geneve", "fr"),
    ("tilde aside", "ninez nunoa", "es"),
    ("alef without its hamza", "انهاء", "ar"),
    ("without the article", "هجرة", "ar"),
    ("with the article and another end", "الهجره", "ar"),
    ("with vowel signs", "تُلْغِي", "ar"),
    ("alef maksura as yeh", "مستشفي", "ar"),
    ("digits of either kind", "123", "ar"),
    ("two characters side by side", "移民", "zh"),
    ("a phrase in Chinese", "招聘费用", "zh"),
    ("Cyrillic in capitals", "ЖИЛЬЁ", "ru"),
    ("full-width letters", "ｎｉｎｅｚ", "es"),
]
LOST = [
    ("the characters in another order", "民移"),
    ("no such word", "xylophone"),
    ("one word of two", "geneve xylophone"),
]


async def _numbers(client: httpx.AsyncClient, q: str) -> list[str]:
    answer = await client.get("/pledges/api/v1/pledges", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [one["number"] for one in answer.json()["pledges"]]


async def test_words_are_found_however_they_are_written(register: Register, program: httpx.AsyncClient) -> None:
    made = {}
    for language, (title, description) in TEXTS.items():
        kept = await register.publish(language=language, title={language: title}, description={language: description}, entity="Body")
        made[language] = kept.number
    for what, q, language in FOUND:
        assert await _numbers(program, q) == [made[language]], what
    for what, q in LOST:
        assert await _numbers(program, q) == [], what


async def test_the_name_of_the_entity_and_translations_are_searched_too(register: Register, program: httpx.AsyncClient) -> None:
    one = await register.publish(entity="Zürich Office", title={"en": "One", "fr": "Crèches"}, description={"en": "x", "fr": "garderie"})
    await register.publish(entity="Other")
    for q in ("zurich", "creches", "garderie", "Zürich crèches"):
        assert await _numbers(program, q) == [one.number], q


@pytest.mark.parametrize(
    "written", [part for pair in TEXTS.values() for part in pair] + ["A_b-c.d/e@f “g” h’i — ١٢ ﬁ Å İ", "a\u200bb\u00adc"]
)
async def test_database_and_code_fold_alike(register: Register, written: str) -> None:
    asked = text("SELECT search_words('{}'::jsonb, '{}'::jsonb, :written)")
    async with register.database.transaction() as tx:
        kept = (await tx.execute(asked, {"written": written})).scalar_one()
        words = (await tx.execute(text("SELECT tsvector_to_array(CAST(:kept AS tsvector))"), {"kept": kept})).scalar_one()
    by_code = {part for word in folded(written).split() for part in (word if "\u4e00" <= word[0] <= "\u9fff" else [word])}
    assert set(words) == by_code


def test_nothing_that_a_reader_writes_is_an_operator() -> None:
    for nasty in ("a & b | !c", "'; DROP", "a:*b <-> c", "\\' OR", "((((", "移'民"):
        assert tsquery_of(nasty).count("(") == tsquery_of(nasty).count(")")
    assert tsquery_of("a'b:c") == "'a' & 'b' & 'c'"
