"""`tidings sender` as operators run it, and the sending as pages see it."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from typer.testing import CliRunner

from services.__main__ import app as command_line
from services.newsletter.sending.rules import SendState
from shared.db import Database
from shared.ids import new_id
from shared.migrations import migrate
from shared.testing.ports import reserved_port
from shared.testing.sink import sink
from shared.vault import Vault, new_key
from tests.collector import Collector, collector
from tests.desk.wire import asker, system
from tests.newsletter.sending import send_now, standing_of, subscribe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as free:
        yield free


@pytest.mark.timeout(180)
async def test_sender_sends_shows_it_and_ends_cleanly(database_url: str, var: Path, port: int) -> None:
    key = new_key()
    await migrate(database_url, ["newsletter"])
    database = Database(database_url, "newsletter")
    await subscribe(database, Vault([key]), [f"{number}@example.net" for number in range(30)])
    issue = await send_now(database)
    with collector() as found:
        async with sink(var / "taken", seconds=0.0) as taken:
            environment = {
                **os.environ,
                "TIDINGS_VAR": str(var),
                "TIDINGS_DATABASE": database_url,
                "TIDINGS_KAFKA": "127.0.0.1:1",
                "TIDINGS_DATA_KEYS": key,
                "TIDINGS_OTLP_ENDPOINT": found.address,
                "TIDINGS_MAIL_FROM": "Network <news@example.org>",
                "TIDINGS_SMTP": f"smtp://127.0.0.1:{taken.port}?connections=3",
            }
            command = [sys.executable, "-m", "services", "sender", "--port", str(port)]
            process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=PIPE, cwd=ROOT)
            try:
                assert process.stderr is not None
                said = ""
                async with asyncio.timeout(120):
                    while "100.0 %" not in said:
                        line = await process.stderr.readline()
                        assert line, said
                        said = line.decode()
                    while (await standing_of(database, issue)).state is not SendState.SENT:
                        await asyncio.sleep(0.05)
                assert "audience 30 = accepted 30 + refused 0 + excluded 0 + uncertain 0 + waiting 0" in said
                assert (taken.count, set(taken.taken().values())) == (30, {1})
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as prometheus:
                    said = (await prometheus.get("/metrics")).text
                assert 'tidings_issue_mails_total{because="",outcome="accepted"} 30.0' in said
                assert "example.net" not in said
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(60):
                    assert await process.wait() == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    await database.close()
    look_at_spans(found, issue)


def look_at_spans(found: Collector, issue: UUID) -> None:
    """Look that the sending is one span in the trace of its issue, with a stretch of copies under it, and that no copy has its own."""
    spans = [span for span in found.spans() if span["traceId"] == issue.hex]
    assert {span["service"] for span in spans} == {"newsletter"}
    [whole] = [span for span in spans if span["name"] == "send issue"]
    stretches = [span for span in spans if span is not whole]
    assert (whole["spanId"], "parentSpanId" in whole) == (issue.hex[-16:], False)
    assert {(span["name"], span["parentSpanId"]) for span in stretches} == {("send copies", whole["spanId"])}
    assert sum(accepted(span) for span in stretches) == accepted(whole) == 30
    assert len(stretches) < 5
    assert "example.net" not in json.dumps(found.bodies)


def accepted(span: dict[str, Any]) -> int:
    """Return how many copies a span says were accepted."""
    counts = {one["key"]: int(one["value"]["intValue"]) for one in span["attributes"]}
    return counts.get("tidings.copies.accepted", 0)


def test_sender_without_a_mail_server_says_what_to_set(database_url: str, var: Path) -> None:
    environment = {"TIDINGS_VAR": str(var), "TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1"}
    result = CliRunner().invoke(command_line, ["sender"], env=environment)
    assert result.exit_code == 1
    assert "TIDINGS_SMTP" in result.stderr


@pytest.mark.timeout(180)
async def test_sender_in_a_container_waits_for_a_mail_server_and_is_well(database_url: str, var: Path, port: int) -> None:
    await migrate(database_url, ["newsletter"])
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
    environment = {**bare, "TIDINGS_VAR": str(var), "TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1"}
    command = [sys.executable, "-m", "services", "sender", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=PIPE, cwd=ROOT)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(120):
            assert b"issues wait" in await process.stderr.readline()
            async with httpx.AsyncClient() as client:
                while True:
                    with suppress(httpx.TransportError):
                        ready = await client.get(f"http://127.0.0.1:{port}/readyz")
                        break
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        assert ready.status_code == httpx.codes.OK
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_page_data_of_a_sending_are_for_staff(database_url: str) -> None:
    async with system(database_url) as wired:
        database = wired.databases["newsletter"]
        await subscribe(database, Vault([new_key()]), ["a@example.net"])
        issue = await send_now(database)
        address = f"/newsletter/sends/{issue}.json"
        async with asker(wired.app) as staff:
            found = (await staff.get(address)).json()
            assert (found["standing"]["audience"], found["standing"]["holds"]) == (1, True)
            assert (await staff.get(f"/newsletter/sends/{new_id()}.json")).status_code == httpx.codes.NOT_FOUND
        async with asker(wired.app, entered=False) as stranger:
            assert (await stranger.get(address)).status_code == httpx.codes.UNAUTHORIZED
