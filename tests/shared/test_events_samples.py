"""What was told once stays readable: each version has a stored sample, and today's models read it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import shared.events
from shared.events.asyncapi import stored_sample
from shared.events.base import EventData
from shared.events.registry import EVENT_TYPES

SAMPLES = Path(shared.events.__file__).parent / "samples"

EVERY_TYPE = pytest.mark.parametrize("model", EVENT_TYPES.values(), ids=list(EVENT_TYPES))


def test_each_type_has_a_sample_and_each_sample_a_type() -> None:
    assert {path.name.removesuffix(".json") for path in SAMPLES.iterdir()} == set(EVENT_TYPES)


@EVERY_TYPE
def test_a_stored_sample_is_read_and_told_again_without_loss(model: type[EventData]) -> None:
    sample = stored_sample(model.type)
    event = model.model_validate_json(json.dumps(sample))
    told = json.loads(event.model_dump_json())
    assert {name: told[name] for name in sample} == sample
    assert model.model_validate(told) == event


def with_more_fields(value: Any) -> Any:
    if isinstance(value, dict):
        # Texts per language are closed by their languages; what else is a mapping may grow.
        grown = {name: with_more_fields(inner) for name, inner in value.items()}
        return grown if set(value) <= {"en", "fr", "es", "ar", "ru", "zh"} else {**grown, "told-by-a-newer-version": {"deep": [1]}}
    return [with_more_fields(inner) for inner in value] if isinstance(value, list) else value


@EVERY_TYPE
def test_fields_that_a_newer_teller_adds_are_passed_over(model: type[EventData]) -> None:
    sample = stored_sample(model.type)
    free = {"public", "internal", "facts"}  # mappings of whatever names
    grown = {name: value if name in free else with_more_fields(value) for name, value in sample.items()} | {"told_by_a_newer_version": 1}
    assert model.model_validate(grown) == model.model_validate(sample)


@EVERY_TYPE
def test_an_event_cannot_be_changed(model: type[EventData]) -> None:
    event = model.model_validate(stored_sample(model.type))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, next(iter(model.model_fields)), None)


@EVERY_TYPE
def test_a_sample_without_a_required_field_is_refused(model: type[EventData]) -> None:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    assert required
    for name in required:
        with pytest.raises(ValidationError):
            model.model_validate({key: value for key, value in stored_sample(model.type).items() if key != name})


@EVERY_TYPE
def test_a_sample_names_no_person_and_no_mail_address(model: type[EventData]) -> None:
    assert "@" not in json.dumps(stored_sample(model.type))


@EVERY_TYPE
def test_a_sample_fills_every_field_that_can_be_filled(model: type[EventData]) -> None:
    # Sisters of one type may share the work: a field left empty here is filled in another sample of the same teller.
    empty = {name for name, value in stored_sample(model.type).items() if value in (None, [], {})}
    filled = {name for other in EVENT_TYPES.values() for name, value in stored_sample(other.type).items() if value not in (None, [], {})}
    assert empty - filled <= {"became"}
    assert set(stored_sample(model.type)) == set(model.model_fields)


@pytest.mark.parametrize(
    ("event_type", "change", "code"),
    [
        pytest.param("submission.decided.v1", {"verdict": "declined", "reason": None}, "reason-missing", id="a refusal without reason"),
        pytest.param("decision.made.v1", {"broke_glass": True, "reason": None}, "reason-missing", id="break-glass without reason"),
        pytest.param("submission.received.v1", {"contact": "amina@example.org"}, "string_pattern_mismatch", id="a contact in the clear"),
        pytest.param(
            "submission.received.v1", {"public": {"contact": {"mail": "x"}}}, "contact-in-clear", id="a contact among the public fields"
        ),
        pytest.param(
            "submission.received.v1", {"internal": {"contact": "x"}}, "contact-in-clear", id="a contact among the internal fields"
        ),
        pytest.param("mail.wanted.v1", {"facts": {"mail": "amina@example.org"}}, "mail-in-facts", id="a mail address among the facts"),
        pytest.param("issue.sent.v1", {"sent": "2026-06-30T07:00:00"}, "timezone_aware", id="a time without its zone"),
        pytest.param("practice.published.v1", {"address": "/practices/x"}, "web-address", id="an address without its host"),
        pytest.param("practice.published.v1", {"objectives": [24]}, "objective-out-of-range", id="an objective that does not exist"),
        pytest.param("sending.paused.v1", {"scope": "everything"}, "string_pattern_mismatch", id="a scope that no sender knows"),
    ],
)
def test_what_must_never_be_told_cannot_be_made(event_type: str, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EVENT_TYPES[event_type].model_validate({**stored_sample(event_type), **change})
    assert [detail["type"] for detail in refused.value.errors()] == [code]


def test_an_accepted_submission_needs_no_reason() -> None:
    sample = {**stored_sample("submission.decided.v1"), "verdict": "accepted", "reason": None, "became": "0197a2b7"}
    assert EVENT_TYPES["submission.decided.v1"].model_validate(sample).model_dump()["became"] == "0197a2b7"
