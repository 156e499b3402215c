"""Every kind that can be submitted comes through the door whole, and what is wrong with it is told without repeating it."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.webhooks.envelope import Envelope, read
from services.intake.webhooks.problem import message_keys, refuse_schema
from shared.events.kinds import KINDS_BY_TYPE
from shared.events.kinds.faults import FaultCode, fault_key, of_validation
from tests.intake.webhook_sender import NOW, body_of, everything_said, signed, verified

TYPES = sorted(KINDS_BY_TYPE)
PERSON = "jane.doe@example.org"


@pytest.mark.parametrize("kind", TYPES)
def test_the_example_of_a_kind_comes_through_as_it_is(kind: str) -> None:
    model = KINDS_BY_TYPE[kind]
    body = body_of({"type": kind, "timestamp": NOW.isoformat(), "data": dict(model.example)})
    headers = signed(body)
    envelope = read(headers=headers, body=body, verified=verified(headers, body))
    assert isinstance(envelope, Envelope), envelope
    assert (envelope.type, envelope.data, envelope.unread) == (kind, dict(model.example), ())
    assert model.model_validate(envelope.data) == model.model_validate(dict(model.example))


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a value, its own first."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from places(member, (*path, name))


def replaced(data: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    data = copy.deepcopy(data)
    here: Any = data
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return data


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("nonsense", [PERSON, {PERSON: PERSON}, [PERSON], None, -1.5, True, PERSON * 1000], ids=str)
def test_nonsense_at_any_place_is_told_by_place_and_sentence_and_never_repeated(kind: str, nonsense: object) -> None:
    model = KINDS_BY_TYPE[kind]
    example = copy.deepcopy(dict(model.example))
    told = 0
    for path in places(example):
        if not path:
            continue
        data = replaced(example, path, nonsense)
        try:
            model.model_validate(data)
        except ValidationError as error:
            faults = of_validation(error.errors(), data)
            refusal = refuse_schema(faults)
            assert faults
            assert all(fault_key(fault.code) in message_keys() for fault in faults)
            assert "jane.doe@" not in everything_said(refusal)
            assert len(everything_said(refusal)) < 10_000
            told += 1
    assert told


@pytest.mark.parametrize("kind", TYPES)
def test_a_kind_without_its_contact_is_refused_by_that_name(kind: str) -> None:
    model = KINDS_BY_TYPE[kind]
    data = {name: value for name, value in model.example.items() if name != "contact"}
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    [missing] = of_validation(caught.value.errors(), data)
    assert (missing.pointer, missing.code) == ("/data/contact", FaultCode.MISSING.value)
