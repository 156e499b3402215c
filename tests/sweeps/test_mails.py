"""Mails that were decided and do not leave."""

from datetime import timedelta

import pytest

from shared import clock
from shared.mail.address import Mailbox
from shared.mail.message import Content as MailContent
from shared.mail.queue.put import OneOff
from shared.sweeps import Promise
from tests.sweeps.swept import run, sweep
from tests.watched import Watched


async def test_mails_that_do_not_leave_are_named_by_their_id_alone(system: Watched, caplog: pytest.LogCaptureFixture) -> None:
    content = MailContent(language="en", subject="Hello", text="A link.\n")
    stuck = {"mail-due": "", "mail-too-late": ", expires_at = now() - interval '20 minutes'", "mail-started": ", state = 'started'"}
    ids = {}
    for why, change in stuck.items():
        mail = OneOff(
            purpose="p", about="1", to=Mailbox(address="amina@example.net"), content=content, expires_at=clock.now() + timedelta(days=1)
        )
        async with system.database("newsletter").transaction() as tx:
            ids[why] = await system.parts.mails().put(tx, mail)
        times = "next_at = now() - interval '20 minutes', started_at = now() - interval '20 minutes'"
        await run(system, "newsletter", f"UPDATE mails SET {times}{change} WHERE id = :id", id=ids[why])
    assert set(await sweep(system, "newsletter")) == {(Promise.MAILED, why, str(id_)) for why, id_ in ids.items()}
    assert str(ids["mail-due"]) in caplog.text
    assert "amina" not in caplog.text
