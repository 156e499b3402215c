"""Every refusal becomes a problem document that says where and why, and repeats nothing of what was sent."""

import ast
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AnyHttpUrl, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import PydanticCustomError

import shared.events
from services.intake.webhooks.keys import KeyFault
from services.intake.webhooks.problem import (
    MAX_FAULTS,
    Problem,
    Reason,
    message_keys,
    rate_headers,
    refuse,
    refuse_rate,
    refuse_schema,
    refuse_until,
)
from shared.events.kinds.faults import FaultCode, fault, of_validation, pointer_to
from shared.events.kinds.rules import KIND_RULES
from tests.intake.webhook_sender import say


def test_a_refusal_becomes_a_problem_document() -> None:
    document = refuse(Reason.CLOCK_BEHIND, seconds=360, tolerance=300).document(say, instance="/intake/portal/attempts/1")
    assert document == {
        "type": "/problems/clock",
        "title": "problem.clock.title {'seconds': 360, 'tolerance': 300}",
        "status": 401,
        "detail": "webhook.clock-behind {'seconds': 360, 'tolerance': 300}",
        "reason": "clock-behind",
        "instance": "/intake/portal/attempts/1",
    }


def test_faults_stand_in_errors_and_are_capped_but_counted() -> None:
    refusal = refuse_schema([fault(f"/data/{number}", FaultCode.MISSING) for number in range(MAX_FAULTS + 10)])
    document = refusal.document(say)
    errors = document["errors"]
    assert isinstance(errors, list)
    assert len(errors) == MAX_FAULTS
    assert errors[0] == {"in": "body", "pointer": "/data/0", "code": "missing", "detail": "fault.missing"}
    assert refusal.params == {"n": MAX_FAULTS + 10}


def test_statuses_are_those_of_the_interface() -> None:
    assert {problem.status for problem in Problem} == {400, 401, 404, 409, 413, 415, 422, 429, 503}
    assert len({reason.code for reason in Reason}) == len(Reason)
    assert len({problem.slug for problem in Problem}) == len(Problem)


def test_every_problem_reason_and_fault_has_its_key() -> None:
    keys = message_keys()
    assert {f"problem.{problem.slug}.title" for problem in Problem} <= keys
    assert {"webhook.clock-ahead", "problem.invalid.detail", "fault.no-zone", "fault.unknown-country", "webhook.key.private"} <= keys
    assert sum(key.startswith("webhook.key.") for key in keys) == len(KeyFault)
    assert sum(key.startswith(("webhook.", "problem.")) for key in keys) == len(Problem) + len(Reason) + len(KeyFault)


def test_every_rule_of_the_kinds_is_known_by_its_code() -> None:
    # What events alone check never reaches a partner.
    folder = Path(shared.events.__file__).parent
    sources = [*(folder / "kinds").glob("*.py"), *(folder / f"{name}.py" for name in ("base", "texts", "times"))]
    raised = {
        call.args[0].value
        for source in sources
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "PydanticCustomError"
        if isinstance(call.args[0], ast.Constant)
    }
    assert raised == KIND_RULES


@pytest.mark.parametrize("reason", [Reason.SIGNATURE_MISMATCH, Reason.KEY_MISSING, Reason.CLOCK_AHEAD, Reason.HEADER_MISSING])
def test_a_401_names_how_to_authenticate(reason: Reason) -> None:
    assert refuse(reason).headers["WWW-Authenticate"].startswith("Webhook-Signature")


def test_a_refusal_for_now_says_when_to_come_again() -> None:
    assert refuse_until(Reason.UNAVAILABLE, 0).headers == {"Retry-After": "1"}
    busy = refuse_rate(limit=120, reset_seconds=17)
    assert busy.status == 429
    assert busy.headers == {"Retry-After": "17", "RateLimit-Limit": "120", "RateLimit-Remaining": "0", "RateLimit-Reset": "17"}
    assert rate_headers(limit=10, remaining=-1, reset_seconds=-1)["RateLimit-Remaining"] == "0"


class Region(StrEnum):
    AFRICA = "africa"
    EUROPE = "europe"


class Contact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: Annotated[str, StringConstraints(pattern=r"^[^@]+@[^@]+$")]


class ByDay(BaseModel):
    kind: Literal["day"]
    day: date


class ByHour(BaseModel):
    kind: Literal["hour"]
    start: AwareDatetime


