"""The catalogue of events: rows for a page, docs/events.md and docs/asyncapi.json (`python -m shared.events.catalogue` writes both)."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.asyncapi import HEADERS, asyncapi_document, event_schemas, part_schemas, stored_sample, summary_of
from shared.events.base import version_of
from shared.events.codes import Service
from shared.events.registry import EVENT_TYPES, LISTENERS, NOT_YET_LISTENING, NOT_YET_TELLING, PARTITIONS, TELLERS, TOPICS_OF

_INTRODUCTION = f"""\
# Events

What the services tell each other. Written by `python -m shared.events.catalogue` from the models in `shared/events`; do not edit it here.
The same as an AsyncAPI 3.0 document: [asyncapi.json](asyncapi.json).

Each service tells on one topic, `<service>.v1`, with {PARTITIONS} partitions. The Kafka key is the id of what an event is about, so events
of one subject arrive in order. A type is accepted only from the topics of its tellers. A reader passes over types and fields that it does
not know. Events about a Talk, a pledge or a date say all of it each time, so that no reader needs the earlier ones. A correction is the
same type again with a higher revision.

*In italics:* agreed, not built yet.
"""

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A service that tells or hears an event type."""

    service: str
    built: bool  # whether it does so today


@dataclass(frozen=True, kw_only=True)
class CatalogueField:
    """A field of an event or of a part."""

    name: str
    type: str  # in words, such as "list of text"
    required: bool
    audience: str  # empty in a part, which has that of the field it stands in
    description: str


@dataclass(frozen=True, kw_only=True)
class CatalogueRow:
    """An event type as the catalogue shows it."""

    type: str
    title: str
    version: int
    summary: str
    description: str
    key: str  # word for what its subject is
    tellers: tuple[Role, ...]
    listeners: tuple[Role, ...]
    topics: tuple[str, ...]
    fields: tuple[CatalogueField, ...]
    sample: Mapping[str, Any]


def catalogue_rows() -> tuple[CatalogueRow, ...]:
    """Return all event types in the order of the registry."""
    schemas = event_schemas()
    return tuple(
        CatalogueRow(
            type=event_type,
            title=model.__name__,
            version=version_of(event_type),
            summary=summary_of(model),
            description=" ".join((model.__doc__ or "").split()),
            key=model.key,
            tellers=_roles(event_type, TELLERS, NOT_YET_TELLING),
            listeners=_roles(event_type, LISTENERS, NOT_YET_LISTENING),
            topics=tuple(sorted(TOPICS_OF[event_type])),
            fields=_fields(schemas[event_type]),
            sample=stored_sample(event_type),
        )
        for event_type, model in EVENT_TYPES.items()
    )


def _roles(event_type: str, table: Mapping[str, frozenset[Service]], not_yet: frozenset[tuple[str, Service]]) -> tuple[Role, ...]:
    return tuple(Role(service=service, built=(event_type, service) not in not_yet) for service in Service if service in table[event_type])


def _fields(schema: Mapping[str, Any]) -> tuple[CatalogueField, ...]:
    required = schema.get("required", ())
    return tuple(
        CatalogueField(
            name=name,
            type=_type_in_words(field),
            required=name in required,
            audience=field.get("x-audience", ""),
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    )


_ANY = "any JSON value"
_WORDS = {"string": "text", "integer": "number", "boolean": "yes or no", "date": "day", "date-time": "time", "uri": "web address"}


def _type_in_words(schema: Mapping[str, Any]) -> str:
    """Return what a value is, short enough for a table."""
    if "$ref" in schema:
        return _ANY if schema["$ref"].endswith("/JsonValue") else str(schema["$ref"]).rpartition("/")[2]
    if branches := schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join("nothing" if branch.get("type") == "null" else _type_in_words(branch) for branch in branches)
    if words := schema.get("enum") or [schema[name] for name in ("const",) if name in schema]:
        return " ".join(f"`{word}`" for word in words)
    if schema.get("type") == "array":
        return f"list of {_type_in_words(schema['items'])}"
    if schema.get("type") == "object":
        return _mapping_in_words(schema)
    return _WORDS.get(schema.get("format", ""), _WORDS.get(schema.get("type", ""), _ANY))


def _mapping_in_words(schema: Mapping[str, Any]) -> str:
    if "en" in schema.get("propertyNames", {}).get("enum", ()):
        return "text per language"
    values = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    return f"mapping to {' or '.join(_type_in_words(value) for value in values if isinstance(value, dict)) or _ANY}"


def catalogue_text() -> str:
    """Return docs/events.md."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    rows = catalogue_rows()
    yield from (
        _INTRODUCTION,
        "| type | what happened | teller | key | listeners |",
        "|---|---|---|---|---|",
    )
    for row in rows:
        anchor = row.type.replace(".", "")
        yield f"| [`{row.type}`](#{anchor}) | {row.summary} | {_names(row.tellers)} | {row.key} | {_names(row.listeners)} |"
    yield from (
        "",
        "## Headers",
        "",
        "CloudEvents 1.0 in Kafka's binary content mode, as UTF-8. The value is the JSON of the fields below.",
        "",
    )
    yield from ("| header | what |", "|---|---|")
    for name, header in HEADERS.items():
        yield f"| `{name}` | {_cell(header['description'])} |"
    for row in rows:
        yield from ("", f"## {row.type}", "", row.description, "", "| field | type | audience | what |", "|---|---|---|---|")
        for field in row.fields:
            yield f"| `{field.name}` | {_type_cell(field)} | {field.audience} | {_cell(field.description)} |"
        yield from ("", "```json", json.dumps(row.sample, ensure_ascii=False, indent=2), "```")
    yield from ("", "# Parts", "", "Values and closed sets of words that events are made of.")
    for name, schema in sorted(part_schemas().items()):
        if name == "JsonValue":
            continue
        yield from ("", f"## {name}", "", " ".join(schema.get("description", "").split()), "")
        if "enum" in schema:
            yield " ".join(f"`{word}`" for word in schema["enum"])
            continue
        yield from ("| field | type | what |", "|---|---|---|")
        for field in _fields(schema):
            yield f"| `{field.name}` | {_type_cell(field)} | {_cell(field.description)} |"


def _names(roles: tuple[Role, ...]) -> str:
    return ", ".join(role.service if role.built else f"*{role.service}*" for role in roles)


def _type_cell(field: CatalogueField) -> str:
    return _cell(field.type if field.required else f"{field.type}; may be left out")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def asyncapi_text() -> str:
    """Return docs/asyncapi.json."""
    return json.dumps(asyncapi_document(), ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write both files."""
    DOCS.mkdir(exist_ok=True)
    for name, text in (("events.md", catalogue_text()), ("asyncapi.json", asyncapi_text())):
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stderr.write(f"docs/{name} written\n")


if __name__ == "__main__":
    main()
