"""One-off mails while the process that sends them is killed in mid flow, again and again: nobody gets one twice, none is lost unnamed."""

import asyncio
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from services.demo.inbox.kept import Inbox
from services.demo.inbox.server import demo_inbox
from shared import clock
from shared.db import Database
from shared.mail.address import Mailbox
from shared.mail.message import Content
from shared.mail.queue.hand_over import CONNECTIONS
from shared.mail.queue.put import OneOff
from shared.migrations import migrate
from shared.vault import new_key
from tests.faults.mail_life import mails_of

ROOT = Path(__file__).parents[2]
MAILS = 400
KILLS = 12
HANG_SECONDS = 120.0  # bounds only a hang


async def _until_more(inbox: Inbox, wanted: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while len(inbox.newest_first()) < wanted:
            await asyncio.sleep(0.002)


async def test_each_mail_arrives_once_or_is_named_uncertain_though_its_sender_is_killed(database_url: str) -> None:
    await migrate(database_url, ["intake"])
    database, key, rng = Database(database_url, "intake"), new_key(), random.Random(4)
    hits = 0
    async with demo_inbox() as running:
        mails = mails_of(running.server.port, key)
        async with database.transaction() as tx:
            for number in range(MAILS):
                content = Content(language="en", subject=f"Mail {number}", text="Words. " * 40)
                expires_at = clock.now() + timedelta(days=1)
                to = Mailbox(address=f"reader{number}@example.net")
                await mails.put(tx, OneOff(purpose="test", about=str(number), to=to, content=content, expires_at=expires_at))

        async def begin() -> asyncio.subprocess.Process:
            arguments = ("-m", "tests.faults.mail_life", database_url, str(running.server.port), key)
            return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)

        for _ in range(KILLS):
            life = await begin()
            before = len(running.inbox.newest_first())
            await _until_more(running.inbox, before + rng.randint(1, MAILS // KILLS // 2))
            life.kill()
            await life.wait()
            async with database.transaction() as tx:
                hits += (await tx.execute(text("SELECT count(*) FROM mails WHERE state = 'started'"))).scalar_one() > 0
        last = await begin()
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                async with database.transaction() as tx:
                    if not (await tx.execute(text("SELECT count(*) FROM mails WHERE state IN ('waiting', 'started')"))).scalar_one():
                        break
                await asyncio.sleep(0.1)
        last.kill()
        await last.wait()
    async with database.transaction() as tx:
        rows = (await tx.execute(text("SELECT about, state FROM mails"))).all()
    await database.close()
    arrived = Counter(mail.subject.removeprefix("Mail ") for mail in running.inbox.newest_first())
    states = {row.about: row.state for row in rows}
    assert max(arrived.values()) == 1, "somebody got a mail twice"
    assert set(states.values()) <= {"accepted", "uncertain"}
    assert {about for about, state in states.items() if state == "accepted"} <= set(arrived)
    assert {about for about in states if about not in arrived} <= {about for about, state in states.items() if state == "uncertain"}
    uncertain = Counter(states.values())["uncertain"]
    assert uncertain <= CONNECTIONS * KILLS
    assert len(states) == MAILS
    assert hits > 0, "no kill hit a mail that was being handed over: the test shows nothing"
