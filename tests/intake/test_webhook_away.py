"""PostgreSQL away, full or hanging: the sender is told to come again, and what it sends then is kept once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from services.intake.web.webhook_accept import Patience
from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.databases import run_apart
from shared.testing.ports import reserved_port
from tests.intake.intake_app import Intake, client_of, door_app, send
from tests.intake.test_webhook_door import ONE_OF_EACH, problem

IMPATIENT = Patience(database_seconds=0.5)


def told_to_come_again(answer: httpx.Response) -> None:
    problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """A server that takes connections and never says a word, as a database does whose machine hangs."""
    async with AsyncExitStack() as stack:

        def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            stack.callback(writer.close)

        listening = await asyncio.start_server(keep, "127.0.0.1", 0)
        yield f"postgresql://tidings@127.0.0.1:{listening.sockets[0].getsockname()[1]}/tidings"
        listening.close()


async def test_without_a_database_the_sender_is_told_to_come_again(intake: Intake) -> None:
    with reserved_port() as port:
        database = Database(f"postgresql://tidings@127.0.0.1:{port}/tidings", "intake")
        async with client_of(door_app(database, intake.vault, Patience())) as client:
            told_to_come_again(await send(client, intake.sender))
        await database.close()


async def test_a_database_that_hangs_does_not_hang_the_sender(intake: Intake) -> None:
    async with silent_server() as url:
        database = Database(url, "intake")
        async with client_of(door_app(database, intake.vault, IMPATIENT)) as client:
            async with asyncio.timeout(5):
                told_to_come_again(await send(client, intake.sender))
        await database.close()


async def test_when_every_connection_is_taken_the_sender_is_told_to_come_again(intake: Intake) -> None:
    database = Database(intake.url, "intake", pool_size=1)
    async with client_of(door_app(database, intake.vault, IMPATIENT)) as client:
        async with database.transaction(), database.transaction():  # all that the pool has, those above its size included
            told_to_come_again(await send(client, intake.sender))
        assert (await send(client, intake.sender)).status_code == 202
    await database.close()


async def test_a_partner_row_that_somebody_holds_too_long_costs_no_event(intake: Intake) -> None:
    async with client_of(door_app(intake.database, intake.vault, IMPATIENT)) as client:
        async with intake.database.transaction() as tx:
            await tx.exec_driver_sql("LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE")
            told_to_come_again(await send(client, intake.sender))
        answer = await send(client, intake.sender)
    assert answer.status_code == 202
    assert await intake.counts() == ONE_OF_EACH


async def test_once_the_database_is_back_the_same_request_is_accepted(
    intake: Intake, program: httpx.AsyncClient, postgres: EmbeddedPostgres
) -> None:
    run_apart(asyncio.to_thread(postgres.stop))
    told_to_come_again(await send(program, intake.sender))
    run_apart(asyncio.to_thread(postgres.start))
    answers = [await send(program, intake.sender) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["receipt"] == answers[1].json()["receipt"]
    assert await intake.counts() == ONE_OF_EACH


async def test_the_form_too_tells_people_to_come_again(intake: Intake, reader: httpx.AsyncClient, postgres: EmbeddedPostgres) -> None:
    run_apart(asyncio.to_thread(postgres.stop))
    answer = await reader.get("/practices/")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    run_apart(asyncio.to_thread(postgres.start))


async def test_a_data_key_that_is_gone_is_our_trouble_and_not_the_senders(
    intake: Intake, program: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await intake.rows("UPDATE partner_keys SET sealed = 'gone' RETURNING id")
    told_to_come_again(await send(program, intake.sender))
    assert "TIDINGS_DATA_KEYS" in caplog.text
