"""`tidings sender`: one more process that sends what the ledger says."""

import asyncio
import logging
from contextlib import closing, suppress
from typing import Annotated
from uuid import UUID

import typer
from fastapi import FastAPI
from sqlalchemy import select

from services.newsletter.posting import AGAIN_SECONDS, Posting
from services.newsletter.sending.issues import standing
from services.newsletter.sending.progress import line
from services.newsletter.sending.rules import SendState
from services.newsletter.sending.tables import sends
from shared import command, log, spans
from shared.application import health_router
from shared.broker import Probe
from shared.cluster import cluster_of
from shared.command import CommandError
from shared.db import Database, is_away
from shared.parts import Parts
from shared.process import answering, ending_by_signal, open_port, spare_what_stays
from shared.service import Kafka, Running, Service

SHOW_SECONDS = 2.0

_log = logging.getLogger(__name__)


def sender(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer /healthz, /readyz and /metrics there; nowhere unless said.")
    ] = None,
) -> None:
    """Run one more sender of the newsletter, beside those in its service; Ctrl-C ends it cleanly."""
    command.run(_send(command.parts_of(command.found_settings()), port))


async def _send(parts: Parts, port: int | None) -> None:
    ending = ending_by_signal()
    server = parts.outgoing.server
    # One that tells how it is stands beside others and is started anew whenever it ends: it waits, as issues do.
    if server is None and port is None:
        raise CommandError("No mail server is set; set TIDINGS_SMTP, for example to smtp://user:password@mail.example.org")
    database = parts.database("newsletter")
    if not await database.migrated():
        raise CommandError("The newsletter's tables are missing: run `tidings migrate`.")
    log.configure(parts.settings.log)
    if server is None:  # who is asked how it is belongs to a system that may get its mail server later
        _log.warning("no mail server is set: issues wait until TIDINGS_SMTP names one")
    else:
        _log.info("this sender hands issues to %s over up to %d connections", server.host, server.connections)
    works = [_again(parts, database), _show(database), _ended(ending)]
    if port is not None:
        works.append(_answer(parts, database, port))
    spare_what_stays()
    async with spans.exported(parts.settings.otlp_endpoint, "newsletter"):
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await database.close()


async def _ended(ending: asyncio.Event) -> None:
    await ending.wait()


async def _answer(parts: Parts, database: Database, port: int) -> None:
    """Tell how this process is, for as long as it runs."""
    settings = parts.settings

    def nothing_gives_up(why: str) -> None:
        raise AssertionError(why)

    # The newsletter without pages and without ears: its figures are those of the whole service, whichever process is asked.
    cluster = cluster_of(settings)
    kafka = Kafka(address=cluster, embedded=False, probe=Probe(cluster))
    running = Running(Service(name="newsletter", database=database, routers=()), kafka, nothing_gives_up)
    app = FastAPI(title="Tidings", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health_router([running]))
    with closing(open_port(settings.host, port)) as web:
        async with answering(app, web, settings) as serving:
            await serving


async def _again(parts: Parts, database: Database) -> None:
    posting = Posting(parts)
    while True:
        try:
            await posting.run(database)
        except Exception as error:
            if not is_away(error):
                raise
        await asyncio.sleep(AGAIN_SECONDS)


async def _show(database: Database) -> None:
    """Log how far each issue has come, whenever that has changed."""
    shown: dict[UUID, str] = {}
    while True:
        with suppress(OSError):
            try:
                async with database.transaction() as tx:
                    moving = select(sends.c.issue_id).where(sends.c.state.in_([SendState.SENDING.value, SendState.HELD.value]))
                    issues = {*(await tx.execute(moving)).scalars(), *shown}
                    found = [each for issue in sorted(issues) if (each := await standing(tx, issue)) is not None]
            except Exception as error:
                if not is_away(error):
                    raise
                found = []
            for each in found:
                if shown.get(each.issue_id) != (said := line(each)):
                    shown[each.issue_id] = said
                    _log.info("%s %s", each.issue_id, said)
        await asyncio.sleep(SHOW_SECONDS)
