"""What senders leave behind that die or stop, and what comes late."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.newsletter.addresses import open_book
from services.newsletter.sending import ledger
from services.newsletter.sending.ledger import Ended, Start
from services.newsletter.sending.rules import CRASHED, STOPPED, AudienceState, Claim, SendState
from shared.db import Database
from shared.ids import new_id
from shared.migrations import migrate
from tests.newsletter.senders import VAULT, at_work, sending, state_is, until, until_over
from tests.newsletter.sending import QUICK, attempts_of, rows_of, send_now, sender_on, standing_of, subscribe
from tests.shared.mail_server import HANGS, says, scripted


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


async def _claimed(database: Database, sender: UUID) -> list[Claim]:
    async with database.transaction() as tx:
        book = await open_book(tx, VAULT)
        return list(await ledger.claim(tx, sender, 100, book.open))


async def _be_dead(database: Database, sender: UUID) -> None:
    async with database.transaction() as tx:
        await ledger.be_seen(tx, sender, name="dead", connections=1, trouble="")
        await tx.execute(text("UPDATE senders SET seen_at = now() - interval '1 hour' WHERE id = :id"), {"id": sender})


async def _database_has_run_for_a_while(database: Database) -> None:
    async def long_enough() -> bool:
        async with database.transaction() as tx:
            asked = text("SELECT pg_postmaster_start_time() < now() - make_interval(secs => :patience)")
            return bool((await tx.execute(asked, {"patience": QUICK.dead_seconds})).scalar_one())

    await until(long_enough)


async def test_of_a_dead_sender_the_claimed_goes_again_and_the_started_is_uncertain_for_good(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue, dead = await send_now(database), new_id()
    claims = {claim.address: claim for claim in await _claimed(database, dead)}
    async with database.transaction() as tx:
        assert len(await ledger.record(tx, dead, [], [Start(claim=claims["a@example.org"], link=3)])) == 1
    await _be_dead(database, dead)
    await _database_has_run_for_a_while(database)
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        assert [message.count(b"To: b@example.org") for message in server.messages] == [1]
    states = {row.subscriber_id: (row.state, row.reason, row.link) for row in await rows_of(database, issue)}
    assert states == {ids["a@example.org"]: ("uncertain", CRASHED, 3), ids["b@example.org"]: ("accepted", "", 0)}
    (attempt,) = await attempts_of(database, ids["a@example.org"])
    assert (attempt.outcome, attempt.sender) == ("uncertain", dead)
    async with database.transaction() as tx:
        assert [row.subscriber_id for row in await ledger.uncertain_rows(tx, issue)] == [ids["a@example.org"]]


async def test_sender_taken_for_dead_may_still_tell_what_happened(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org"])
    issue, slow = await send_now(database), new_id()
    (claim,) = await _claimed(database, slow)
    async with database.transaction() as tx:
        await ledger.record(tx, slow, [], [Start(claim=claim, link=0)])
    await _be_dead(database, slow)
    await _database_has_run_for_a_while(database)
    async with database.transaction() as tx:
        assert await ledger.take_over(tx, QUICK.dead_seconds) == 1
    ended = Ended(claim=claim, state=AudienceState.ACCEPTED, phase="dot", code=250, reply="Ok", message_id="<x@y>", link=0)
    for _ in range(2):  # a commit whose end was not known is repeated
        async with database.transaction() as tx:
            await ledger.record(tx, slow, [ended], [])
    (row,) = await rows_of(database, issue)
    assert (row.state, row.attempts) == ("accepted", 2)
    assert Counter(attempt.outcome for attempt in await attempts_of(database, ids["a@example.org"])) == {"uncertain": 1, "accepted": 1}


async def test_claim_that_was_taken_over_cannot_start(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    await send_now(database)
    slow, quick = new_id(), new_id()
    (old,) = await _claimed(database, slow)
    await _be_dead(database, slow)
    await _database_has_run_for_a_while(database)
    async with database.transaction() as tx:
        await ledger.take_over(tx, QUICK.dead_seconds)
        assert await ledger.record(tx, slow, [], [Start(claim=old, link=0)]) == set()
    (new,) = await _claimed(database, quick)
    async with database.transaction() as tx:
        assert await ledger.record(tx, slow, [], [Start(claim=old, link=0)]) == set()
        assert len(await ledger.record(tx, quick, [], [Start(claim=new, link=0)])) == 1
        # What the slow one now tells of its own, older claim changes nothing.
        refused = Ended(claim=old, state=AudienceState.REFUSED, reason="address", phase="rcpt", code=550, reply="No", message_id="<x@y>")
        await ledger.record(tx, slow, [refused], [])
    assert await state_is(database, new.subscriber_id, AudienceState.STARTED)


async def test_rows_of_a_claim_that_nobody_heard_of_are_given_back(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue, sender = await send_now(database), new_id()
    known, _ = await _claimed(database, sender)
    async with database.transaction() as tx:
        assert await ledger.give_back_unknown(tx, sender, [known]) == 1
    states = {row.subscriber_id: row.state for row in await rows_of(database, issue)}
    assert states.pop(known.subscriber_id) == "claimed"
    assert list(states.values()) == ["planned"]


async def test_sender_that_is_stopped_gives_back_what_it_had_not_started(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(8)])
    issue = await send_now(database)
    async with scripted(DOT=HANGS) as server:
        sender = await sender_on(database, VAULT, replace(server.address, connections=1), pace=replace(QUICK, stop_seconds=0.2))
        async with at_work(sender):
            async with asyncio.timeout(60):
                await server.began.wait()
    standing = await standing_of(database, issue)
    assert (standing.planned, standing.uncertain, standing.in_hand) == (7, 1, 0)
    (lost,) = [row for row in await rows_of(database, issue) if row.state == "uncertain"]
    assert lost.reason == STOPPED


async def test_mail_in_hand_is_ended_before_a_sender_stops(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with scripted(DOT=says("250 Ok", after_seconds=0.5)) as server, sending(database, server):
        async with asyncio.timeout(60):
            await server.began.wait()
    standing = await standing_of(database, issue)
    assert (standing.accepted, standing.planned, standing.uncertain) == (1, 1, 0)


async def test_database_that_is_away_in_mid_flow_leaves_nothing_uncertain(database: Database, postgres: Any) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(60)])
    issue = await send_now(database)
    async with scripted(DOT=[says("250 Ok", after_seconds=0.02)] * 60) as server, sending(database, server, connections=3):
        for _ in range(3):
            async with asyncio.timeout(60):
                seen = len(server.messages)
                while len(server.messages) < min(seen + 5, 60):
                    await asyncio.sleep(0.005)
            await asyncio.to_thread(postgres.crash)
            await asyncio.to_thread(postgres.start)
        await until(lambda: _over_again(database, issue))
        assert Counter(server.messages).most_common(1)[0][1] == 1
    standing = await standing_of(database, issue)
    assert (standing.accepted, standing.uncertain) == (60, 0)


async def _over_again(database: Database, issue: UUID) -> bool:
    try:
        return (await standing_of(database, issue)).state is SendState.SENT
    except (DBAPIError, OSError):
        return False


async def test_where_nobody_wants_spans_nothing_is_kept_of_copies(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with scripted() as server, sending(database, server) as sender:
        await until_over(database, issue)
        assert sender._commits.stretches._open == {}
