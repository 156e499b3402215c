"""The fields of a submission as reviewers read them: their titles, codes with their meaning, texts with their language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from shared import i18n
from shared.events.kinds import KINDS
from shared.events.times import When
from shared.web import wording
from shared.web.pages import Sentence, sentences
from shared.when import say

_WHEN: TypeAdapter[When] = TypeAdapter(When)


@dataclass(frozen=True, kw_only=True)
class Described:
    """A value as it is shown: one text, several values, or named ones."""

    text: str = ""
    address: str = ""  # set where the text is a web address
    items: Sequence["Described"] = ()
    members: Sequence[tuple[str, "Described"]] = field(default=())
    texts: Sequence[tuple[str, str]] = ()  # language and text


def describe(kind: str, fields: Mapping[str, Any], reader: str) -> Sequence[tuple[str, Described]]:
    """Return title and value of each field that holds something, in the order of the model."""
    model = KINDS[kind]
    named = [name for name in model.fields_in_order() if fields.get(name) not in (None, [], {})]
    return [(_titled(kind, name, reader), _described(name, fields[name], reader)) for name in named]


def _titled(kind: str, name: str, reader: str) -> str:
    if name == "language":
        return sentences(reader)("staff.review.written-in")  # the form's own words speak to who writes
    own = f"kind.{kind}.{name}"
    return sentences(reader)(own if i18n.knows(own) else f"kind.practice.{name}")  # what kinds share stands once, with the practice


def _described(name: str, value: Any, reader: str) -> Described:
    match value:
        case dict():
            return _described_whole(value, reader)
        case list():
            return Described(items=[_described(name, item, reader) for item in value])
        case str() if name != "label" and value.startswith(("https://", "http://")):
            return Described(text=value, address=value)
        case _:
            return Described(text=_meaning(name, value, reader))


def _described_whole(value: Mapping[str, Any], reader: str) -> Described:
    match value:
        case {"precision": str()}:
            return Described(text=Sentence(say(_WHEN.validate_python(value), reader), lang=reader, reader=reader))
        case {"address": str(address)}:
            return Described(text=value.get("label") or address, address=address)
        case _ if value and set(value) <= set(i18n.CONTENT_LANGUAGES):
            return Described(texts=[(code, value[code]) for code in i18n.CONTENT_LANGUAGES if code in value])
        case _:
            return Described(members=[(key, _described(key, member, reader)) for key, member in value.items()])


def _word(words: str) -> Callable[[str, str], str]:
    def of(code: str, reader: str) -> str:
        key = f"submit.word.{words}.{code}"
        return sentences(reader)(key) if i18n.knows(key) else code

    return of


def _kind(code: str, reader: str) -> str:
    """Return what a text or a date is; no word means both."""
    known = [key for key in (f"submit.word.news-kind.{code}", f"submit.word.date-kind.{code}") if i18n.knows(key)]
    return sentences(reader)(known[0]) if known else code


def _objective(code: str, reader: str) -> str:
    return wording.objective_title(int(code), reader)


_MEANINGS: Mapping[str, Callable[[str, str], str]] = {
    "language": i18n.language_name,
    "spoken": i18n.language_name,
    "objectives": _objective,
    "principles": wording.principle_title,
    "countries": wording.country_name,
    "regions": wording.region_title,
    "entity_type": wording.entity_type_title,
    "kinds": wording.pledge_kind_title,
    "way": wording.pledge_way_title,
    "scope": wording.pledge_scope_title,
    "level": _word("level"),
    "format": _word("format"),
    "networks": _word("network"),
    "kind": _kind,
}
"""What the codes of a field mean, in the reader's language."""


def _meaning(name: str, value: Any, reader: str) -> str:
    meaning = _MEANINGS.get(name)
    return meaning(str(value), reader) if meaning else str(value)
