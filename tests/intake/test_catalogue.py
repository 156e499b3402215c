"""The catalogue says what the door does: every example is accepted as it stands, every schema fits, every sender runs."""

import json
from typing import Any

import httpx
import jsonschema
import pytest

from services.intake.webhooks.problem import Problem
from shared.events.kinds import KINDS_BY_TYPE
from tests.intake.intake_app import Intake, send
from tests.intake.page import page

ADDRESS = "/intake/api/v1/catalogue"


async def kinds(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(ADDRESS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return {kind["type"]: kind for kind in answer.json()["kinds"]}


async def test_the_catalogue_holds_every_type_that_the_door_takes(program: httpx.AsyncClient) -> None:
    assert set(await kinds(program)) == set(KINDS_BY_TYPE)


@pytest.mark.parametrize("event_type", sorted(KINDS_BY_TYPE))
async def test_an_example_is_accepted_by_the_door_and_by_its_schema_as_it_stands(
    intake: Intake, program: httpx.AsyncClient, event_type: str
) -> None:
    kind = (await kinds(program))[event_type]
    assert (await send(program, intake.sender, kind["example"])).status_code == 202
    validator = jsonschema.Draft202012Validator(kind["schema"])
    jsonschema.Draft202012Validator.check_schema(kind["schema"])
    assert list(validator.iter_errors(kind["example"])) == []
    assert list(validator.iter_errors({**kind["example"], "type": "something.else"})) != []
    assert list(validator.iter_errors({**kind["example"], "data": {}})) != []


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
async def test_the_page_shows_every_kind_with_its_fields_senders_and_answers(reader: httpx.AsyncClient, language: str) -> None:
    found = page(await reader.get(f"/intake/catalogue?lang={language}"))
    assert found.one("html")["lang"] == language
    for event_type, model in KINDS_BY_TYPE.items():
        assert event_type in found.text
        assert all(field in found.text for field in model.model_fields)
    assert "import hmac" in found.text
    assert "createHmac" in found.text
    assert "openssl" in found.text
    assert {problem.slug for problem in Problem} <= {one["id"] for one in found.all("tr") if "id" in one}


async def test_the_example_on_the_page_is_the_one_for_programs(program: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    text = page(await reader.get("/intake/catalogue")).texts
    for kind in (await kinds(program)).values():
        assert json.dumps(kind["example"], ensure_ascii=False, indent=2) in text


async def test_every_form_that_the_catalogue_names_is_there(program: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    forms = [kind["form"] for kind in (await kinds(program)).values() if kind["form"]]
    assert forms
    for form in forms:
        page(await reader.get(form))
