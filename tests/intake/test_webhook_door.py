"""The webhook door: what is accepted is kept once and told once; what is refused says why, and keeps nothing."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.intake.store import partners
from services.intake.web.webhook_accept import Patience
from services.intake.webhooks.body import MAX_BODY_BYTES
from shared import clock
from shared.events.kinds import KINDS
from shared.i18n import translate
from tests.intake.intake_app import PUBLIC_URL, Intake, Sender, add_sender, client_of, door_app, example, send
from tests.intake.webhook_sender import body_of

NOTHING = {"receipts": 0, "submissions": 0, "outbox": 0}
ONE_OF_EACH = {"receipts": 1, "submissions": 1, "outbox": 1}
SIX_MINUTES = timedelta(minutes=6)


def problem(answer: httpx.Response, status: int, slug: str) -> Any:
    """The problem document of a refusal, which must be this one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert (document["type"], document["status"]) == (f"/problems/{slug}", status)
    assert document["title"]
    assert document["detail"]
    return document


async def test_an_accepted_webhook_is_kept_told_and_answered_with_its_receipt(intake: Intake, program: httpx.AsyncClient) -> None:
    answer = await send(program, intake.sender)
    assert answer.status_code == 202, answer.text
    [kept] = await intake.rows("SELECT id, reference, token, state, event_id, channel, partner_id FROM submissions")
    assert answer.json() == {
        "receipt": str(kept.id),
        "id": "msg_1",
        "type": "practice.submitted",
        "duplicate": False,
        "status_url": f"{PUBLIC_URL}/intake/track/{kept.token}",
    }
    assert (kept.state, kept.channel, kept.partner_id) == ("received", "webhook", intake.sender.id)
    [told] = await intake.told()
    assert (told.type, told.subject, told.cause, told.id) == ("submission.received.v1", str(kept.id), str(kept.id), kept.event_id)
    assert (told.data["reference"], told.data["partner"]) == (kept.reference, str(intake.sender.id))
    assert told.data["public"]["title"] == example()["data"]["title"]


async def test_the_receipt_is_the_trace_id_of_everything_that_follows(intake: Intake, program: httpx.AsyncClient) -> None:
    answer = await send(program, intake.sender)
    digits = answer.json()["receipt"].replace("-", "")
    [told] = await intake.told()
    assert told.trace_id == digits == answer.headers["x-trace-id"]


async def test_the_answer_says_how_much_of_the_quota_is_left(intake: Intake, program: httpx.AsyncClient) -> None:
    first, second = await send(program, intake.sender), await send(program, intake.sender, event_id="msg_2")
    assert int(first.headers["ratelimit-limit"]) == 100_000
    assert int(first.headers["ratelimit-remaining"]) - int(second.headers["ratelimit-remaining"]) == 1
    assert 0 < int(second.headers["ratelimit-reset"]) <= 60


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_the_contact_travels_only_encrypted_and_only_to_the_service_that_mails_it(
    intake: Intake, program: httpx.AsyncClient, kind: str
) -> None:
    assert (await send(program, intake.sender, example(kind))).status_code == 202
    [told] = await intake.told()
    contact = KINDS[kind].example["contact"]
    assert contact["mail"] not in json.dumps(told.data)
    if kind in {"pledge", "date"}:
        assert json.loads(intake.vault.open(told.data["contact"].encode())) == {"contact": contact}
    else:
        assert told.data["contact"] is None
    [kept] = await intake.rows("SELECT contact_sealed, public::text, internal::text FROM submissions")
    assert json.loads(intake.vault.open(kept.contact_sealed)) == {"contact": contact}
    assert contact["mail"] not in kept.public + kept.internal


