"""The webhook door: accepted requests a second beside a server that does nothing, and from its 202 to the effect elsewhere."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from bench.figures import Figure, committed_at, percentile, show
from bench.submissions import TABLES, arrived
from bench.workers import worker
from services.intake.kinds.catalogue import body_of
from services.intake.store import partners
from shared.db import Database
from shared.events.kinds.pledge import PledgeSubmission
from shared.migrations import migrate
from shared.process import open_port
from shared.testing import trial
from shared.vault import Vault, new_key

CONNECTIONS = 50
REQUESTS = 6_000
RATE, SECONDS = 100, 15
POLL_SECONDS = 0.05
NO_LIMIT_PER_MINUTE = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A partner who signs, and the bytes that it sends."""

    partner: UUID
    secret: str

    def request(self, number: int) -> bytes:
        """Return one signed request as it goes over the wire."""
        body = json.dumps(body_of(PledgeSubmission, PledgeSubmission.example)).encode()
        message_id, stamp = f"msg_{number}", str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        head = (
            f"POST /intake/webhooks/{self.partner} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"webhook-id: {message_id}\r\nwebhook-timestamp: {stamp}\r\nwebhook-signature: v1,{base64.b64encode(signed).decode()}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def measure(database_url: str, kafka: str) -> None:
    """Measure and show everything about the door."""
    await migrate(database_url, ["intake"])
    await trial.make_schemas(database_url)
    key = new_key()
    intake = Database(database_url, "intake")
    async with intake.transaction() as tx:
        new = await partners.add_partner(tx, Vault([key]), name="Bench", contact="bench@example.org", rate_per_minute=NO_LIMIT_PER_MINUTE)
    sender = Sender(partner=new.id, secret=new.secret)
    with closing(open_port("127.0.0.1", 0)) as spare:
        port = spare.getsockname()[1]
    with worker("bare", str(port)):
        bare, _ = await _send(port, [sender.request(number) for number in range(REQUESTS)])
    with worker("door", database_url, kafka, key, str(port)):
        accepted, waits = await _send(port, [sender.request(number) for number in range(REQUESTS, 2 * REQUESTS)])
    show(
        f"Webhooks of {len(sender.request(0)):,} bytes on {CONNECTIONS} connections, one process",
        [
            Figure(
                what="accepted: verified, one commit, then 202",
                value=accepted,
                unit="/s",
                ceiling=bare,
                ceiling_is="a server that only says 202",
            ),
            Figure(what="answered, 99 of 100 within", value=1000 * percentile(waits, 99), unit="ms"),
        ],
    )
    delays = await _to_effect(database_url, kafka, key, port, sender)
    show(
        f"From a webhook's 202 to the effect in another service, {RATE} a second",
        [
            Figure(what="half of them within", value=1000 * percentile(delays, 50), unit="ms", aim=50, lower_is_better=True),
            Figure(what="99 of 100 within", value=1000 * percentile(delays, 99), unit="ms", aim=200, lower_is_better=True),
        ],
    )
    await intake.close()


async def _send(port: int, requests: Sequence[bytes]) -> tuple[float, list[float]]:
    """Send all requests on CONNECTIONS connections, each waiting for its answer; return the rate and each answer's time in seconds."""
    waits: list[float] = []

    async def one(mine: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in mine:
            began = time.perf_counter()
            writer.write(request)
            await _accepted(reader)
            waits.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(requests[start::CONNECTIONS]) for start in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - began), waits


async def _accepted(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(f"the door answered {head[:300]!r}")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return await reader.readexactly(length)


async def _to_effect(database_url: str, kafka: str, key: str, port: int, sender: Sender) -> list[float]:
    listener = Database(database_url, trial.LISTENER)
    async with listener.transaction() as tx:
        await tx.run_sync(TABLES.create_all)
    answered: dict[UUID, float] = {}
    with ExitStack() as stack:
        stack.enter_context(worker("submissions", database_url, kafka))
        stack.enter_context(worker("door", database_url, kafka, key, str(port)))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.perf_counter()
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            writer.write(sender.request(10_000_000 + number))
            receipt = json.loads(await _accepted(reader))["receipt"]
            answered[UUID(receipt)] = time.time()
        writer.close()
        async with asyncio.timeout(60):
            while await _count(listener, answered) < len(answered):
                await asyncio.sleep(POLL_SECONDS)
    async with listener.transaction() as tx:
        rows = (await tx.execute(select(arrived.c.receipt, committed_at(arrived)))).all()
    await listener.close()
    ends = {row.receipt: row.committed_at.timestamp() for row in rows}
    # The first second is the start of the processes.
    return [ends[receipt] - at for receipt, at in list(answered.items())[RATE:]]


async def _count(listener: Database, answered: dict[UUID, float]) -> int:
    async with listener.transaction() as tx:
        found = await tx.execute(select(arrived.c.receipt))
        return len(answered.keys() & {row.receipt for row in found})
