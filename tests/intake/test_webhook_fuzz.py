"""Whatever a stranger writes into the headers of a request, the door answers with one of its refusals."""

import string
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.web.webhook_accept import Patience
from tests.intake.intake_app import Intake, client_of, door_app, example
from tests.intake.test_webhook_door import NOTHING
from tests.intake.webhook_sender import body_of, with_header

REFUSALS = {400, 401, 404, 409, 413, 415, 422, 429}
BODY = body_of(example())

ENTRIES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [b"v1", b"v1,", b"v1,aa,bb", b",", b"v1a,", b"v2,AAAA", b"v1 ,AAAA", b"V1,AAAA", b"v1,====", b"v1,AAAA=", b"\xe9,\xe9"]
    ),
    st.text(string.printable, max_size=60).map(lambda text: text.encode()),
    st.binary(min_size=32, max_size=64).map(lambda raw: b"v1," + raw.hex().encode()),
)
SIGNATURES = st.lists(ENTRIES, max_size=40).map(b" ".join)
VALUES = st.one_of(SIGNATURES, st.binary(max_size=300), st.integers().map(lambda number: str(number).encode()))


@pytest.fixture
async def patient(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a door that bears with every mistake."""
    app = door_app(intake.database, intake.vault, Patience(refused_tries=1_000_000))
    async with client_of(app) as client:
        yield client


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signature=SIGNATURES)
async def test_a_malformed_signature_header_is_refused(intake: Intake, patient: httpx.AsyncClient, signature: bytes) -> None:
    headers = with_header(intake.sender.headers(BODY), "webhook-signature", signature)
    answer = await patient.post(intake.sender.path, content=BODY, headers=headers)
    assert answer.status_code in {400, 401}
    assert answer.json()["reason"]
    assert intake.sender.secret.removeprefix("whsec_") not in answer.text
    assert await intake.counts() == NOTHING


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "ce-id", "ce-type", "accept-language", "cookie"]
    ),
    value=VALUES,
    extra=st.lists(st.tuples(st.sampled_from([b"ce-id", b"ce-source", b"ce-specversion", b"ce-time", b"webhook-id"]), VALUES), max_size=3),
)
async def test_no_headers_make_the_door_fail(
    intake: Intake, patient: httpx.AsyncClient, name: str, value: bytes, extra: list[tuple[bytes, bytes]]
) -> None:
    headers = [*with_header(intake.sender.headers(BODY), name, value), *extra]
    answer = await patient.post(intake.sender.path + "?dry_run=1", content=BODY, headers=headers)
    assert answer.status_code in REFUSALS | {200}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(str.encode),
        st.text('{}[]",:0123456789eE+-.tfnul\\ ', max_size=120).map(str.encode),
    )
)
async def test_no_body_makes_the_door_fail(intake: Intake, patient: httpx.AsyncClient, body: bytes) -> None:
    answer = await patient.post(intake.sender.path, content=body, headers=intake.sender.headers(body))
    assert answer.status_code in {400, 422}
    assert await intake.counts() == NOTHING