async def test_the_raw_request_is_kept_encrypted_as_it_came(intake: Intake, program: httpx.AsyncClient) -> None:
    body = body_of(example())
    headers = [*intake.sender.headers(body), (b"cookie", b"session=of-somebody")]
    assert (await program.post(intake.sender.path, content=body, headers=headers)).status_code == 202
    [kept] = await intake.rows("SELECT raw_sealed FROM receipts")
    head, _, raw = intake.vault.open(kept.raw_sealed).partition(b"\r\n\r\n")
    assert raw == body
    assert b"webhook-id: msg_1" in head
    assert b"cookie" not in head


# ---- repeats ----


async def test_a_repeat_gets_the_same_receipt_and_is_kept_and_told_once(intake: Intake, program: httpx.AsyncClient) -> None:
    first = (await send(program, intake.sender)).json()
    again = await send(program, intake.sender, sent_at=clock.now() + timedelta(seconds=30))
    assert again.status_code == 202
    assert again.json() == {**first, "duplicate": True}
    assert await intake.counts() == ONE_OF_EACH


async def test_the_same_id_with_another_body_is_refused_and_changes_nothing(intake: Intake, program: httpx.AsyncClient) -> None:
    await send(program, intake.sender)
    problem(await send(program, intake.sender, example(entity="Another City")), 409, "id-reused")
    assert await intake.counts() == ONE_OF_EACH
    [kept] = await intake.rows("SELECT public->>'entity' FROM submissions")
    assert kept[0] == "Example City"


async def test_two_partners_may_use_the_same_id(intake: Intake, program: httpx.AsyncClient) -> None:
    other = await add_sender(intake.database, intake.vault, "Another City")
    first, second = await send(program, intake.sender), await send(program, other)
    assert (first.json()["duplicate"], second.json()["duplicate"]) == (False, False)
    assert first.json()["receipt"] != second.json()["receipt"]


async def test_a_reference_that_is_taken_is_drawn_again(
    intake: Intake, program: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.domain.submissions._DIGITS", "7")
    for number in range(3):
        assert (await send(program, intake.sender, event_id=f"msg_{number}")).status_code == 202
    references = {row.reference for row in await intake.rows("SELECT reference FROM submissions")}
    year = clock.now().year
    assert references == {f"PR-{year}-7777", f"PR-{year}-77777", f"PR-{year}-777777"}
    assert {row.data["reference"] for row in await intake.told()} == references


# ---- signatures, keys, clocks ----


async def test_a_wrong_signature_is_refused_with_what_was_hashed_and_no_secret(intake: Intake, program: httpx.AsyncClient) -> None:
    stranger = Sender(id=intake.sender.id, secret="whsec_" + base64.b64encode(b"x" * 32).decode())
    answer = await send(program, stranger)
    document = problem(answer, 401, "signature")
    assert document["reason"] == "signature-mismatch"
    assert document["body_bytes"] == len(body_of(example()))
    assert len(document["body_sha256"]) == 64
    assert intake.sender.secret.removeprefix("whsec_") not in answer.text
    assert "WWW-Authenticate" in answer.headers
    assert await intake.counts() == NOTHING


async def test_several_keys_work_at_once_and_a_revoked_one_no_more(intake: Intake, program: httpx.AsyncClient) -> None:
    async with intake.database.transaction() as tx:
        second = Sender(id=intake.sender.id, secret=await partners.add_secret(tx, intake.vault, intake.sender.id))
    assert (await send(program, intake.sender, event_id="old")).status_code == 202
    assert (await send(program, second, event_id="new")).status_code == 202
    async with intake.database.transaction() as tx:
        old = min(await partners.keys_of(tx, intake.sender.id), key=lambda key: key.created_at)
        assert await partners.revoke_key(tx, intake.sender.id, old.id)
    problem(await send(program, intake.sender, event_id="late"), 401, "signature")
    assert (await send(program, second, event_id="newer")).status_code == 202
    assert (await intake.counts())["submissions"] == 3


async def test_a_partner_may_sign_with_a_key_of_its_own(intake: Intake, program: httpx.AsyncClient) -> None:
    private = Ed25519PrivateKey.generate()
    public = "whpk_" + base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    async with intake.database.transaction() as tx:
        assert await partners.add_public_key(tx, intake.vault, intake.sender.id, public) is None
    body, timestamp = body_of(example()), str(int(clock.now().timestamp()))
    signature = base64.b64encode(private.sign(b"msg_1." + timestamp.encode() + b"." + body)).decode()
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1a,{signature}",
    }
    assert (await program.post(intake.sender.path, content=body, headers=headers)).status_code == 202


