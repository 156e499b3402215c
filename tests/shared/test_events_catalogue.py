"""The catalogue says what the models say: as rows, as docs/events.md and as a valid AsyncAPI 3.0 document."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from shared.events import catalogue
from shared.events.asyncapi import HEADERS, OPTIONAL_HEADERS, asyncapi_document, stored_sample
from shared.events.catalogue import asyncapi_text, catalogue_rows, catalogue_text
from shared.events.codes import Service
from shared.events.registry import EVENT_TYPES, LISTENERS, NOT_YET_LISTENING, NOT_YET_TELLING, TELLERS, topic_of

DOCUMENT = asyncapi_document()
EVERY_TYPE = pytest.mark.parametrize("event_type", list(EVENT_TYPES))


@pytest.mark.parametrize(("name", "text"), [("events.md", catalogue_text()), ("asyncapi.json", asyncapi_text())])
def test_the_written_catalogue_is_not_stale(name: str, text: str) -> None:
    assert (catalogue.DOCS / name).read_text(encoding="utf-8") == text, "renew it with: python -m shared.events.catalogue"


def test_the_command_writes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "DOCS", tmp_path / "docs")
    catalogue.main()
    assert json.loads((tmp_path / "docs" / "asyncapi.json").read_text(encoding="utf-8")) == DOCUMENT
    assert (tmp_path / "docs" / "events.md").read_text(encoding="utf-8").startswith("# Events\n")


def test_the_rows_hold_every_type_with_who_tells_and_hears_it_today() -> None:
    rows = {row.type: row for row in catalogue_rows()}
    assert list(rows) == list(EVENT_TYPES)
    for event_type, row in rows.items():
        assert {role.service for role in row.tellers} == TELLERS[event_type]
        assert {role.service for role in row.listeners} == LISTENERS[event_type]
        assert {role.service for role in row.tellers if not role.built} == {s for t, s in NOT_YET_TELLING if t == event_type}
        assert {role.service for role in row.listeners if not role.built} == {s for t, s in NOT_YET_LISTENING if t == event_type}
        assert [field.name for field in row.fields] == list(EVENT_TYPES[event_type].model_fields)
        assert {field.audience for field in row.fields} <= {"public", "internal", "contact"}
        assert row.sample == stored_sample(event_type)
        assert row.summary.endswith(".")


@EVERY_TYPE
def test_the_page_shows_each_type_with_its_fields_and_sample(event_type: str) -> None:
    section = catalogue_text().partition(f"\n## {event_type}\n")[2].partition("\n## ")[0]
    for field in EVENT_TYPES[event_type].model_fields:
        assert f"\n| `{field}` | " in section
    block = re.search(r"```json\n(.*?)\n```", section, re.DOTALL)
    assert block is not None
    assert json.loads(block.group(1)) == stored_sample(event_type)


def test_every_link_within_the_page_leads_somewhere() -> None:
    text = catalogue_text()
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_each_table_row_of_the_page_has_as_many_cells_as_its_head() -> None:
    width = 0
    for line in catalogue_text().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells


def test_the_document_is_what_faststream_takes_for_asyncapi_3() -> None:
    read = ApplicationSchema.model_validate(DOCUMENT)
    assert set(read.channels) == set(Service)
    assert read.components is not None
    assert set(read.components.messages or {}) == set(EVENT_TYPES)


def references_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            # Readers of draft 7 pass over what stands beside a reference.
            assert list(value) == ["$ref"]
            yield value["$ref"]
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references_in(inner)


def resolve(reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = DOCUMENT
    for step in reference[2:].split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_every_reference_in_the_document_resolves() -> None:
    references = set(references_in(DOCUMENT))
    assert len(references) > len(EVENT_TYPES)
    for reference in references:
        assert isinstance(resolve(reference), dict), reference


def test_every_schema_of_the_document_is_used() -> None:
    used = {reference for reference in references_in(DOCUMENT) if reference.startswith("#/components/schemas/")}
    assert used == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def test_names_of_components_are_those_that_asyncapi_allows() -> None:
    names = [*DOCUMENT["components"]["schemas"], *DOCUMENT["components"]["messages"]]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)] == []


def test_each_channel_is_the_topic_of_its_teller_with_what_it_tells() -> None:
    for service in Service:
        channel = DOCUMENT["channels"][service]
        assert channel["address"] == channel["bindings"]["kafka"]["topic"] == topic_of(service)
        assert set(channel["messages"]) == {event_type for event_type in EVENT_TYPES if service in TELLERS[event_type]}


def pairs(action: str, *, not_built: bool = False) -> set[tuple[str, str, str]]:
    """Return (event type, service, channel) of every operation of one action, or of what is not built of it."""
    found = set()
    for name, operation in DOCUMENT["operations"].items():
        if operation["action"] == action:
            channel = operation["channel"]["$ref"].rpartition("/")[2]
            messages = {reference["$ref"] for reference in operation["messages"]}
            # AsyncAPI 3.0: the messages of an operation are those of its channel, named through the channel.
            assert messages <= {f"#/channels/{channel}/messages/{key}" for key in DOCUMENT["channels"][channel]["messages"]}
            types = operation.get("x-not-built-yet", []) if not_built else [reference.rpartition("/")[2] for reference in messages]
            found |= {(event_type, name.partition(".")[0], channel) for event_type in types}
    return found


def test_the_operations_are_the_table_of_tellers_and_listeners() -> None:
    assert pairs("send") == {(t, s, s) for t, tellers in TELLERS.items() for s in tellers}
    assert pairs("receive") == {(t, s, teller) for t, listeners in LISTENERS.items() for s in listeners for teller in TELLERS[t]}


def test_the_document_says_what_is_not_built_yet() -> None:
    assert {(t, s) for t, s, _ in pairs("send", not_built=True)} == NOT_YET_TELLING
    assert {(t, s) for t, s, _ in pairs("receive", not_built=True)} == NOT_YET_LISTENING


def test_each_service_reads_as_one_group() -> None:
    for name, operation in DOCUMENT["operations"].items():
        if operation["action"] == "receive":
            assert operation["bindings"]["kafka"]["groupId"]["const"] == f"tidings.{name.partition('.')[0]}"


def problems_of(schema: Any, value: Any) -> list[str]:
    """Return where `value` departs from a schema of the document, whose references lead through the whole document."""
    root = {**DOCUMENT, "allOf": [schema]}
    checker = jsonschema.FormatChecker(["date", "uuid"])
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(root, format_checker=checker).iter_errors(value)]


@EVERY_TYPE
def test_a_stored_sample_fits_the_payload_of_its_message(event_type: str) -> None:
    payload = DOCUMENT["components"]["messages"][event_type]["payload"]
    sample = stored_sample(event_type)
    jsonschema.Draft7Validator.check_schema(resolve(payload["$ref"]))
    assert problems_of(payload, sample) == []
    # The check does see faults: a sample without a field that is needed does not pass.
    needed = resolve(payload["$ref"])["required"][0]
    assert problems_of(payload, {name: value for name, value in sample.items() if name != needed})


@EVERY_TYPE
def test_the_headers_of_a_message_are_those_of_its_type(event_type: str) -> None:
    headers = DOCUMENT["components"]["messages"][event_type]["headers"]
    teller = min(TELLERS[event_type])
    sent = {
        "ce_specversion": "1.0",
        "ce_id": "0197a1d2-6c1e-7a3b-9d4e-5f6a7b8c9d0e",
        "ce_source": f"/{teller}",
        "ce_type": event_type,
        "ce_subject": "0197a1d2",
        "ce_time": "2026-06-16T07:00:00Z",
        "ce_cause": "0197a1d2-6c1e-7a3b-9d4e-000000000000",
        "ce_revision": "1",
        "content-type": "application/json",
        "traceparent": "00-0197a1d26c1e7a3b9d4e5f6a7b8c9d0e-9d4e000000000000-01",
    }
    assert set(sent) == set(HEADERS) - OPTIONAL_HEADERS
    assert problems_of(headers, sent) == []
    assert problems_of(headers, {**sent, "ce_historic": "true"}) == []
    for wrong in ({"ce_type": "practice.unknown.v1"}, {"ce_source": "/stranger"}, {"ce_specversion": "0.3"}, {"ce_revision": "0"}):
        assert problems_of(headers, {**sent, **wrong})
    for name in sent:
        assert problems_of(headers, {key: value for key, value in sent.items() if key != name})


def test_the_document_shows_who_may_see_each_field() -> None:
    for event_type, model in EVENT_TYPES.items():
        schema = resolve(DOCUMENT["components"]["messages"][event_type]["payload"]["$ref"])
        assert {name: field["x-audience"] for name, field in schema["properties"].items()} == {
            n: model.audience_of(n) for n in model.model_fields
        }
