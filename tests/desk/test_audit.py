"""The audit trail: whole, in order, and found out when somebody changed it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from services.__main__ import app as command_line
from services.desk.handlers import LISTENS
from services.desk.trail import FIRST, hash_of, verify
from shared import clock
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.events.registry import TOPICS_OF
from shared.i18n import look_up
from shared.ids import new_id
from shared.listening import Received
from tests.desk.desk_app import Desk
from tests.desk.wire import records_of
from tests.shared.web_app import Page

AUDIT = "/desk/audit"


def decision(number: int, who: str = "p-1") -> Received[DecisionMade]:
    data = DecisionMade(who=who, what="accept", about="practice", title={"en": f"Practice <{number}>"}, reason=f"Reason {number}")
    return Received(
        id=new_id(),
        type=DecisionMade.type,
        subject=f"s-{number}",
        time=clock.now(),
        cause="a-request",
        trace_id=new_id().hex,
        revision=1,
        historic=False,
        data=data,
    )


async def add(desk: Desk, events: Sequence[Received[DecisionMade]]) -> None:
    async with desk.database.transaction() as tx:
        await LISTENS[DecisionMade.type].handle(tx, events)


async def tamper(database: Database, statement: str) -> None:
    """Do what the owner of the table can do."""
    async with database.transaction() as tx:
        await tx.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        await tx.execute(text(statement))
        await tx.execute(text("ALTER TABLE audit ENABLE TRIGGER ALL"))


def tidings(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(command_line, arguments, env={"TIDINGS_DATABASE": url, "TIDINGS_KAFKA": "127.0.0.1:1"})


async def command(desk: Desk, *arguments: str) -> Result:
    return await asyncio.to_thread(tidings, desk.database.url, *arguments)


async def test_decisions_stand_in_a_chain_that_holds(desk: Desk) -> None:
    await add(desk, [decision(number) for number in range(3)])
    await add(desk, [decision(3)])
    async with desk.database.transaction() as tx:
        verdict = await verify(tx)
    assert (verdict.rows, verdict.broken) == (4, None)
    said = await command(desk, "audit", "verify")
    assert (said.exit_code, said.stdout.strip()) == (0, verdict.head)
    assert "4 rows" in said.stderr


TOLD = (
    ("accept", "practice"),
    ("schedule", "issue"),
    ("unschedule", "issue"),
    ("end", "issue"),
    ("settle", "issue"),
    ("test-mail", "issue"),
    ("live", "post"),
    ("suppress", "subscriber"),
    ("lift-suppression", "subscriber"),
    ("erase", "subscriber"),
    ("redrive-all", "event"),
    ("accept-report", "pledge"),
    ("reopen", "date"),
    ("add", "partner"),
    ("add-secret", "partner"),
    ("add-key", "partner"),
    ("revoke-key", "partner"),
)


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
@pytest.mark.parametrize(("what", "about"), TOLD)
def test_what_services_tell_has_words_in_every_language(what: str, about: str, language: str) -> None:
    assert look_up(language, f"staff.audit.did.{what}")[1] == language
    assert look_up(language, f"staff.audit.on.{about}")[1] == language


async def test_an_empty_trail_holds(desk: Desk) -> None:
    said = await command(desk, "audit", "verify", "--json")
    assert json.loads(said.stdout) == {"rows": 0, "head": FIRST, "broken": None}


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        pytest.param("UPDATE audit SET said = replace(said, 'accept', 'decline') WHERE number = 2", 2, id="what was decided"),
        pytest.param("UPDATE audit SET said = replace(said, 'p-1', 'p-2') WHERE number = 3", 3, id="who decided"),
        pytest.param("UPDATE audit SET time = time + interval '1 microsecond' WHERE number = 1", 1, id="when"),
        pytest.param("UPDATE audit SET subject = 'other' WHERE number = 2", 2, id="on what"),
        pytest.param("UPDATE audit SET cause = 'other' WHERE number = 2", 2, id="why it came about"),
        pytest.param("UPDATE audit SET event_id = gen_random_uuid() WHERE number = 2", 2, id="by which event"),
        pytest.param("UPDATE audit SET hash = repeat('0', 64) WHERE number = 2", 2, id="its hash"),
        pytest.param("DELETE FROM audit WHERE number = 2", 2, id="one taken out"),
        pytest.param("DELETE FROM audit WHERE number = 1", 1, id="the first taken out"),
        pytest.param(
            "DELETE FROM audit WHERE number = 2; UPDATE audit SET number = number - 1 WHERE number > 2", 2, id="and the gap closed"
        ),
    ],
)
async def test_the_first_row_that_does_not_hold_is_named(desk: Desk, statement: str, row: int) -> None:
    await add(desk, [decision(number) for number in range(5)])
    for one in statement.split("; "):
        await tamper(desk.database, one)
    said = await command(desk, "audit", "verify")
    assert said.exit_code == 1
    assert f"Row {row} of the audit trail does not hold" in said.stderr
    machine = await command(desk, "audit", "verify", "--json")
    assert (machine.exit_code, json.loads(machine.stdout)["broken"]["number"]) == (1, row)


async def test_an_end_that_was_cut_off_is_found_by_a_hash_noted_before(desk: Desk) -> None:
    await add(desk, [decision(number) for number in range(4)])
    noted = (await command(desk, "audit", "verify")).stdout.strip()
    await add(desk, [decision(4)])
    assert (await command(desk, "audit", "verify", "--head", noted)).exit_code == 0
    await tamper(desk.database, "DELETE FROM audit WHERE number > 3")
    assert (await command(desk, "audit", "verify")).exit_code == 0
    cut = await command(desk, "audit", "verify", "--head", noted)
    assert cut.exit_code == 1
    assert "Row 4" in cut.stderr


@pytest.mark.parametrize("statement", ["UPDATE audit SET subject = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
async def test_the_table_refuses_to_be_changed(desk: Desk, statement: str) -> None:
    await add(desk, [decision(0)])
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with desk.database.transaction() as tx:
            await tx.execute(text(statement))


async def test_rows_that_come_from_many_sides_at_once_make_one_chain(desk: Desk) -> None:
    await asyncio.gather(*(add(desk, [decision(side * 10 + number) for number in range(5)]) for side in range(8)))
    async with desk.database.transaction() as tx:
        verdict = await verify(tx)
    assert (verdict.rows, verdict.broken) == (40, None)


async def test_what_an_admin_does_reaches_the_trail_once_through_the_wire(desk: Desk) -> None:
    alex = await desk.add(Role.ADMIN)
    async with desk.browser(alex) as admin:
        noor = {"name": "Noor", "mail": "noor@example.org", "roles": ["drafter"]}
        person = (await admin.post("/desk/people/", data=noor)).headers["location"].rpartition("/")[2]
        for verb in ("disable", "enable", "sign-out-everywhere"):
            await admin.post(f"/desk/people/{person}/{verb}")
        consumer = Consumer("desk", desk.database, LISTENS, TOPICS_OF)
        records = await records_of(desk.database)
        await consumer.take(records)
        await consumer.take(records)
        page = Page((await admin.get(AUDIT)).text)
        given = (await admin.get(f"{AUDIT}.json")).json()
    assert page.faults == []
    assert "Alex Example" in page.text
    rows = given["rows"]
    assert [(row["said"]["who"], row["said"]["what"]) for row in rows] == [
        ("tidings person", "add"),
        *((alex.id, what) for what in ("add", "disable", "enable", "sign-out-everywhere")),
    ]
    assert "example.org" not in json.dumps([row["said"] for row in rows])


async def test_the_export_is_enough_to_check_the_chain_elsewhere(desk: Desk) -> None:
    await add(desk, [decision(number) for number in range(3)])
    rows = json.loads((await command(desk, "audit", "export")).stdout)
    head = FIRST
    for row in rows:
        head = hash_of(
            head,
            number=row["number"],
            event_id=UUID(row["event_id"]),
            time=datetime.fromisoformat(row["time"]),
            subject=row["subject"],
            cause=row["cause"],
            trace_id=row["trace_id"],
            said=row["said_as"],
        )
        assert head == row["hash"]
    assert len(rows) == 3


async def test_the_page_says_decisions_in_the_readers_language_and_shows_a_code_that_has_no_words(desk: Desk) -> None:
    unheard = decision(2)
    unheard = replace(unheard, data=unheard.data.model_copy(update={"what": "put-to-music", "about": "opera"}))
    await add(desk, [decision(1), unheard])
    async with desk.browser(await desk.add(Role.AUDITOR)) as auditor:
        page = (await auditor.get(f"{AUDIT}?lang=fr")).text
    assert "<td>acceptation</td>" in page
    assert "<td>pratique\u00a0: " in page
    assert '<td><span lang="en" dir="ltr">put to music</span></td>' in page
    assert '<td><span lang="en" dir="ltr">opera</span>\u00a0: ' in page


async def test_the_page_shows_texts_as_text_and_goes_on(desk: Desk) -> None:
    await add(desk, [decision(number) for number in range(60)])
    async with desk.browser(await desk.add(Role.AUDITOR)) as auditor:
        page = Page((await auditor.get(AUDIT)).text)
        assert page.faults == []
        assert "Practice <59>" in page.text
        assert "Practice <9>" not in page.text
        assert "Practice <9>" in Page((await auditor.get(f"{AUDIT}?page=2")).text).text
        for odd in ("page=x", "page=-1", "page=99999"):
            assert (await auditor.get(f"{AUDIT}?{odd}")).status_code == 200
        assert [row["number"] for row in (await auditor.get(f"{AUDIT}.json?after=58")).json()["rows"]] == [59, 60]