async def test_a_partner_without_a_live_key_is_told_so(intake: Intake, program: httpx.AsyncClient) -> None:
    await intake.rows("UPDATE partner_keys SET revoked_at = now() RETURNING id")
    assert problem(await send(program, intake.sender), 401, "key")["reason"] == "key-missing"


@pytest.mark.parametrize(("off", "reason"), [(-SIX_MINUTES, "clock-behind"), (SIX_MINUTES, "clock-ahead")])
async def test_a_clock_six_minutes_off_is_refused_with_how_much(
    intake: Intake, program: httpx.AsyncClient, off: timedelta, reason: str
) -> None:
    document = problem(await send(program, intake.sender, sent_at=clock.now() + off), 401, "clock")
    assert document["reason"] == reason
    assert abs(document["skew_seconds"] - -off.total_seconds()) < 5
    assert document["tolerance_seconds"] == 300
    assert await intake.counts() == NOTHING


async def test_the_last_use_of_a_key_is_noted_once_a_minute_even_when_the_event_is_refused(
    intake: Intake, program: httpx.AsyncClient
) -> None:
    async def last_used() -> Any:
        return (await intake.rows("SELECT last_used_at FROM partner_keys"))[0][0]

    assert await last_used() is None
    assert (await send(program, intake.sender, {"type": "nonsense"})).status_code == 422
    first = await last_used()
    assert first is not None
    await send(program, intake.sender)
    assert await last_used() == first


@pytest.mark.parametrize("partner", ["nobody", "01a201de-e267-7642-ae52-efd2c8a660c5", "%00", "01a201dee2677642ae52efd2c8a660c5"])
async def test_an_unknown_partner_is_not_found(program: httpx.AsyncClient, partner: str) -> None:
    problem(await program.post(f"/intake/webhooks/{partner}", content=b"{}"), 404, "no-such-partner")


# ---- bodies ----


def too_deep() -> bytes:
    return b'{"type":"practice.submitted","timestamp":"2026-06-16T09:00:00Z","data":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001


