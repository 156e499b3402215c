"""A form made from the model of a kind: which fields it has, and how what was filled in becomes the model's values.

Without JavaScript: what may come several times has a row more than is filled in, and a button that asks for another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import ValidationError

from services.intake.kinds.form_when import days_value, when_field, when_value
from shared.events.base import Audience, Public
from shared.events.codes import COUNTRIES, CURRENCIES, LANGUAGES
from shared.events.kinds.parts import Submission
from shared.web.forms import Fault, faults_of

LONG_LINE = 300  # up to so many characters one line is offered, and several above
Posted = Mapping[str, Sequence[str]]
"""What a browser sent: every value of every name, in order."""


class Widget(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"  # several lines
    ADDRESS = "address"  # of the web
    MAIL = "mail"
    CHOICE = "choice"  # one of `options`
    BOXES = "boxes"  # several of `options`, all in sight
    CODES = "codes"  # several of many `options`, one row each
    TEXTS = "texts"  # one text per language
    LINES = "lines"  # several lines of text, each one entry
    DAY = "day"
    WHEN = "when"  # a moment, days or a period: `options` are the ways to say it
    DAYS = "days"  # the first day and the last
    GROUP = "group"  # one thing made of `parts`
    ROWS = "rows"  # several things made of `parts`


_COUNTRY_PATTERN = "^[A-Z]{2}$"
_CURRENCY_PATTERN = "^[A-Z]{3}$"
_OBJECTIVES = tuple(str(number) for number in range(1, 24))
_OTHERS: Mapping[str, tuple[str, ...]] = {"population": ("migrants", "refugees")}
"""What stands beside the one value that a field takes, so that a wrong answer can be given, and be explained."""
ASKED_WHERE: Mapping[str, tuple[str, str]] = {
    "money": ("kinds", "financial"),
    "matched_id": ("way", "matching"),
    "matched_title": ("way", "matching"),
}
"""Fields that are asked for only where another field has a value; browsers that cannot hide them show them all."""


@dataclass(frozen=True, kw_only=True)
class FormField:
    """One field of a form."""

    name: str  # as the model has it, with the names of what it is part of: `contact.mail`; of a row, without them
    widget: Widget
    required: bool
    audience: Audience = Public
    min_length: int = 0  # characters, where more than a few are wanted
    max_length: int = 0  # characters; 0 where nothing limits them
    max_rows: int = 0  # of rows and codes
    options: tuple[str, ...] = ()
    parts: tuple["FormField", ...] = ()

    @property
    def long(self) -> bool:
        """Whether its text needs several lines; an address has one, however long."""
        return self.max_length > LONG_LINE and self.widget is not Widget.ADDRESS


@cache
def fields_of(model: type[Submission]) -> tuple[FormField, ...]:
    """Return the fields of a kind's form in their order; raises TypeError for a field that no widget fits."""
    schema = model.model_json_schema()
    return tuple(
        replace(_field(name, part, name in schema["required"], schema["$defs"]), audience=model.audience_of(name))
        for name, part in schema["properties"].items()
    )


def _field(name: str, schema: Mapping[str, Any], required: bool, definitions: Mapping[str, Any]) -> FormField:
    inner = _resolved(schema, definitions)
    field = FormField(name=name, widget=Widget.LINE, required=required, max_length=inner.get("maxLength", 0))
    changes: Mapping[str, Any]
    match inner:
        case {"enum": words}:
            changes = {"widget": Widget.CHOICE, "options": tuple(words)}
        case {"const": word}:
            changes = {"widget": Widget.CHOICE, "options": _OTHERS.get(name, (word,))}
        case {"discriminator": {"propertyName": "precision"}, "oneOf": list(branches)}:
            changes = {"widget": Widget.WHEN, "options": _ways_to_say(branches)}
        case {"type": "object", "additionalProperties": dict(text)}:
            lengths = {"min_length": text.get("minLength", 0), "max_length": text.get("maxLength", 0)}
            changes = {"widget": Widget.TEXTS, "options": LANGUAGES, **lengths}
        case {"type": "object", "properties": {"precision": {"const": "day"}}}:
            changes = {"widget": Widget.DAYS}
        case {"type": "object", "properties": dict()}:
            changes = {"widget": Widget.GROUP, "parts": _parts(inner, definitions, f"{name}.")}
        case {"type": "array", "items": dict(items)}:
            changes = _several(name, inner, _resolved(items, definitions))
        case {"type": "string"}:
            changes = _written(inner, field)
        case _:
            raise TypeError(f"no widget fits the field {name}: {inner}")
    return replace(field, **changes)


