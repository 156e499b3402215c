"""Answers to what cannot be done, for programs and for people."""

import logging
from typing import Literal

import pytest
from fastapi import HTTPException
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from shared.i18n import LANGUAGES, translate
from shared.web.forms import faults_in, faults_of
from shared.web.pages import Pages
from shared.web.problem import problem_of, wants_html
from tests.shared.web_app import Page, browser, sample_app

PROGRAM = {"Accept": "*/*"}


@pytest.mark.parametrize(
    ("path", "method", "status", "slug"),
    [
        ("/nowhere", "GET", 404, "not-found"),
        ("/practices/x", "POST", 405, "method-not-allowed"),
        ("/fails/badly", "GET", 500, "internal"),
        ("/fails/away", "GET", 503, "unavailable"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_same_fault_is_told_to_programs_and_to_people(path: str, method: str, status: int, slug: str, language: str) -> None:
    async with browser(sample_app()) as asker:
        told = await asker.request(method, path, headers={**PROGRAM, "Accept-Language": language})
        shown = await asker.request(method, path, headers={"Accept-Language": language})
    assert told.headers["content-type"] == "application/problem+json"
    members = told.json()
    assert (told.status_code, members["status"], members["type"]) == (status, status, f"/problems/{slug}")
    assert members["title"] == translate(language, f"problem.{slug}.title")
    assert members["trace_id"] == told.headers["x-trace-id"]
    assert told.headers["content-language"] == shown.headers["content-language"] == language
    page = Page(shown.text)
    assert (shown.status_code, page.faults) == (status, [])
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert members["title"] in page.text
    assert shown.headers["x-trace-id"] in page.text
    assert told.headers["cache-control"] == shown.headers["cache-control"] == "no-store"
    assert "Accept" in [word.strip() for word in told.headers["vary"].split(",")]
    assert not [link for link in page.all("link") if link["rel"] == "canonical"]


async def test_own_fault_shows_nothing_and_is_logged_once_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with browser(sample_app()) as asker:
        told, shown = await asker.get("/fails/badly", headers=PROGRAM), await asker.get("/fails/badly")
    for answer in (told, shown):
        assert "hunter2" not in answer.text + str(answer.headers)
        assert "RuntimeError" not in answer.text
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == ["unexpected error"] * 2
    assert "hunter2" in caplog.text  # for those who may read the log


async def test_part_that_is_away_is_told_with_when_to_come_back() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.get("/fails/away", headers=PROGRAM)
    assert answer.headers["retry-after"] == "5"
    assert "10.0.0.7" not in answer.text


async def test_wrong_method_names_the_right_ones() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.delete("/receipt", headers=PROGRAM)
    assert answer.headers["allow"] == "GET"
    assert "DELETE" in answer.json()["detail"]


async def test_problem_brings_its_members_and_its_sentences_are_escaped_on_pages_alone() -> None:
    async with browser(sample_app()) as asker:
        told, shown = await asker.get("/fails/taken", headers=PROGRAM), await asker.get("/fails/taken")
    assert told.status_code == 409
    assert told.json()["receipt"] == "r-1"
    assert told.json()["detail"] == "<b>x</b> – y"
    assert "&lt;b&gt;x&lt;/b&gt; – y" in shown.text


async def test_refused_values_are_named_by_pointer_and_not_repeated() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.post("/webhooks/p1", json={"title": "far too long: 4111 1111", "address": 5}, headers=PROGRAM)
        shown = await asker.post("/webhooks/p1", json={}, headers={"Accept-Language": "fr"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"in": "body", "pointer": "/title", "code": "too-long", "detail": "Write at most 5 characters."},
        {"in": "body", "pointer": "/address", "code": "not-text", "detail": translate("en", "fault.not-text")},
    ]
    assert "4111" not in answer.text
    assert "Remplissez ce champ." in shown.text


async def test_body_that_is_no_json_is_a_bad_request() -> None:
    async with browser(sample_app()) as asker:
        answer = await asker.post("/webhooks/p1", content=b'{"title": ', headers={**PROGRAM, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 429, 451, 500, 502, 503, 504])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_of_the_framework_has_sentences(status: int, language: str) -> None:
    problem = problem_of(HTTPException(status, detail="internal words"), "GET")
    assert problem.status_code == status
    for key in (problem.title_key, problem.detail_key):
        assert "internal words" not in translate(language, key, **problem.params)


def test_framework_keeps_its_own_pause() -> None:
    assert problem_of(HTTPException(503, headers={"Retry-After": "30"}), "GET").headers == {"Retry-After": "30"}
    assert problem_of(HTTPException(429, headers={"Retry-After": "soon"}), "GET").headers == {"Retry-After": "5"}


async def test_fault_in_the_error_page_itself_still_ends_in_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the template is broken")

    app = sample_app()
    monkeypatch.setattr(Pages, "render", broken)
    async with browser(app) as asker:
        answer = await asker.get("/nowhere")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("application/json, text/html;q=0.5", False),
        ("application/problem+json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("TEXT/HTML; charset=utf-8", True),
    ],
)
def test_page_is_for_those_who_ask_for_one(accept: str, expected: bool) -> None:
    assert wants_html(Request({"type": "http", "headers": [(b"accept", accept.encode())]})) is expected


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: dict[str, str]
    level: Literal["regional", "national"]
    objectives: list[int] = Field(min_length=1)
    link: AnyUrl
    year: int = Field(ge=1990)


def test_faults_of_a_form_are_sentences_by_field() -> None:
    with pytest.raises(ValidationError) as refused:
        _Form.model_validate({"title": {"en": 5}, "level": "local", "objectives": [], "link": "x", "year": 1200, "a/b~c": 1})
    faults = faults_of(refused.value)
    assert {fault.field: fault.key for fault in faults} == {
        "title.en": "fault.not-text",
        "level": "fault.not-offered",
        "objectives": "fault.too-few",
        "link": "fault.not-an-address",
        "year": "fault.too-small",
        "a/b~c": "fault.unexpected",
    }
    assert [fault.pointer for fault in faults][-1] == "/a~1b~0c"
    assert [fault.field for fault in faults_in(faults, "title")] == ["title.en"]
    for fault in faults:
        for language in LANGUAGES:
            assert translate(language, fault.key, **fault.params)


def test_empty_field_of_a_form_is_a_missing_one() -> None:
    with pytest.raises(ValidationError) as refused:
        _Form.model_validate({"title": {}, "level": "", "objectives": [1], "link": "", "year": None})
    assert {fault.key for fault in faults_of(refused.value)} == {"fault.missing"}


def test_validator_may_name_its_own_sentence() -> None:
    error = PydanticCustomError("fault.too-small", "too small", {"limit": 3})
    faults = faults_of([{"type": error.type, "loc": ("query", "page"), "msg": "", "input": 1, "ctx": {"limit": 3}}], located=True)
    assert [(fault.part, fault.field, fault.key, fault.params) for fault in faults] == [("query", "page", "fault.too-small", {"limit": 3})]
