"""What slows an issue down, holds it or ends it, and what never leaves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from services.newsletter.addresses import open_book
from services.newsletter.sending import issues, ledger
from services.newsletter.sending.ledger import Ended, Start
from services.newsletter.sending.rules import REFUSALS_THAT_HOLD, AudienceState, Claim, Hold, SendState, content_hash, slow_for
from services.newsletter.sending.tables import sends, slow_ways, subscribers
from shared import clock
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.mail.smtp import Envelope
from shared.migrations import migrate
from tests.newsletter.senders import PATIENCE, VAULT, at_work, reason_is, sending, state_is, until, until_over
from tests.newsletter.sending import QUICK, VARIANTS, approve, rows_of, send_now, sender_on, standing_of, subscribe, write_copy
from tests.shared.mail_server import ScriptedServer, says, scripted


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


async def test_domain_that_is_told_to_wait_waits_and_others_go_on(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@busy.example" for number in range(5)] + [f"{number}@free.example" for number in range(5)])
    issue = await send_now(database)
    async with database.transaction() as tx:  # the busy ones first
        await tx.execute(text("UPDATE audience SET next_at = now() - interval '1 hour' WHERE domain = 'busy.example'"))
    async with scripted(RCPT=says("450 4.7.1 Too many from you")) as server, sending(database, server):
        await until(lambda: _accepted(database, issue, 5))
        standing = await standing_of(database, issue)
        assert (standing.accepted, standing.deferred, standing.planned + standing.in_hand) == (5, 1, 4)
        assert Counter(message.count(b"@busy.example") for message in server.messages) == {0: 5}
        async with database.transaction() as tx:
            (way,) = (await tx.execute(select(slow_ways))).all()
        assert (way.way, way.step, way.because) == ("busy.example", 1, "4.7.1 Too many from you")


async def test_why_a_domain_waits_is_kept_without_the_readers_address(database: Database) -> None:
    await subscribe(database, VAULT, ["reader@busy.example"])
    await send_now(database)
    async with scripted(RCPT=says("450 4.7.1 <Reader@busy.example> gets too many")) as server, sending(database, server):
        await until(lambda: _slowed(database, "busy.example"))
    async with database.transaction() as tx:
        (way,) = (await tx.execute(select(slow_ways))).all()
    assert way.because == "4.7.1 <(recipient)> gets too many"


async def _accepted(database: Database, issue: UUID, count: int) -> bool:
    return (await standing_of(database, issue)).accepted >= count


async def test_server_that_closes_with_421_gets_a_rest(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(5)])
    issue = await send_now(database)
    async with scripted(DOT=says("421 4.3.2 Shutting down", drops=True)) as server, sending(database, server):
        await until(lambda: _slowed(database, "*"))
        await asyncio.sleep(0.3)
        standing = await standing_of(database, issue)
        assert (standing.deferred, standing.accepted, len(server.messages)) == (1, 0, 1)


async def _slowed(database: Database, way: str) -> bool:
    async with database.transaction() as tx:
        return (await tx.execute(select(slow_ways).where(slow_ways.c.way == way))).first() is not None


async def test_rests_grow_while_nothing_is_accepted_and_are_forgotten_then(database: Database) -> None:
    for step in (1, 2, 3):
        async with database.transaction() as tx:
            at = await ledger.slow_down(tx, "busy.example", "4.7.1")
            assert await ledger.slow_down(tx, "busy.example", "4.7.1") == at  # told twice at once, it is one slowing
        async with database.transaction() as tx:
            (way,) = (await tx.execute(select(slow_ways))).all()
            assert way.step == step
            await tx.execute(update(slow_ways).values(until=text("now() - interval '1 second'")))
    assert slow_for(1) < slow_for(2) < slow_for(30) == slow_for(31)
    async with database.transaction() as tx:
        await ledger.forget_slowness(tx, ["busy.example"])
        assert (await tx.execute(select(slow_ways))).all() == []


async def test_refusals_that_are_no_readers_fault_hold_the_issue(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(REFUSALS_THAT_HOLD + 30)])
    issue = await send_now(database)
    async with scripted(RCPT=[says("550 5.7.1 Blocked")] * 1000) as server, sending(database, server):
        await until(lambda: _is_held(database, issue))
        await asyncio.sleep(0.3)
    standing = await standing_of(database, issue)
    assert (standing.held_because, standing.refused, standing.in_hand) == (Hold.REFUSALS, REFUSALS_THAT_HOLD, 0)
    async with database.transaction() as tx:
        assert await issues.resume(tx, issue, expires_at=clock.now() + timedelta(days=1))
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        assert len(server.messages) == 30


async def test_claims_that_come_in_after_the_hold_ask_the_server_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(REFUSALS_THAT_HOLD + 10)])
    issue = await send_now(database)
    claim, before = ledger.claim, 0

    async def late(*args: Any) -> Sequence[Claim]:
        nonlocal before
        found = await claim(*args)
        if before >= REFUSALS_THAT_HOLD:  # made while the issue was on its way, known to the sender when it no longer is
            await until(lambda: _is_held(database, issue))
        before += len(found)
        return found

    monkeypatch.setattr(ledger, "claim", late)
    async with scripted(RCPT=[says("550 5.7.1 Blocked")] * 1000) as server, sending(database, server):
        await until(lambda: _claimed_and_over(database, issue))
    assert (await standing_of(database, issue)).refused == REFUSALS_THAT_HOLD


async def _claimed_and_over(database: Database, issue: UUID) -> bool:
    rows = await rows_of(database, issue)
    in_hand = any(row.state in {AudienceState.CLAIMED.value, AudienceState.STARTED.value} for row in rows)
    return not in_hand and sum(row.epoch > 0 for row in rows) > REFUSALS_THAT_HOLD


async def _is_held(database: Database, issue: UUID) -> bool:
    return (await standing_of(database, issue)).state is SendState.HELD


async def test_unwelcome_sender_waits_and_blames_no_reader(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with scripted(greeting=[says("554 5.7.1 On a list")] * 6) as server, sending(database, server, connections=2) as sender:
        await until(lambda: _trouble(database, "554"))
        await until_over(database, issue)
        assert (await standing_of(database, issue)).accepted == 2
        assert (sender.trouble, server.links >= 4) == ("", True)
    assert {row.attempts for row in await rows_of(database, issue)} == {1}


async def _trouble(database: Database, words: str) -> bool:
    async with database.transaction() as tx:
        return any(words in trouble for trouble in (await tx.execute(text("SELECT trouble FROM senders"))).scalars())


async def test_nothing_leaves_while_sending_is_paused(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(3)])
    issue = await send_now(database)
    may = False

    async def may_send(tx: Transaction) -> bool:
        return may

    async with scripted() as server:
        sender = await sender_on(database, VAULT, replace(server.address, connections=1), patience=PATIENCE)
        sender._may_send = sender._commits._may_send = may_send
        async with at_work(sender):
            await asyncio.sleep(0.5)
            assert (server.messages, (await standing_of(database, issue)).planned) == ([], 3)
            may = True
            await until_over(database, issue)


async def test_pause_reaches_what_is_already_claimed(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(4)])
    issue = await send_now(database)
    may = True

    async def may_send(tx: Transaction) -> bool:
        return may

    async def pause_meanwhile(claim: Claim, variant: Any, name: str) -> Envelope:
        nonlocal may
        may = False
        return await write_copy(claim, variant, name)

    async with scripted() as server:
        sender = await sender_on(database, VAULT, replace(server.address, connections=1), patience=PATIENCE)
        sender._may_send = sender._commits._may_send = may_send
        sender._write = pause_meanwhile
        async with at_work(sender):
            await until(lambda: _waits(database, issue, 4))
            assert server.messages == []


async def _waits(database: Database, issue: UUID, count: int) -> bool:
    found = await standing_of(database, issue)
    return found.planned == count and not found.in_hand


async def test_what_is_not_what_was_approved_never_leaves(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    changed = {**VARIANTS, "en": {**VARIANTS["en"], "text": "Good news,"}}
    async with database.transaction() as tx:
        await tx.execute(update(sends).values(variants=changed))
    async with scripted() as server, sending(database, server):
        await until(lambda: _is_held(database, issue))
        await asyncio.sleep(0.2)
        assert server.messages == []
    standing = await standing_of(database, issue)
    assert (standing.held_because, standing.planned) == (Hold.CONTENT, 1)


async def test_what_is_not_what_was_approved_cannot_be_scheduled(database: Database) -> None:
    now = clock.now()
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="approved"):
            await issues.schedule(
                tx, new_id(), variants=VARIANTS, approved_hash=content_hash({"en": {}}), fallback="en", starts_at=now, expires_at=now
            )


async def test_content_approved_anew_does_not_leave_under_an_older_claim(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    anew = {**VARIANTS, "en": {**VARIANTS["en"], "text": "Better news."}}

    async def change_meanwhile(claim: Claim, variant: Any, name: str) -> Envelope:
        async with database.transaction() as tx:
            await tx.execute(update(sends).values(variants=anew, approved_hash=content_hash(anew)))
        return await write_copy(claim, variant, name)

    async with scripted() as server, sending(database, server, write=change_meanwhile):
        await until_over(database, issue)
        (message,) = server.messages
    assert b"Better news." in message


async def test_issue_whose_time_is_over_is_held_and_goes_when_a_person_says_so(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue, now = new_id(), clock.now()
    async with database.transaction() as tx:
        hash_ = content_hash(VARIANTS)
        over = now - timedelta(minutes=1)
        await approve(tx, issue)
        await issues.schedule(
            tx, issue, variants=VARIANTS, approved_hash=hash_, fallback="en", starts_at=over - timedelta(days=9), expires_at=over
        )
        assert await issues.begin_due(tx) == []
    standing = await standing_of(database, issue)
    assert (standing.state, standing.held_because, standing.audience) == (SendState.HELD, Hold.EXPIRED, 0)
    async with database.transaction() as tx:
        assert await issues.resume(tx, issue, expires_at=now + timedelta(hours=1))
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        assert len(server.messages) == 1


async def test_issue_that_expires_on_its_way_is_held(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with database.transaction() as tx:
        await tx.execute(update(sends).values(expires_at=text("now() - interval '1 second'")))
        assert await issues.end_what_is_over(tx) == []
    standing = await standing_of(database, issue)
    assert (standing.state, standing.held_because, standing.planned) == (SendState.HELD, Hold.EXPIRED, 2)


async def test_held_issue_can_be_ended_for_those_who_wait(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with database.transaction() as tx:
        assert await issues.leave_out_the_rest(tx, issue) == 0  # it is on its way
        assert await issues.hold(tx, issue, Hold.EXPIRED)
        assert await issues.leave_out_the_rest(tx, issue) == 2
        assert await issues.end_what_is_over(tx) == [issue]
    standing = await standing_of(database, issue)
    assert (standing.state, standing.excluded, standing.waiting) == (SendState.SENT, 2, 0)
    assert {row.reason for row in await rows_of(database, issue)} == {"ended"}


SENDER_ID = new_id()


async def test_nothing_leaves_of_an_ended_issue_that_somebody_had_in_hand(database: Database) -> None:
    await subscribe(database, VAULT, ["claimed@a.example", "started@a.example"])
    issue = await send_now(database)
    async with database.transaction() as tx:
        book = await open_book(tx, VAULT)
        one, other = await ledger.claim(tx, SENDER_ID, 10, book.open)
        assert await ledger.record(tx, SENDER_ID, [], [Start(claim=other, link=0)])
    async with database.transaction() as tx:
        assert await issues.hold(tx, issue, Hold.PERSON)
        left_out = await issues.leave_out_the_rest(tx, issue)
    async with database.transaction() as tx:
        assert not await ledger.record(tx, SENDER_ID, [], [Start(claim=one, link=1)])
        later = Ended(claim=other, state=AudienceState.DEFERRED, phase="rcpt", code=450, next_at=clock.now() - timedelta(seconds=1))
        await ledger.record(tx, SENDER_ID, [later], [])
    async with database.transaction() as tx:
        assert not await ledger.claim(tx, SENDER_ID, 10, book.open)
        await issues.end_what_is_over(tx)
    standing = await standing_of(database, issue)
    assert left_out == 1
    assert (standing.state, standing.held_because, standing.excluded, standing.deferred) == (SendState.HELD, Hold.EXPIRED, 1, 1)


async def test_address_that_cannot_be_opened_holds_up_nobody_else(database: Database) -> None:
    people = await subscribe(database, VAULT, ["bad@a.example", "good@a.example"])
    async with database.transaction() as tx:
        await tx.execute(update(subscribers).where(subscribers.c.id == people["bad@a.example"]).values(address=b"not sealed by us"))
    issue = await send_now(database)
    async with scripted() as server, sending(database, server):
        await until(lambda: state_is(database, people["good@a.example"], AudienceState.ACCEPTED))
        await until(lambda: reason_is(database, people["bad@a.example"], "unwritable"))
    assert (await standing_of(database, issue)).planned == 1


async def test_issue_that_cannot_begin_holds_up_no_other(database: Database) -> None:
    await subscribe(database, VAULT, ["one@a.example"])
    bad, good = new_id(), new_id()
    async with database.transaction() as tx:
        for issue, ago in ((bad, 9), (good, 1)):
            await approve(tx, issue)
            starts_at, expires_at = clock.now() - timedelta(seconds=ago), clock.now() + timedelta(days=1)
            await issues.schedule(
                tx,
                issue,
                variants=VARIANTS,
                approved_hash=content_hash(VARIANTS),
                fallback="en",
                starts_at=starts_at,
                expires_at=expires_at,
            )

    async def moved(tx: Transaction, issue: UUID) -> None:
        if issue == bad:
            await tx.execute(text("SELECT 1 / 0"))

    async with database.transaction() as tx:
        assert await issues.begin_due(tx, moved) == [good]
    assert (await standing_of(database, bad)).state is SendState.HELD
    assert (await standing_of(database, good)).state is SendState.SENDING


async def test_connections_do_not_rest_open_between_issues(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    async with scripted() as server, sending(database, server, pace=replace(QUICK, idle_seconds=0.2)):
        await until_over(database, issue)

        async def left() -> bool:
            return server.heard[-1] == "QUIT"

        await until(left)
        await send_now(database)
        await until(lambda: _told(server, 2))
        assert server.links == 2


async def _told(server: ScriptedServer, count: int) -> bool:
    return len(server.messages) == count


async def test_no_more_than_the_rate_leaves(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(11)])
    issue = await send_now(database)
    began = asyncio.get_running_loop().time()
    async with scripted() as server, sending(database, server, connections=4, pace=replace(QUICK, rate_per_second=20.0)):
        await until_over(database, issue)
        assert len(server.messages) == 11
    assert asyncio.get_running_loop().time() - began >= 10 / 20