class Submission(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: dict[Literal["en", "fr"], Annotated[str, StringConstraints(min_length=3, max_length=9)]]
    contact: Contact
    objectives: Annotated[list[Annotated[int, Field(ge=1, le=23)]], Field(min_length=1, max_length=3)]
    region: Region
    when: Annotated[ByDay | ByHour, Field(discriminator="kind")]
    link: AnyHttpUrl | None = None
    reference: UUID | int | None = None
    country: str = "CH"

    @field_validator("country")
    @classmethod
    def check_country(cls, value: str) -> str:
        if value == "KNOWN":
            raise PydanticCustomError("unknown-country", "no such country", {"list": "ISO 3166-1"})
        if value != "CH":
            raise ValueError(f"{value} is not good")
        return value


GOOD: dict[str, object] = {
    "title": {"en": "A title"},
    "contact": {"email": "jane@example.org"},
    "objectives": [5],
    "region": "africa",
    "when": {"kind": "day", "day": "2026-06-16"},
}

FAULTS: list[tuple[str, dict[str, object], list[tuple[str, str, dict[str, object]]]]] = [
    ("missing in an object", {"contact": {}}, [("/data/contact/email", "missing", {})]),
    ("too short in a language", {"title": {"en": "ab"}}, [("/data/title/en", "too-short", {"n": 3})]),
    ("too long in a language", {"title": {"fr": "a" * 10}}, [("/data/title/fr", "too-long", {"n": 9})]),
    ("an unknown language", {"title": {"de": "Titel"}}, [("/data/title/de", "not-one-of", {"expected": "'en', 'fr'"})]),
    ("not text", {"title": {"en": 5}}, [("/data/title/en", "not-text", {})]),
    ("not an object", {"title": "A title"}, [("/data/title", "not-an-object", {})]),
    ("an unknown field", {"contact": {"email": "a@b", "phone": "+41 22"}}, [("/data/contact/phone", "unexpected", {})]),
    ("in a list", {"objectives": [5, 24]}, [("/data/objectives/1", "too-large", {"limit": 23})]),
    ("in a list, below", {"objectives": [0]}, [("/data/objectives/0", "too-small", {"limit": 1})]),
    ("text in a list of numbers", {"objectives": ["five"]}, [("/data/objectives/0", "not-a-whole-number", {})]),
    ("an empty list", {"objectives": []}, [("/data/objectives", "too-few", {"n": 1})]),
    ("a long list", {"objectives": [1, 2, 3, 4]}, [("/data/objectives", "too-many", {"n": 3})]),
    ("not a list", {"objectives": 5}, [("/data/objectives", "not-a-list", {})]),
    ("none of the words", {"region": "asia"}, [("/data/region", "not-one-of", {"expected": "'africa', 'europe'"})]),
    ("a pattern", {"contact": {"email": "jane"}}, [("/data/contact/email", "pattern", {"pattern": r"^[^@]+@[^@]+$"})]),
    ("inside a branch of a union", {"when": {"kind": "day", "day": "soon"}}, [("/data/when/day", "not-a-day", {})]),
    ("missing inside a branch", {"when": {"kind": "hour"}}, [("/data/when/start", "missing", {})]),
    ("no zone", {"when": {"kind": "hour", "start": "2026-06-16T09:00:00"}}, [("/data/when/start", "no-zone", {})]),
    ("an unknown branch", {"when": {"kind": "week"}}, [("/data/when/kind", "not-one-of", {"expected": "'day', 'hour'"})]),
    ("no branch named", {"when": {"day": "2026-06-16"}}, [("/data/when/kind", "missing", {})]),
    ("not an address", {"link": "practice seventeen"}, [("/data/link", "not-an-address", {})]),
    (
        "every branch of a plain union",
        {"reference": "seventeen"},
        [("/data/reference", "not-a-uuid", {}), ("/data/reference", "not-a-whole-number", {})],
    ),
    ("a rule of the kind with its sentence", {"country": "KNOWN"}, [("/data/country", "unknown-country", {"list": "ISO 3166-1"})]),
    ("a rule of the kind without", {"country": "Atlantis"}, [("/data/country", "wrong", {})]),
]


def faults_of(data: Mapping[str, object]) -> list[tuple[str, str, dict[str, object]]]:
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate(data)
    found = of_validation(caught.value.errors(), data, rules={"unknown-country"})
    return [(fault.pointer, fault.code, dict(fault.params)) for fault in found]


@pytest.mark.parametrize(("change", "expected"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_validation_error_becomes_a_pointer_a_code_and_the_limit(
    change: dict[str, object], expected: list[tuple[str, str, dict[str, object]]]
) -> None:
    assert faults_of({**GOOD, **change}) == expected


def test_every_fault_of_a_body_is_told_in_one_answer() -> None:
    assert [place for place, _, _ in faults_of({"title": {"en": "ab"}, "objectives": []})] == [
        "/data/title/en",
        "/data/contact",
        "/data/objectives",
        "/data/region",
        "/data/when",
    ]


def test_what_was_sent_is_never_repeated() -> None:
    secret = "jane.doe@example.org"
    data = {
        "title": {"en": secret * 3, secret: "x"},
        "contact": {"email": "jane.doe", secret: 1},
        "objectives": [secret],
        "region": secret,
        "when": {"kind": secret},
        "link": secret,
        "reference": secret,
        "country": secret,
    }
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate(data)
    refusal = refuse_schema(of_validation(caught.value.errors(), data))
    told = repr(refusal.document(say)) + repr(refusal)
    assert "@example.org" not in told
    assert "/data/contact/jane.doe…" in told


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ([], ""),
        (["a", 0, ""], "/a/0/"),
        (["a/b", "c~d", "~1"], "/a~1b/c~0d/~01"),
        (["x" * 100], "/" + "x" * 64 + "…"),
        (["line\nend\0"], "/line\ufffdend\ufffd"),
        (["\ud800"], "/\ufffd"),
        (["é"], "/é"),
    ],
)
def test_a_pointer_escapes_and_stays_short(path: list[str | int], pointer: str) -> None:
    assert pointer_to(path) == pointer


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["day", "hour", "africa", "[key]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "en", "kind", "email", "[key]", "0"]), inner),
    max_leaves=15,
)


@given(data=ANYTHING)
@settings(deadline=None)
def test_every_pointer_leads_into_the_data_or_to_what_is_missing(data: object) -> None:
    try:
        Submission.model_validate(data)
    except ValidationError as error:
        for found in of_validation(error.errors(), data, root=""):
            assert leads(data, found.pointer, missing=found.code == "missing")


def leads(data: object, pointer: str, *, missing: bool) -> bool:
    here = data
    steps = pointer.split("/")[1:]
    for index, step in enumerate(steps):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return missing and index == len(steps) - 1
    return True
