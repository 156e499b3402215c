"""The words for the codes of the register, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from services.pledges.domain.filters import CODES
from shared import i18n
from shared.events.codes import SYNTHETIC_COUNTRIES
from shared.reference.regions import region
from shared.web import wording
from shared.web.pages import Sentence
from shared.web.wording import Option


def _due(code: str, reader: str) -> Sentence:
    text, found_in = i18n.look_up(reader, f"register.due.{code}")
    return Sentence(text, lang=found_in, reader=reader)


_TITLES: Mapping[str, Callable[[str, str], Sentence]] = {
    "objective": lambda code, reader: wording.objective_title(int(code), reader),
    "principle": wording.principle_title,
    "entity_type": wording.entity_type_title,
    "kind": wording.pledge_kind_title,
    "way": wording.pledge_way_title,
    "scope": wording.pledge_scope_title,
    "region": wording.region_title,
    "state": wording.pledge_state_title,
    "freshness": wording.pledge_freshness_title,
    "language": lambda code, reader: Sentence(i18n.language_name(code, reader), lang=reader, reader=reader),
    "due": _due,
    "due_year": lambda code, reader: Sentence(code, lang=reader, reader=reader),
}


def title_of(name: str, code: str, reader: str) -> Sentence:
    """Return the words for a value of a filter, which are those for the same fact of a pledge."""
    return _TITLES[name](code, reader)


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


def text_in(texts: Mapping[str, Any], language: str, reader: str) -> Sentence:
    """Return the text of one language as a reader of another sees it."""
    return Sentence(texts[language], lang=language, reader=reader)
