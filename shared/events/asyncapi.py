"""The published language as an AsyncAPI 3.0 document: a channel per topic, a message per event type, operations per service.

Made by ourselves, because a document drawn from the running subscribers shows neither headers nor the payload of one event: those
subscribers take batches, and decode each record themselves.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.events.base import EventData, version_of
from shared.events.codes import Service
from shared.events.registry import EVENT_TYPES, LISTENERS, NOT_YET_LISTENING, NOT_YET_TELLING, PARTITIONS, TELLERS, topic_of

Document = dict[str, Any]

_SAMPLES = Path(__file__).parent / "samples"
_DESCRIPTION = (
    "CloudEvents 1.0 in Kafka's binary content mode. One topic per telling service, several types in it, keyed by what an event is about. "
    "Names are facts in the past tense with a version. A reader passes over types and fields that it does not know. Every field is public "
    "or internal (`x-audience`). `x-not-built-yet` names what is agreed but not told or heard today."
)
_KAFKA = {"bindingVersion": "0.5.0"}

# What travels beside the data of every event (CloudEvents 1.0, Kafka protocol binding, binary content mode).
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ce_specversion": {"type": "string", "const": "1.0", "description": "Version of CloudEvents."},
    "ce_id": {"type": "string", "format": "uuid", "description": "Id of this event; a repeat has the same."},
    "ce_source": {"type": "string", "enum": [f"/{service}" for service in Service], "description": "The service that tells it."},
    "ce_type": {"type": "string", "enum": list(EVENT_TYPES), "description": "What happened, with its version."},
    "ce_subject": {"type": "string", "minLength": 1, "description": "Id of what it is about; also the Kafka key, so that order is kept."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it happened, UTC."},
    "ce_cause": {"type": "string", "description": "Id of the event, or receipt of the request, that it came from."},
    "ce_revision": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "1 when first told; higher in each correction."},
    "ce_historic": {
        "type": "string",
        "const": "true",
        "description": "Only on imports of the past: registers and calendar take them; drafts, pool, milestones, notices do not.",
    },
    "content-type": {"type": "string", "const": "application/json", "description": "Of the value."},
    "traceparent": {"type": "string", "description": "W3C Trace Context: one trace from the door through every service."},
}
OPTIONAL_HEADERS = frozenset({"ce_historic"})


def stored_sample(event_type: str) -> Document:
    """Return the stored example of an event type."""
    return cast("Document", json.loads((_SAMPLES / f"{event_type}.json").read_text(encoding="utf-8")))


@cache
def _models() -> tuple[Mapping[str, str], Mapping[str, Any]]:
    models: list[tuple[type[BaseModel], str]] = [(model, "validation") for model in EVENT_TYPES.values()]
    references, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    names = {
        model.type: reference["$ref"].rpartition("/")[2] for (model, _), reference in references.items() if issubclass(model, EventData)
    }
    return names, {name: _plain(schema) for name, schema in definitions["$defs"].items()}


def _plain(schema: Any) -> Any:
    """Return a schema that means the same to readers of JSON Schema draft 7, which AsyncAPI builds on."""
    if isinstance(schema, list):
        return [_plain(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    # OpenAPI's discriminator is an object, AsyncAPI's a string of other meaning; the constants in the branches say enough.
    plain = {name: _plain(value) for name, value in schema.items() if name != "discriminator"}
    if "$ref" in plain and len(plain) > 1:
        # Draft 7 passes over whatever stands beside a reference.
        plain = {"allOf": [{"$ref": plain.pop("$ref")}], **plain}
    return plain


def event_schemas() -> Mapping[str, Document]:
    """Return the JSON Schema of each event type's data; references lead to `#/components/schemas/`."""
    names, schemas = _models()
    return {event_type: schemas[names[event_type]] for event_type in EVENT_TYPES}


def part_schemas() -> Mapping[str, Document]:
    """Return the JSON Schema of each part and closed set of words that events are made of, by name."""
    names, schemas = _models()
    return {name: schema for name, schema in schemas.items() if name not in names.values()}


def asyncapi_document() -> Document:
    """Return the AsyncAPI 3.0 document of the whole published language; what is agreed but not built yet is marked in it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidings: the events between its services",
            "version": "1",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {service.value: _channel(service) for service in Service},
        "operations": dict(_operations()),
        "components": {
            "schemas": {"EventHeaders": _headers(), **_models()[1]},
            "messages": {event_type: _message(model) for event_type, model in EVENT_TYPES.items()},
        },
    }


def _channel(service: Service) -> Document:
    told = [event_type for event_type in EVENT_TYPES if service in TELLERS[event_type]]
    return {
        "address": topic_of(service),
        "description": f"What {service} tells.",
        "messages": {event_type: {"$ref": f"#/components/messages/{event_type}"} for event_type in told},
        "bindings": {"kafka": {"topic": topic_of(service), "partitions": PARTITIONS, **_KAFKA}},
    }


def _operations() -> list[tuple[str, Document]]:
    operations = []
    for service in Service:
        told = [event_type for event_type in EVENT_TYPES if service in TELLERS[event_type]]
        operations.append((f"{service}.tells", _operation("send", service, service, told, NOT_YET_TELLING)))
        for teller in Service:
            heard = [event_type for event_type in EVENT_TYPES if service in LISTENERS[event_type] and teller in TELLERS[event_type]]
            if heard:
                operations.append((f"{service}.hears.{teller}", _operation("receive", service, teller, heard, NOT_YET_LISTENING)))
    return operations


def _operation(
    action: str, service: Service, channel: Service, event_types: list[str], not_yet: frozenset[tuple[str, Service]]
) -> Document:
    operation: Document = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"{service} tells what happened in it." if action == "send" else f"{service} listens to {channel}.",
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event_type}"} for event_type in event_types],
    }
    if action == "receive":
        operation["bindings"] = {"kafka": {"groupId": {"type": "string", "const": f"tidings.{service}"}, **_KAFKA}}
    if missing := [event_type for event_type in event_types if (event_type, service) in not_yet]:
        operation["x-not-built-yet"] = missing
    return operation


def _headers() -> Document:
    return {
        "type": "object",
        "description": "What travels beside the data of every event, as UTF-8.",
        "properties": {name: dict(schema) for name, schema in HEADERS.items()},
        "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
    }


def _message(model: type[EventData]) -> Document:
    return {
        "name": model.type,
        "title": model.__name__,
        "summary": summary_of(model),
        "contentType": "application/json",
        "correlationId": {"description": "One trace for one thing.", "location": "$message.header#/traceparent"},
        "headers": {
            "allOf": [{"$ref": "#/components/schemas/EventHeaders"}],
            "type": "object",
            "properties": {
                "ce_type": {"type": "string", "const": model.type},
                "ce_source": {"type": "string", "enum": [f"/{teller}" for teller in Service if teller in model.tellers]},
            },
        },
        "payload": {"$ref": f"#/components/schemas/{_models()[0][model.type]}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": f"Id of the {model.key}."}, **_KAFKA}},
        "examples": [{"name": "sample", "payload": stored_sample(model.type)}],
        "x-version": version_of(model.type),
        "x-audience": str(model.audience),
    }


def summary_of(model: type[EventData]) -> str:
    """Return the first sentence of what an event says of itself."""
    return (model.__doc__ or "").strip().partition(". ")[0].partition(".\n")[0].rstrip(".") + "."
