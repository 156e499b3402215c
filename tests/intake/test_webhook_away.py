"""PostgreSQL away, full or hanging: the sender is told to come again, and what it sends then is kept once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from sqlalchemy.engine import make_url

from services.intake.web.webhook_accept import AT_ONCE, Patience
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


@asynccontextmanager
async def cut_line(url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A line to the database of `url` whose connections fall silent once the event is set, as behind a firewall that forgot them.

    Connections made after that work.
    """
    found = make_url(url)
    host, port = str(found.query.get("host") or found.host), str(found.query.get("port") or found.port)
    cut = asyncio.Event()
    pumping: set[asyncio.Task[None]] = set()
    ends: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lives: bool) -> None:
        while data := await reader.read(65_536):
            if not (lives and cut.is_set()):
                writer.write(data)
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_socket = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}") if host.startswith("/") else asyncio.open_connection(host, port)
        further = await to_socket
        old = not cut.is_set()
        ends.extend((writer, further[1]))
        pumping.update(asyncio.create_task(pump(*pair, old)) for pair in ((reader, further[1]), (further[0], writer)))

    line = await asyncio.start_server(join, "127.0.0.1", 0)
    here = found.set(host="127.0.0.1", port=line.sockets[0].getsockname()[1], query={})
    yield here.render_as_string(hide_password=False), cut
    line.close()
    for task in pumping:
        task.cancel()
    for end in ends:
        end.close()
    await asyncio.gather(*pumping, *(end.wait_closed() for end in ends), return_exceptions=True)


async def test_connections_that_fall_silent_are_replaced_within_seconds(intake: Intake) -> None:
    async with cut_line(intake.url) as (url, cut):
        database = Database(url, "intake")
        async with client_of(door_app(database, intake.vault, IMPATIENT)) as client:
            assert (await send(client, intake.sender, event_id="before")).status_code == 202
            cut.set()
            told_to_come_again(await send(client, intake.sender))
            async with asyncio.timeout(20):
                while (await send(client, intake.sender)).status_code != 202:
                    await asyncio.sleep(0.05)
        await database.close()
    assert (await intake.counts())["submissions"] == 2


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


async def test_a_flood_of_webhooks_leaves_connections_for_the_pages(
    intake: Intake, program: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with intake.database.transaction() as tx:
        await tx.exec_driver_sql("LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE")
        flood = [asyncio.create_task(send(program, intake.sender, event_id=f"msg_{number}")) for number in range(40)]
        while (await intake.rows(waiting))[0][0] < AT_ONCE:
            await asyncio.sleep(0.01)
        assert (await reader.get("/practices/")).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*flood)} == {202}


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


async def test_a_data_key_that_is_gone_is_our_trouble_and_not_the_senders(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    await intake.rows("UPDATE partner_keys SET sealed = 'gone' RETURNING id")
    async with client_of(door_app(intake.database, intake.vault, Patience(refused_tries=1))) as client:
        for _ in range(3):
            told_to_come_again(await send(client, intake.sender))
    assert "TIDINGS_DATA_KEYS" in caplog.text