BODIES: Mapping[str, tuple[bytes, int, str]] = {
    "no JSON": (b'{"type": ', 400, "malformed-body"),
    "nothing": (b"", 400, "malformed-body"),
    "deep nesting": (too_deep(), 400, "malformed-body"),
    "not UTF-8": (b'{"type": "\xff\xfe"}', 400, "malformed-body"),
    "a NUL inside a text": (body_of(example(entity="a\x00b")), 400, "malformed-body"),
    "half a surrogate pair": (b'{"type":"practice.submitted","data":{"entity":"\\ud800"}}', 400, "malformed-body"),
    "a number of a thousand digits": (b'{"a":' + b"9" * 1000 + b"}", 400, "malformed-body"),
    "a list": (b"[]", 422, "invalid"),
    "an unknown type": (body_of({**example(), "type": "party.planned"}), 422, "invalid"),
    "an empty object": (b"{}", 422, "invalid"),
    "data of another kind": (body_of({**example("pledge"), "type": "practice.submitted"}), 422, "invalid"),
    "one byte too many": (b" " * (MAX_BODY_BYTES + 1), 413, "too-large"),
    "one mebibyte": (b" " * 1024 * 1024, 413, "too-large"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_cannot_be_taken_is_refused_and_nothing_is_kept(intake: Intake, program: httpx.AsyncClient, name: str) -> None:
    body, status, slug = BODIES[name]
    problem(await send(program, intake.sender, body), status, slug)
    assert await intake.counts() == NOTHING


async def test_a_body_whose_length_is_not_told_is_not_read_to_its_end(intake: Intake, program: httpx.AsyncClient) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 100:
            given += 1
            yield b" " * 64 * 1024

    headers = intake.sender.headers(b"")
    problem(await program.post(intake.sender.path, content=endless(), headers=headers), 413, "too-large")
    assert given < 10


async def test_the_largest_body_is_taken(intake: Intake, program: httpx.AsyncClient) -> None:
    body = body_of(example())
    body += b" " * (MAX_BODY_BYTES - len(body))
    assert (await send(program, intake.sender, body)).status_code == 202


async def test_what_a_kind_does_not_accept_is_told_by_pointers_and_never_repeated(intake: Intake, program: httpx.AsyncClient) -> None:
    wrong = example(objectives=[24], contact={"name": "Amina Secretive", "mail": "amina.at.home"}, colour="blue")
    answer = await send(program, intake.sender, wrong)
    errors = problem(answer, 422, "invalid")["errors"]
    assert {error["pointer"] for error in errors} == {"/data/objectives/0", "/data/contact/mail", "/data/colour"}
    assert all(error["detail"] for error in errors)
    assert "Secretive" not in answer.text
    assert "amina.at.home" not in answer.text


async def test_other_media_types_and_compression_are_refused(intake: Intake, program: httpx.AsyncClient) -> None:
    problem(await send(program, intake.sender, content_type="text/plain"), 415, "unsupported-media-type")
    problem(await send(program, intake.sender, extra={"content-encoding": "gzip"}), 415, "unsupported-media-type")
    problem(await send(program, intake.sender, content_type="application/cloudevents-batch+json"), 415, "unsupported-media-type")


async def test_refusals_come_in_the_senders_language(intake: Intake, program: httpx.AsyncClient) -> None:
    answer = await send(program, intake.sender, b"{", extra={"accept-language": "fr"})
    assert answer.headers["content-language"] == "fr"
    assert answer.json()["title"] == translate("fr", "problem.malformed-body.title")


# ---- CloudEvents ----


async def test_a_structured_cloud_event_is_accepted(intake: Intake, program: httpx.AsyncClient) -> None:
    event = {
        "specversion": "1.0",
        "id": "7",
        "source": "https://example.org/practices",
        "type": "practice.submitted",
        "time": "2026-06-16T09:00:00Z",
        "data": example()["data"],
    }
    answer = await send(program, intake.sender, event, content_type="application/cloudevents+json")
    assert answer.status_code == 202, answer.text
    [kept] = await intake.rows("SELECT dialect, source, event_id FROM receipts")
    assert (kept.dialect, kept.source, kept.event_id) == ("cloudevents-structured", "https://example.org/practices", "7")


async def test_a_binary_cloud_event_is_accepted_and_its_headers_count_as_content(intake: Intake, program: httpx.AsyncClient) -> None:
    body = body_of(example()["data"])
    attributes = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/practices", "ce-type": "practice.submitted"}
    assert (await send(program, intake.sender, body, extra=attributes)).status_code == 202
    assert (await send(program, intake.sender, body, extra=attributes)).json()["duplicate"] is True
    problem(await send(program, intake.sender, body, extra={**attributes, "ce-id": "8"}), 409, "id-reused")
    problem(await send(program, intake.sender, body, "msg_2", extra={**attributes, "ce-type": "date.suggested"}), 422, "invalid")


async def test_a_sender_of_cloud_events_may_ask_first(intake: Intake, program: httpx.AsyncClient) -> None:
    asked = {"webhook-request-origin": "events.example.org", "webhook-request-rate": "120"}
    answer = await program.options(intake.sender.path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["webhook-allowed-origin"] == "events.example.org"
    assert answer.headers["webhook-allowed-rate"] == "120"
    problem(await program.options("/intake/webhooks/nobody", headers=asked), 404, "no-such-partner")


# ---- dry run ----


async def test_a_dry_run_passes_every_check_and_keeps_nothing(intake: Intake, program: httpx.AsyncClient) -> None:
    answer = await send(program, intake.sender, query="?dry_run=1")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "receipt": None,
        "id": "msg_1",
        "type": "practice.submitted",
        "duplicate": False,
        "status_url": None,
        "dry_run": True,
    }
    assert await intake.counts() == NOTHING
    assert (await intake.rows("SELECT last_used_at FROM partner_keys"))[0][0] is None


async def test_a_dry_run_refuses_what_the_door_refuses(intake: Intake, program: httpx.AsyncClient) -> None:
    stranger = Sender(id=intake.sender.id, secret="whsec_" + base64.b64encode(b"x" * 32).decode())
    problem(await send(program, stranger, query="?dry_run=1"), 401, "signature")
    problem(await send(program, intake.sender, example(objectives=[24]), query="?dry_run=1"), 422, "invalid")
    first = (await send(program, intake.sender)).json()
    problem(await send(program, intake.sender, example(entity="Another City"), query="?dry_run=1"), 409, "id-reused")
    again = await send(program, intake.sender, query="?dry_run=1")
    assert again.json() == {**first, "duplicate": True, "dry_run": True}
    assert await intake.counts() == ONE_OF_EACH


@pytest.mark.parametrize(("query", "status"), [("?dry_run=true", 200), ("?dry_run=yes", 200), ("?dry_run=0", 202), ("?dry_run=", 202)])
async def test_whoever_may_have_meant_a_dry_run_gets_one(intake: Intake, program: httpx.AsyncClient, query: str, status: int) -> None:
    assert (await send(program, intake.sender, query=query)).status_code == status


# ---- limits ----


async def test_a_partner_that_sends_too_much_is_told_when_to_come_again(intake: Intake, program: httpx.AsyncClient) -> None:
    modest = await add_sender(intake.database, intake.vault, "Modest City", rate_per_minute=2)
    for number in range(2):
        assert (await send(program, modest, event_id=f"msg_{number}")).status_code == 202
    answer = await send(program, modest, event_id="msg_2")
    problem(answer, 429, "too-many-requests")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("2", "0")
    assert (await send(program, intake.sender)).status_code == 202


async def test_what_strangers_send_does_not_use_up_a_partners_quota(intake: Intake, program: httpx.AsyncClient) -> None:
    modest = await add_sender(intake.database, intake.vault, "Modest City", rate_per_minute=1)
    stranger = Sender(id=modest.id, secret="whsec_" + base64.b64encode(b"x" * 32).decode())
    for number in range(5):
        problem(await send(program, stranger, event_id=f"msg_{number}"), 401, "signature")
    assert (await send(program, modest)).status_code == 202


async def test_a_stranger_who_goes_on_guessing_is_slowed_down(intake: Intake) -> None:
    app = door_app(intake.database, intake.vault, Patience(refused_tries=3, refused_refill_seconds=600))
    async with client_of(app) as client:
        for number in range(3):
            problem(await client.post(f"/intake/webhooks/{number}", content=b"{}"), 404, "no-such-partner")
        answer = await client.post("/intake/webhooks/3", content=b"{}")
    problem(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["ratelimit-remaining"] == "0"


async def test_many_copies_at_once_are_kept_once(intake: Intake, program: httpx.AsyncClient) -> None:
    body = body_of(example())
    async with client_of(intake.app) as other:
        answers = await asyncio.gather(*(send(client, intake.sender, body) for client in (program, other) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["receipt"] for answer in answers}) == 1
    assert [answer.json()["duplicate"] for answer in answers].count(False) == 1
    assert await intake.counts() == ONE_OF_EACH
