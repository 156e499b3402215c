"""What the door takes: for each kind its type, its schema, a whole example, and senders that run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from services.intake.webhooks.problem import Problem, Reason
from services.intake.webhooks.snippets import Sample, curl, node, python
from shared.events.base import Audience
from shared.events.kinds import KINDS
from shared.events.kinds.parts import Submission

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Any moment will do: when something happened says nothing about when it is sent.
EXAMPLE_MOMENT = "2026-06-16T09:00:00Z"
PARTNER_PLACE = "YOUR-PARTNER-ID"
FORMS = tuple(KINDS)
"""Kinds that have a public form: all of them."""


@dataclass(frozen=True, kw_only=True)
class FieldEntry:
    """One field of a kind, as the catalogue's table shows it."""

    name: str
    title: str
    description: str
    required: bool
    audience: Audience


@dataclass(frozen=True, kw_only=True)
class KindEntry:
    """One kind."""

    kind: str
    type: str
    title: str
    description: str
    fields: tuple[FieldEntry, ...]
    schema: Mapping[str, Any]  # of a whole request body
    example: Mapping[str, Any]  # a whole request body
    has_form: bool


def body_of(model: type[Submission], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole request body around the data of a kind."""
    return {"type": model.type, "timestamp": EXAMPLE_MOMENT, "data": dict(data)}


def _schema(model: type[Submission]) -> dict[str, Any]:
    data = model.model_json_schema()
    definitions = data.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "title": model.type,
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": model.type},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, with its time zone (RFC 3339)."},
            "data": data,
        },
        "$defs": definitions,
    }


def _fields(model: type[Submission]) -> tuple[FieldEntry, ...]:
    return tuple(
        FieldEntry(
            name=name,
            title=(info := model.model_fields[name]).title or name,
            description=info.description or "",
            required=info.is_required(),
            audience=model.audience_of(name),
        )
        for name in model.fields_in_order()
    )


@cache
def entries() -> tuple[KindEntry, ...]:
    """Return every kind that the door takes."""
    return tuple(
        KindEntry(
            kind=kind,
            type=model.type,
            title=(model.__doc__ or "").partition(":")[0].rstrip("."),
            description=model.__doc__ or "",
            fields=_fields(model),
            schema=_schema(model),
            example=body_of(model, model.example),
            has_form=kind in FORMS,
        )
        for kind, model in KINDS.items()
    )


def document(public_url: str) -> dict[str, Any]:
    """Return the catalogue for programs."""
    return {
        "address": f"{public_url}/intake/webhooks/{{partner_id}}",
        "kinds": [
            {
                "type": entry.type,
                "kind": entry.kind,
                "description": entry.description,
                "schema": entry.schema,
                "example": entry.example,
                "form": f"{public_url}/intake/submit/{entry.kind}" if entry.has_form else None,
            }
            for entry in entries()
        ],
    }


def senders(entry: KindEntry, public_url: str) -> Sequence[tuple[str, str]]:
    """Return senders for a kind, each with the name of its language; they run once partner and secret are filled in."""
    sample = Sample(address=f"{public_url}/intake/webhooks/{PARTNER_PLACE}", example=entry.example)
    return (("curl", curl(sample)), ("Python", python(sample)), ("Node", node(sample)))


def answers() -> Sequence[tuple[Problem, Sequence[Reason]]]:
    """Return every refusal of the door with its reasons."""
    return [(problem, [reason for reason in Reason if reason.problem is problem]) for problem in Problem]
