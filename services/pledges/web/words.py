"""The words for the codes of the register, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from services.pledges.domain.filters import CODES
from shared import i18n
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.reference.pledge_kinds import pledge_kind
from shared.reference.regions import region
from shared.reference.titles import Title
from shared.reference.ways import way
from shared.web import wording
from shared.web.pages import Sentence
from shared.web.wording import Option


def title_of(name: str, code: str, reader: str) -> Sentence:
    """Return the words for a value of a filter, which are those for the same fact of a pledge."""
    if name == "objective":
        return wording.objective_title(int(code), reader)
    if name == "principle":
        return wording.principle_title(code, reader)
    if name == "entity_type":
        return wording.entity_type_title(code, reader)
    if name == "kind":
        return _said(pledge_kind(code).title.in_(reader), reader)
    if name == "way":
        return _said(way(code).title.in_(reader), reader)
    if name == "region":
        return _said(region(code).title.in_(reader), reader)
    if name == "language":
        return Sentence(i18n.language_name(code, reader), lang=reader, reader=reader)
    if name == "due_year":
        return Sentence(code, lang=reader, reader=reader)
    text, found_in = i18n.look_up(reader, f"register.{name}.{code}")
    return Sentence(text, lang=found_in, reader=reader)


def options(name: str, reader: str) -> Sequence[Option]:
    """Return the values of a filter that has a closed set of them, with their words."""
    return [(code, title_of(name, code, reader)) for code in CODES[name]]


def commission(code: str) -> str:
    """Return the short name of a review region: that of its Regional Commission, which is the same in every language."""
    return region(code).commission or code


def countries(codes: Sequence[str], entity: str, reader: str) -> Sequence[Sentence | Markup]:
    """Return the names of the countries that a pledge is about; a code of sample data stands for the entity itself."""
    return [as_written(entity) if code in SYNTHETIC_COUNTRIES else wording.country_name(code, reader) for code in codes]


def country_options(codes: Sequence[str], invented: Mapping[str, str], reader: str) -> Sequence[Option]:
    """Return countries to choose from; those of sample data by the names of their entities."""
    real = wording.country_options(reader, [code for code in codes if code not in SYNTHETIC_COUNTRIES])
    made_up = sorted((name, code) for code, name in invented.items() if code in codes)
    return [*real, *((code, Sentence(name, lang=reader, reader=reader)) for name, code in made_up)]


def as_written(text: str) -> Markup:
    """Return a name that somebody wrote in whatever language, marked as such."""
    return Markup('<span lang="" dir="auto">{}</span>').format(text)


def _said(title: Title, reader: str) -> Sentence:
    return Sentence(title.text, lang=title.lang, reader=reader)


def text_in(texts: Mapping[str, Any], language: str, reader: str) -> Sentence:
    """Return the text of one language as a reader of another sees it."""
    return Sentence(texts[language], lang=language, reader=reader)
