"""`tidings sender`: one more process that sends what the ledger says."""

import asyncio
import sys
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select

from services.newsletter.posting import AGAIN_SECONDS, Posting
from services.newsletter.sending.issues import standing
from services.newsletter.sending.progress import line
from services.newsletter.sending.rules import SendState
from services.newsletter.sending.tables import sends
from shared import command
from shared.command import CommandError, say
from shared.db import Database, is_away
from shared.parts import Parts
from shared.process import ending_by_signal

SHOW_SECONDS = 2.0


def sender() -> None:
    """Run one more sender of the newsletter, beside those in its service; Ctrl-C ends it cleanly."""
    command.run(_send(command.parts_of(command.found_settings())))


async def _send(parts: Parts) -> None:
    ending = ending_by_signal()
    if parts.outgoing.server is None:
        raise CommandError("No mail server is set; set TIDINGS_SMTP, for example to smtp://user:password@mail.example.org")
    database = parts.database("newsletter")
    if not await database.migrated():
        raise CommandError("The newsletter's tables are missing: run `tidings migrate`.")
    say(f"This sender hands issues to {parts.outgoing.server.host} over up to {parts.outgoing.server.connections} connections.")
    tasks = [asyncio.create_task(work) for work in (_again(parts, database), _show(database), _ended(ending))]
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
    """Print how far each issue has come, whenever that has changed."""
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
                    sys.stderr.write(f"{each.issue_id} {said}\n")
        await asyncio.sleep(SHOW_SECONDS)
