"""What the public pages of Talks and news have in common: the language they are read in, what they are about, filters of lists."""

from collections.abc import Mapping
from typing import Any

from shared import i18n
from shared.events.codes import OBJECTIVES
from shared.reference.countries import is_country
from shared.web import wording
from shared.web.pages import Sentence, localize

PAGES_MAX = 10_000  # further than anybody turns, and within what the database counts


def languages_of(fields: Mapping[str, Any], original: str, reader: str, wanted: str) -> Mapping[str, Any]:
    """Return in which language a record is shown: in `wanted` where it has it, else in the reader's, else in one that it has."""
    titles: Mapping[str, str] = fields["title"]
    language = wanted if wanted in titles else localize(titles, reader).lang
    return {
        "language": language,
        "title": Sentence(titles[language], lang=language, reader=reader),
        "titles": titles,
        "original": original,
        "is_fallback": language not in {reader, wanted},
        "is_translation": language != original,
        "others": [code for code in titles if code != language],
        "own_names": {code: i18n.language_name(code, code) for code in titles},
        "interface_languages": i18n.LANGUAGES,
    }


def subjects_of(fields: Mapping[str, Any], reader: str) -> Mapping[str, Any]:
    """Return what a record is about, each code with the words for it."""
    countries = list(fields.get("countries", ()))
    return {
        "countries": list(zip(countries, wording.named_countries(countries, reader), strict=True)),
        "footnotes": wording.footnotes(countries, reader),
        "regions": [(code, wording.region_title(code, reader)) for code in fields.get("regions", ())],
        "objectives": [(number, wording.objective_title(number, reader)) for number in fields.get("objectives", ())],
        "principles": [wording.principle_title(code, reader) for code in fields.get("principles", ())],
        "entity_type": wording.entity_type_title(fields["entity_type"], reader) if "entity_type" in fields else None,
    }


def one_of(words: Any, value: str) -> str | None:
    """Return `value` where it is one of a closed set of words; what makes no sense is passed over."""
    return value if value in {word.value for word in words} else None


def objective_in(value: str) -> int | None:
    """Return the number of an objective in a query, or None."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 2 and int(value) in OBJECTIVES else None


def country_in(value: str) -> str | None:
    """Return the code of a country in a query, or None."""
    return value if is_country(value) else None


def page_in(value: str) -> int:
    """Return the number of a page in a query, from 1."""
    return min(max(int(value), 1), PAGES_MAX) if value.isascii() and value.isdigit() and len(value) <= 5 else 1


def words_for(words: Any, key: str, reader: str) -> list[wording.Option]:
    """Return each of a closed set of words with its sentence under `key`."""
    return [(word.value, said(key, word.value, reader)) for word in words]


def said(key: str, code: str, reader: str) -> Sentence:
    """Return the sentence for a code under `key`."""
    text, lang = i18n.look_up(reader, f"{key}.{code}")
    return Sentence(text, lang=lang, reader=reader)
