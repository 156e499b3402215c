"""One-off mails: put in the transaction that decides, handed over once, and an end for every answer."""

import asyncio
import email
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Row, text

from shared import clock, i18n
from shared.db import Database
from shared.mail import letter
from shared.mail.address import Mailbox
from shared.mail.headers import HeaderError
from shared.mail.message import Content
from shared.mail.outgoing import Outgoing
from shared.mail.queue import hand_over, holding, store
from shared.mail.queue.hand_over import HandOver, forget
from shared.mail.queue.put import Mails, OneOff
from shared.mail.server import MailServer
from shared.mail.smtp import Connection, Patience
from shared.migrations import migrate
from shared.vault import Vault, new_key
from tests.shared.mail_keys import signer
from tests.shared.mail_server import DROPS, HANGS, says, scripted

READER = "amina@example.net"
SECRET = "https://example.org/confirm/very-secret-token"
# Bounds only hangs of a test; what each asks for comes at once.
PATIENT = Patience(connect=30, command=30, data=30, dot=30)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of a service that sends one-off mails."""
    await migrate(database_url, ["intake"])
    opened = Database(database_url, "intake")
    yield opened
    await opened.close()


def _mails(server: MailServer | None, vault: Vault | None = None) -> Mails:
    sender = Mailbox(address="desk@example.org", name="Réseau")
    return Mails(vault or Vault([new_key()]), Outgoing(sender=sender, domain="example.org", signer=signer(), server=server))


def _one_off(to: str = READER, *, about: str = "1", minutes: float = 30) -> OneOff:
    content = Content(language="fr", subject="Confirmez", text=f"Votre lien : {SECRET}\n")
    return OneOff(
        purpose="confirm-address",
        about=about,
        to=Mailbox(address=to, name="أمينة"),
        content=content,
        expires_at=clock.now() + timedelta(minutes=minutes),
    )


async def _put(database: Database, mails: Mails, *given: OneOff) -> None:
    async with database.transaction() as tx:
        for mail in given or (_one_off(),):
            await mails.put(tx, mail)


async def _rows(database: Database) -> list[Row[Any]]:
    async with database.transaction() as tx:
        return list((await tx.execute(text("SELECT * FROM mails ORDER BY created_at, id"))).all())


async def _row(database: Database) -> Row[Any]:
    [row] = await _rows(database)
    return row


async def test_a_mail_leaves_once_and_its_recipient_and_text_are_erased(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)
        await _put(database, mails)
        over = HandOver(mails, patience=PATIENT)
        assert await over.run(database) == 1
        assert await over.run(database) == 0
    [message] = [email.message_from_bytes(raw) for raw in server.messages]
    assert SECRET in message.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["DKIM-Signature"]
    assert f"RCPT TO:<{READER}>" in server.heard
    row = await _row(database)
    assert (row.state, row.attempts, row.sealed) == ("accepted", 1, None)
    assert row.answer == "250 2.0.0 Ok: queued as 4F1A2B3C"


async def test_nothing_of_it_can_be_read_in_the_database(database: Database) -> None:
    mails = _mails(None)
    await _put(database, mails)
    row = await _row(database)
    shown = repr(tuple(row)).encode() + bytes(row.sealed)
    assert READER.encode() not in shown
    assert b"very-secret-token" not in shown


async def test_a_mail_whose_transaction_fails_never_leaves(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)

        async def decide_and_fail() -> None:
            async with database.transaction() as tx:
                await mails.put(tx, _one_off())
                raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            await decide_and_fail()
        assert await HandOver(mails).run(database) == 0
    assert server.links == 0


async def test_what_no_mail_can_carry_is_refused_when_it_is_put(database: Database) -> None:
    mails = _mails(None)
    async with database.transaction() as tx:
        with pytest.raises(HeaderError):
            await mails.put(tx, replace(_one_off(), content=Content(language="en", subject="a\nBcc: b", text="")))
    assert await _rows(database) == []


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [
        ("RCPT", "550 5.1.1 <amina@example.net> unknown", "refused"),
        ("DOT", "554 5.7.1 spam", "refused"),
        ("RCPT", "450 4.2.1 greylisted", "waiting"),
        ("DOT", "451 4.3.0 try later", "waiting"),
        ("MAIL", "452 4.3.1 full", "waiting"),
    ],
)
async def test_each_answer_ends_where_it_belongs(database: Database, step: str, answer: str, state: str) -> None:
    async with scripted(**{step: says(answer)}) as server:
        mails = _mails(server.address)
        await _put(database, mails)
        assert await HandOver(mails, patience=PATIENT).run(database) == 0
    row = await _row(database)
    assert row.state == state
    assert (row.sealed is None) is (state != "waiting")
    assert READER not in row.answer
    assert row.answer == answer.replace(READER, "(recipient)")
    if state == "waiting":
        assert row.next_at - row.created_at >= timedelta(minutes=5)


async def test_what_became_of_mails_is_counted_by_purpose_and_cause(database: Database) -> None:
    def counted(outcome: str, because: str = "") -> float:
        labels = {"service": "intake", "purpose": "confirm-address", "outcome": outcome, "because": because}
        return REGISTRY.get_sample_value("tidings_mails_total", labels) or 0.0

    before = {case: counted(*case) for case in (("accepted",), ("refused", "address"), ("refused", "policy"))}
    async with scripted(RCPT=says("550 5.1.1 unknown"), DOT=says("554 5.7.1 spam")) as server:
        mails = _mails(server.address)
        for about in "123":
            await _put(database, mails, _one_off(about=about))
            await HandOver(mails, patience=PATIENT).run(database)
    assert {case: counted(*case) - before[case] for case in before} == dict.fromkeys(before, 1)


async def test_a_put_off_mail_is_tried_again_when_its_pause_is_over(database: Database) -> None:
    async with scripted(RCPT=says("450 4.2.1 greylisted")) as server:
        mails = _mails(server.address)
        await _put(database, mails)
        over = HandOver(mails, patience=PATIENT)
        await over.run(database)
        assert await over.run(database) == 0  # it rests
        async with database.transaction() as tx:
            await tx.execute(text("UPDATE mails SET next_at = now()"))
        assert await over.run(database) == 1
    row = await _row(database)
    assert (row.state, row.attempts) == ("accepted", 2)


async def test_a_link_dropped_after_the_dot_leaves_it_uncertain_and_it_is_not_sent_again(database: Database) -> None:
    async with scripted(DOT=DROPS) as server:
        mails = _mails(server.address)
        await _put(database, mails)
        over = HandOver(mails, patience=PATIENT)
        for _ in range(3):
            assert await over.run(database) == 0
    row = await _row(database)
    assert (row.state, row.sealed) == ("uncertain", None)
    assert len(server.messages) == 1


async def test_a_mail_in_hand_ends_when_the_process_is_asked_to_end_and_the_next_one_waits(database: Database) -> None:
    async with scripted(DOT=says("250 2.0.0 Ok", after_seconds=0.3)) as server:
        mails = _mails(replace(server.address, connections=1))
        await _put(database, mails, _one_off(about="1"), _one_off(about="2"))
        running = asyncio.create_task(HandOver(mails, patience=PATIENT).run(database))
        await server.began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert sorted(row.state for row in await _rows(database)) == ["accepted", "waiting"]


async def test_a_mail_is_durably_started_before_its_first_byte_leaves(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_over, "STOP_SECONDS", 0.1)
    async with scripted(DOT=HANGS) as server:
        mails = _mails(server.address)
        await _put(database, mails)
        running = asyncio.create_task(HandOver(mails, patience=PATIENT).run(database))
        await server.began.wait()
        assert (await _row(database)).state == "started"
        running.cancel()  # as when the process is ended
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await _row(database)).state == "started"
        crashed = {"service": database.service, "purpose": "", "outcome": "uncertain", "because": "crashed"}
        before = REGISTRY.get_sample_value("tidings_mails_total", crashed) or 0.0
        assert await HandOver(mails, patience=PATIENT).run(database) == 0
        assert REGISTRY.get_sample_value("tidings_mails_total", crashed) == before + 1
    row = await _row(database)
    assert (row.state, row.sealed) == ("uncertain", None)
    assert "process ended" in row.answer
    assert len(server.messages) == 1


async def test_what_is_known_after_all_takes_the_place_of_uncertain(database: Database) -> None:
    mails = _mails(None)
    await _put(database, mails)
    mail_id = (await _row(database)).id
    async with database.transaction() as tx:
        await store.start(tx, mail_id, clock.now())
        await store.give_up_started(tx, clock.now())
        await store.end(tx, mail_id, store.MailState.ACCEPTED, now=clock.now(), answer="250")
    assert (await _row(database)).state == "accepted"


async def test_one_that_was_given_up_cannot_wait_again_without_its_text(database: Database) -> None:
    mails = _mails(None)
    await _put(database, mails)
    mail_id = (await _row(database)).id
    async with database.transaction() as tx:
        await store.start(tx, mail_id, clock.now())
        await store.give_up_started(tx, clock.now())
        await store.put_off(tx, mail_id, next_at=clock.now(), answer="451")
    assert (await _row(database)).state == "uncertain"


async def test_a_late_mail_is_not_sent(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)
        await _put(database, mails, _one_off(minutes=-1))
        assert await HandOver(mails, patience=PATIENT).run(database) == 0
    row = await _row(database)
    assert (row.state, row.sealed, row.attempts) == ("expired", None, 0)
    assert server.messages == []


async def test_one_that_becomes_late_while_the_server_is_asked_is_not_sent(database: Database) -> None:
    mails = _mails(None)
    await _put(database, mails)
    async with database.transaction() as tx:
        assert not await store.start(tx, (await _row(database)).id, clock.now() + timedelta(hours=1))


async def test_a_server_that_is_away_costs_no_try_and_is_not_asked_every_second(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted() as server:
        away = server.address
    mails = _mails(away)
    await _put(database, mails)
    over = HandOver(mails, patience=PATIENT)
    asked = 0

    class Counted(Connection):
        async def open(self) -> None:
            nonlocal asked
            asked += 1
            await super().open()

    monkeypatch.setattr(hand_over, "Connection", Counted)
    assert await over.run(database) == 0
    first = asked
    assert first > 0
    assert await over.run(database) == 0
    assert asked == first
    row = await _row(database)
    assert (row.state, row.attempts) == ("waiting", 0)


async def test_without_a_server_mails_wait(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    mails = _mails(None)
    await _put(database, mails)
    over = HandOver(mails)
    await over.run(database)
    await over.run(database)
    assert (await _row(database)).state == "waiting"
    assert [record.message for record in caplog.records if "TIDINGS_SMTP" in record.message][1:] == []
    assert "TIDINGS_SMTP" in caplog.text


async def test_one_that_hangs_keeps_no_other_back(database: Database) -> None:
    async with scripted(DOT=HANGS) as server:
        mails = _mails(server.address)
        await _put(database, mails, *(_one_off(f"reader{number}@example.net") for number in range(6)))
        running = asyncio.create_task(HandOver(mails, patience=PATIENT).run(database))
        async with asyncio.timeout(60):
            while [row.state for row in await _rows(database)].count("accepted") < 5:
                await asyncio.sleep(0.05)
        await _put(database, mails, _one_off("late@example.net"))  # comes while the run still waits for the one
        async with asyncio.timeout(60):
            while [row.state for row in await _rows(database)].count("accepted") < 6:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_many_processes_send_each_mail_once(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)
        await _put(database, mails, *(_one_off(f"reader{number}@example.net") for number in range(20)))
        others = [HandOver(mails, patience=PATIENT) for _ in range(4)]
        sent = await asyncio.gather(*(one.run(database) for one in others))
    assert sum(sent) == len(server.messages) == 20
    assert {row.state for row in await _rows(database)} == {"accepted"}


async def test_a_mail_whose_key_is_gone_waits_for_it(database: Database) -> None:
    async with scripted() as server:
        await _put(database, _mails(None))
        assert await HandOver(_mails(server.address), patience=PATIENT).run(database) == 0
    row = await _row(database)
    assert row.state == "waiting"
    assert "TIDINGS_DATA_KEYS" in row.answer


async def test_the_record_of_a_mail_is_deleted_when_its_time_is_over(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)
        await _put(database, mails, _one_off(about="old"), _one_off(about="young"))
        await HandOver(mails, patience=PATIENT).run(database)
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE mails SET created_at = now() - interval '91 days' WHERE about = 'old'"))
    assert await forget(database) == 1
    assert (await _row(database)).about == "young"


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_a_letter_says_the_same_in_text_and_html(language: str) -> None:
    link = letter.Link(words="Go <on>", address="https://example.org/?a=1&b=2")
    content = letter.letter(language, "Subject", ["A & B\nsecond line", link])
    assert content.text == "A & B\nsecond line\n\nGo <on>\nhttps://example.org/?a=1&b=2\n"
    assert content.html is not None
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in content.html
    assert "A &amp; B<br>" in content.html
    assert content.html.count("https://example.org/?a=1&amp;b=2") == 3
    assert "<on>" not in content.html


async def test_what_a_restore_holds_leaves_once_a_person_says_so_and_ends_unsent_when_it_is_dropped_or_too_late(database: Database) -> None:
    async with scripted() as server:
        mails = _mails(server.address)
        over = HandOver(mails, patience=PATIENT)
        await _put(database, mails, _one_off(about="released"), _one_off(about="dropped"), _one_off(about="late"), _one_off(about="over"))
        async with database.transaction() as tx:
            await tx.execute(text("UPDATE mails SET expires_at = now() - interval '1 second' WHERE about = 'over'"))
            held = await holding.hold_all(tx, clock.now() - timedelta(hours=1))
        by_about = {row.about: row.id for row in await _rows(database)}
        assert {row.id for row in held} == set(by_about.values()) - {by_about["over"]}
        assert await over.run(database) == 0
        assert server.messages == []
        async with database.transaction() as tx:
            assert await holding.release(tx, by_about["released"]) == 1
            assert await holding.drop(tx, by_about["dropped"]) == 1
            await tx.execute(text("UPDATE mails SET expires_at = now() - interval '1 second' WHERE about = 'late'"))
            assert await holding.release(tx, by_about["late"]) == 0
        assert await over.run(database) == 1
        await forget(database)
    assert {row.about: (row.state, row.sealed) for row in await _rows(database)} == {
        "released": ("accepted", None),
        "dropped": ("uncertain", None),
        "late": ("uncertain", None),
        "over": ("expired", None),
    }


async def test_what_was_decided_before_a_restore_is_held_when_it_is_put_and_what_somebody_asks_for_now_is_not(database: Database) -> None:
    mails, moment = _mails(None), clock.now()
    await _put(database, mails, replace(_one_off(about="before any restore"), decided_at=moment))
    async with database.transaction() as tx:
        await holding.hold_all(tx, moment - timedelta(hours=1))
    await _put(database, mails, replace(_one_off(about="before"), decided_at=moment))
    await _put(database, mails, replace(_one_off(about="after"), decided_at=clock.now()), _one_off(about="asked for"))
    states = {row.about: row.state for row in await _rows(database)}
    assert states == {"before any restore": "held", "before": "held", "after": "waiting", "asked for": "waiting"}