def _ways_to_say(branches: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    ways = {"TimeWithZone": "time", "Days": "day", "ApproximateDate": "rough"}
    return tuple(ways[branch["$ref"].rpartition("/")[2]] for branch in branches)


def _written(schema: Mapping[str, Any], field: FormField) -> Mapping[str, Any]:
    if schema.get("pattern") == _CURRENCY_PATTERN:
        return {"widget": Widget.CHOICE, "options": tuple(sorted(CURRENCIES))}
    by_format = {"uri": Widget.ADDRESS, "email": Widget.MAIL, "date": Widget.DAY}
    return {"widget": by_format.get(schema.get("format", ""), Widget.TEXT if field.long else Widget.LINE)}


def _several(name: str, schema: Mapping[str, Any], items: Mapping[str, Any]) -> Mapping[str, Any]:
    match items:
        case {"enum": words}:
            return {"widget": Widget.BOXES, "options": tuple(words)}
        case {"type": "integer", "maximum": 23}:
            return {"widget": Widget.BOXES, "options": _OBJECTIVES}
        case {"pattern": pattern} if pattern == _COUNTRY_PATTERN:
            return {"widget": Widget.CODES, "options": tuple(sorted(COUNTRIES)), "max_rows": len(COUNTRIES)}
        case {"type": "object"}:
            return {"widget": Widget.ROWS, "parts": _parts(items, {}), "max_rows": schema["maxItems"]}
        case {"type": "string"}:
            return {"widget": Widget.LINES, "max_rows": schema["maxItems"]}
        case _:
            raise TypeError(f"no widget fits several of {items} in {name}")


def _parts(schema: Mapping[str, Any], definitions: Mapping[str, Any], within: str = "") -> tuple[FormField, ...]:
    required = schema.get("required", ())
    return tuple(_field(f"{within}{name}", part, name in required, definitions) for name, part in schema["properties"].items())


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and pass over the "or nothing" of an optional field."""
    if "anyOf" in schema:
        schema = next(branch for branch in schema["anyOf"] if branch.get("type") != "null")
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


# ---- what was filled in ----


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What somebody filled in, read by the fields of the form; the same for asking the model and for showing it again."""

    fields: Sequence[FormField]
    posted: Posted
    language: str  # the one that the sender writes in

    def values(self) -> dict[str, Any]:
        """Return the values for the model; what was left empty is left out, so that the model says what is missing."""
        # A group that is needed stays even when it is empty, so that what is missing is told of its parts.
        values = {field.name: value for field in self.fields if (value := self._value(field)) or _is_needed_group(field)}
        return values | {"language": self.language}

    def _value(self, field: FormField) -> Any:
        match field.widget:
            case Widget.BOXES | Widget.CODES:
                value: Any = self.several(field.name)
            case Widget.LINES:
                value = list(dict.fromkeys(line.strip() for line in self.one(field.name).splitlines() if line.strip()))
            case Widget.TEXTS:
                value = self._texts(field)
            case Widget.WHEN:
                value = when_value(self.one, field.name)
            case Widget.DAYS:
                value = days_value(self.one, field.name)
            case Widget.GROUP:
                value = {part.name.rpartition(".")[2]: given for part in field.parts if (given := self._value(part))}
            case Widget.ROWS:
                value = self.rows(field)
            case _:
                value = self.one(field.name)
        return value

    def one(self, name: str) -> str:
        """Return the value under a name, empty where there is none."""
        return next((value.strip() for value in self.posted.get(name, ()) if value.strip()), "")

    def several(self, name: str) -> list[str]:
        """Return the values under a name, each once."""
        return list(dict.fromkeys(value.strip() for value in self.posted.get(name, ()) if value.strip()))

    def rows(self, field: FormField) -> list[dict[str, str]]:
        """Return the rows of a field that have something in them."""
        rows = (self._row(field, row) for row in range(field.max_rows))
        return [row for row in rows if row]

    def _row(self, field: FormField, row: int) -> dict[str, str]:
        return {part.name: value for part in field.parts if (value := self.one(f"{field.name}.{row}.{part.name}"))}

    def _texts(self, field: FormField) -> dict[str, str]:
        # The plain name is the sender's own language, whichever that is; it may also have been written among the translations.
        texts = {self.language: self.one(field.name)} | {
            code: text
            for code in field.options
            if (text := self.one(f"{field.name}.{code}")) and not (code == self.language and self.one(field.name))
        }
        return {code: text for code, text in texts.items() if text}

    def faults(self, error: ValidationError | None) -> tuple[Fault, ...]:
        """Return what is wrong, under the names that the fields have in the form, in the words that the door uses too."""
        found = [*self._written_twice(), *(self._as_in_form(fault) for fault in (faults_of(error) if error else ()))]
        # One field of a date may stand for several of the model, all of them wrong for the same reason.
        dates = tuple(f"{field.name}." for field in self.fields if field.widget is Widget.WHEN)
        told = {(fault.field, "" if fault.field.startswith(dates) else fault.code): fault for fault in reversed(found)}
        found = list(told.values())[::-1]
        places = {field.name: place for place, field in enumerate(self.fields)}
        return tuple(sorted(found, key=lambda fault: places.get(fault.field.partition(".")[0], 0)))

    def _written_twice(self) -> Iterator[Fault]:
        for field in every_part(self.fields):
            name = f"{field.name}.{self.language}"
            if field.widget is Widget.TEXTS and self.one(field.name) and self.one(name) not in {"", self.one(field.name)}:
                yield Fault(field=name, pointer="", part="body", code="written-twice", key="fault.written-twice", params={})

    def _as_in_form(self, fault: Fault) -> Fault:
        for field in every_part(self.fields):
            if fault.field != field.name and not fault.field.startswith(f"{field.name}."):
                continue
            rest = fault.field.removeprefix(field.name).removeprefix(".")
            if field.widget is Widget.TEXTS and rest == self.language:
                return replace(fault, field=field.name)
            if field.widget is Widget.WHEN:
                return replace(fault, field=when_field(self.one, field.name, rest))
            if field.widget is Widget.LINES:
                return replace(fault, field=field.name)
        return fault


def every_part(fields: Sequence[FormField]) -> Iterator[FormField]:
    """Give the fields, and those that groups are made of."""
    for field in fields:
        yield field
        if field.widget is Widget.GROUP:
            yield from every_part(field.parts)


def _is_needed_group(field: FormField) -> bool:
    return field.widget is Widget.GROUP and field.required
