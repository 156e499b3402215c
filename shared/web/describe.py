"""The fields of a submission as reviewers read them: their titles, codes with their meaning, texts with their language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared import i18n
from shared.events.kinds import KINDS
from shared.web import wording
from shared.web.pages import sentences


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
        case dict() if value and set(value) <= set(i18n.CONTENT_LANGUAGES):
            return Described(texts=[(code, value[code]) for code in i18n.CONTENT_LANGUAGES if code in value])
        case {"address": str(address)}:
            return Described(text=value.get("label") or address, address=address)
        case dict():
            return Described(members=[(key, _described(key, member, reader)) for key, member in value.items()])
        case list():
            return Described(items=[_described(name, item, reader) for item in value])
        case str() if name != "label" and value.startswith(("https://", "http://")):
            return Described(text=value, address=value)
        case _:
            return Described(text=_meaning(name, value, reader))


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
}
"""What the codes of a field mean, in the reader's language."""


def _meaning(name: str, value: Any, reader: str) -> str:
    meaning = _MEANINGS.get(name)
    return meaning(str(value), reader) if meaning else str(value)
