"""The webhook door behind real servers: copies on two processes at once, and bytes that no client library would send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from shared.testing.ports import reserved_port
from tests.intake.intake_app import Intake, example, send
from tests.intake.served import Server, server
from tests.intake.test_webhook_door import ONE_OF_EACH
from tests.intake.webhook_sender import body_of

COPIES = 200


@pytest.fixture
async def servers(intake: Intake) -> AsyncIterator[tuple[Server, Server]]:
    """Two processes on one database."""
    async with AsyncExitStack() as stack:
        ports = [stack.enter_context(reserved_port()) for _ in range(2)]
        first, second = [await stack.enter_async_context(server(intake, port)) for port in ports]
        yield first, second


def logged(*found: Server) -> str:
    return b"".join(line for one in found for line in one.lines).decode()


async def test_two_hundred_copies_at_once_on_two_processes_are_kept_once(intake: Intake, servers: tuple[Server, Server]) -> None:
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=COPIES)
        clients = [await stack.enter_async_context(httpx.AsyncClient(base_url=one.address, limits=limits, timeout=60)) for one in servers]
        answers = await asyncio.gather(*(send(clients[number % 2], intake.sender) for number in range(COPIES)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["receipt"] for answer in answers}) == 1
    assert [answer.json()["duplicate"] for answer in answers].count(False) == 1
    assert await intake.counts() == ONE_OF_EACH


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A request that no client library sends."""

    head: bytes  # what is sent in place of, or beside, the usual headers
    statuses: frozenset[int]
    usual: bool = True  # whether the usual, well signed headers are there too
    body: bytes | None = None
    line: bytes = b"POST %b HTTP/1.1"


MALFORMED = frozenset({400})
# A server that refuses to read a header at all answers itself, and closes.
ODDITIES = {
    "a header value in Latin-1": Odd(head=b"x-note: caf\xe9", statuses=frozenset({202})),
    "a header value of any bytes": Odd(head=b"x-note: \xff\xfe\x80", statuses=frozenset({202})),
    "a header name that is not ASCII": Odd(head=b"caf\xe9: 1", statuses=MALFORMED),
    "a signature that is not ASCII": Odd(head=b"webhook-signature: v1,\xe9\xe9", statuses=MALFORMED),
    "an id that is not ASCII": Odd(head=b"webhook-id: \xe9", statuses=MALFORMED),
    "a second id": Odd(head=b"webhook-id: another", statuses=MALFORMED),
    "a media type that is not ASCII": Odd(head=b"content-type: application/\xff", statuses=frozenset({400, 415})),
    "a language that is not ASCII": Odd(head=b"accept-language: \xff;q=\xfe", statuses=frozenset({202})),
    "a cookie that is not ASCII": Odd(head=b"cookie: \xff\xfe=\x80; tidings_lang=\xe9", statuses=frozenset({202})),
    "an origin of another site": Odd(head=b"origin: https://elsewhere.example", statuses=frozenset({202})),
    "no headers": Odd(head=b"x: 1", usual=False, statuses=frozenset({401})),
    "CloudEvents headers that are not ASCII": Odd(head=b"ce-type: \xff\r\nce-id: \xfe", statuses=MALFORMED),
    "a CloudEvents header of broken percent signs": Odd(head=b"ce-type: %ff%zz\r\nce-id: %", statuses=MALFORMED),
    "a length that is no number": Odd(head=b"content-length: many", statuses=MALFORMED),
    "a path of broken percent signs": Odd(head=b"x: 1", line=b"POST /intake/webhooks/%ff%zz HTTP/1.1", statuses=frozenset({404})),
    "a query that is not ASCII": Odd(head=b"x: 1", line=b"POST %b?dry_run=%%ff&x=%%zz HTTP/1.1", statuses=frozenset({200})),
    "a method of its own": Odd(head=b"x: 1", line=b"PROPFIND %b HTTP/1.1", statuses=frozenset({405})),
    "an old protocol": Odd(head=b"x: 1", line=b"POST %b HTTP/1.0", statuses=frozenset({202})),
}


async def knock(found: Server, request: bytes) -> tuple[int, bytes]:
    """The status and all the bytes of the answer to `request`, whose sender does not wait for it before it has sent everything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
    try:
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        body = await asyncio.wait_for(reader.readexactly(length), 30)
        return int(head.split(b" ")[1]), head + body
    finally:
        writer.close()


def request_of(intake: Intake, odd: Odd, event_id: str) -> bytes:
    body = body_of(example()) if odd.body is None else odd.body
    line = odd.line.replace(b"%b", intake.sender.path.encode()).replace(b"%%", b"%")
    headers = intake.sender.headers(body, event_id) if odd.usual else []
    lines = [line, b"host: 127.0.0.1", *(name + b": " + value for name, value in headers), odd.head]
    if b"content-length" not in odd.head:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_no_bytes_make_the_door_fail_or_tell_a_secret(intake: Intake, servers: tuple[Server, Server]) -> None:
    first, _ = servers
    found = {}
    for number, (name, odd) in enumerate(ODDITIES.items()):
        status, answer = await knock(first, request_of(intake, odd, f"odd_{number}"))
        found[name] = status
        assert intake.sender.secret.removeprefix("whsec_").encode() not in answer
    assert {name: status for name, status in found.items() if status not in ODDITIES[name].statuses} == {}
    async with httpx.AsyncClient(base_url=first.address) as client:
        assert (await send(client, intake.sender)).status_code == 202


async def test_a_large_body_is_answered_while_it_is_still_being_sent(intake: Intake, servers: tuple[Server, Server]) -> None:
    body = b" " * 1024 * 1024
    status, answer = await knock(servers[0], request_of(intake, Odd(head=b"x: 1", statuses=frozenset(), body=body), "large"))
    assert status == 413
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "/problems/too-large"
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    untold = request_of(intake, Odd(head=b"transfer-encoding: chunked\r\nx-content-length: 0", statuses=frozenset(), body=b""), "chunked")
    status, _ = await knock(servers[0], untold.removesuffix(b"\r\n\r\n") + b"\r\n\r\n" + chunk + b"0\r\n\r\n")
    assert status == 413


async def test_the_log_names_the_trace_and_neither_secrets_nor_people(intake: Intake, servers: tuple[Server, Server]) -> None:
    async with httpx.AsyncClient(base_url=servers[0].address) as client:
        receipt = (await send(client, intake.sender)).json()["receipt"]
        await send(client, intake.sender, b"{", event_id="msg_2")
        await send(client, intake.sender, {"type": "practice.submitted", "timestamp": "now", "data": {}}, event_id="msg_3")
        await client.get("/practices/")
    # The line of a request is written before its answer goes out, and this process's own lines come in order.
    while "/practices/" not in logged(servers[0]):
        await asyncio.sleep(0)
    text = logged(servers[0])
    assert receipt.replace("-", "") in text
    assert "/intake/webhooks/{partner_id}" in text
    for secret in (intake.sender.secret.removeprefix("whsec_"), "amina@example.org", "Amina", "msg_1", str(intake.sender.id)):
        assert secret not in text
