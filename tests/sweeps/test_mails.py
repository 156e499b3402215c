"""Mails that were decided and do not leave."""

from datetime import timedelta

import pytest

from services.desk import sweeps as desk
from services.desk.awaiting.mailing import StaffMails
from services.newsletter.addresses import Shelf
from services.newsletter.subscribing import wishes
from services.newsletter.subscribing.rules import Purpose
from services.newsletter.subscribing.wishes import Wish
from shared import clock
from shared.ids import new_id
from shared.mail.address import Mailbox
from shared.mail.message import Content as MailContent
from shared.mail.queue.put import OneOff
from shared.sweeps import Promise, Sweeper, found_by
from tests.sweeps.swept import put_submission, run, sweep, work
from tests.watched import PUBLIC_URL, Watched


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


async def test_a_wish_that_nobody_answers_is_named_until_its_mail_stands_in_the_queue(system: Watched) -> None:
    book = await Shelf(system.database("newsletter"), system.parts.vault).book()
    async with system.database("newsletter").transaction() as tx:
        lost, _, over = [await wishes.keep(tx, book, _wish(address)) for address in ("a@example.net", "b@example.net", "c@example.net")]
    late = "UPDATE wishes SET asked_at = now() - interval '20 minutes' WHERE id = ANY(:ids)"
    await run(system, "newsletter", late, ids=[lost, over])
    await run(system, "newsletter", "UPDATE wishes SET until = now() - interval '1 minute' WHERE id = :id", id=over)
    assert await sweep(system, "newsletter") == [(Promise.MAILED, "not-written", str(lost))]
    await work(system, "newsletter", "wishes")
    assert await sweep(system, "newsletter") == []


def _wish(address: str) -> Wish:
    return Wish(purpose=Purpose.SUBSCRIBE, address=address, language="en", page_language="en", version="1", words="Yes")


async def test_a_decision_of_which_its_sender_is_not_written_to_is_named_until_somebody_has_looked(system: Watched) -> None:
    lost, young = [await put_submission(system, "practice", "declined", decided=clock.now()) for _ in range(2)]
    notice = """
        INSERT INTO notices (id, submission_id, state, reason, decided_at)
        VALUES (:id, :id, 'declined', 'Not this time', now() - make_interval(mins => :ago))
    """
    for submission, ago in ((lost, 20), (young, 1)):
        await run(system, "intake", notice, id=submission, ago=ago)
    assert await sweep(system, "intake") == [(Promise.MAILED, "not-written", str(lost))]
    await work(system, "intake", "mails to senders")
    assert await sweep(system, "intake") == []


async def test_a_mail_that_a_service_wants_and_nobody_writes_is_named_until_the_desk_has_written_it(system: Watched) -> None:
    lost, young = new_id(), new_id()
    wanted = """
        INSERT INTO mails_wanted (event_id, person_id, template, facts, heard_at)
        VALUES (:id, 'nobody-here', 'glass-broken', '{}', now() - make_interval(mins => :ago))
    """
    for event, ago in ((lost, 20), (young, 1)):
        await run(system, "desk", wanted, id=event, ago=ago)
    assert await sweep(system, "desk") == [(Promise.MAILED, "not-written", str(lost))]
    await StaffMails(system.parts.mails(), public_url=PUBLIC_URL, zone="UTC").run(system.database("desk"))
    assert await sweep(system, "desk") == []


async def test_a_person_who_was_not_mailed_of_what_awaits_them_is_named_by_the_task(system: Watched) -> None:
    person = """
        INSERT INTO people (id, mail, name, roles, languages, active, demo, tokens_valid_from, revision, made_at)
        VALUES ('ada', 'ada@example.org', 'Ada', '{moderator}', '{en}', true, false, now(), 1, now())
    """
    task = """
        INSERT INTO awaited (id, kind, role, title, address, not_by, revision, opened_at, heard_at)
        VALUES (:id, 'review-practice', 'moderator', '{"en": "A matter"}', 'https://tidings.example.org/1', '{}', 1, now(),
            now() - make_interval(mins => :ago))
    """
    await run(system, "desk", person)
    await run(system, "desk", task, id="young", ago=1)
    sweeper, database = Sweeper(desk.sweeps_of("UTC", mails_staff=True)), system.database("desk")
    assert await sweeper.run(database) == 0
    # Older than what is gathered into one mail, and a quarter of an hour beyond that.
    await run(system, "desk", task, id="lost", ago=120)
    async with database.transaction() as tx:
        found = await found_by(tx, sweeper.sweeps)
    assert [(promise, one.why, one.id) for promise, one in found] == [(Promise.MAILED, "not-written", "lost")]
    await StaffMails(system.parts.mails(), public_url=PUBLIC_URL, zone="UTC").run(database)
    assert await sweeper.run(database) == 0
