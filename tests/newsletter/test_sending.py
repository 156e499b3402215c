"""Sending an issue: who gets it, what each answer makes of a copy, and what never leaves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from services.newsletter.addresses import open_book
from services.newsletter.sending import issues, ledger
from services.newsletter.sending.ledger import Ended, Start
from services.newsletter.sending.progress import line, progress
from services.newsletter.sending.rules import (
    CRASHED,
    GAVE_UP,
    REFUSALS_THAT_HOLD,
    STOPPED,
    AudienceState,
    Claim,
    Hold,
    SendState,
    SubscriberState,
    content_hash,
    message_id,
    slow_for,
)
from services.newsletter.sending.sender import Sender
from services.newsletter.sending.tables import audience, sends, slow_ways, subscribers
from shared import clock
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.mail.schedule import HORIZON
from shared.mail.smtp import Envelope, Patience
from shared.migrations import migrate
from shared.vault import Vault, new_key
from tests.newsletter.sending import (
    HELLO,
    QUICK,
    VARIANTS,
    approve,
    attempts_of,
    rows_of,
    send_now,
    sender_on,
    standing_of,
    subscribe,
    write_copy,
)
from tests.shared.mail_server import DROPS, HANGS, Answer, ScriptedServer, says, scripted

KEY = new_key()
VAULT = Vault([KEY])
PATIENCE = Patience(dot=1.0)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


@asynccontextmanager
async def at_work(sender: Sender) -> AsyncIterator[Sender]:
    """Run a sender until the block ends."""
    running = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled(), running.exception()


@asynccontextmanager
async def sending(database: Database, server: ScriptedServer, *, connections: int = 1, **changes: Any) -> AsyncIterator[Sender]:
    """Run a sender on a scripted server until the block ends."""
    sender = await sender_on(database, VAULT, replace(server.address, connections=connections), patience=PATIENCE)
    for name, value in changes.items():
        assert hasattr(sender, f"_{name}")
        setattr(sender, f"_{name}", value)
    async with at_work(sender):
        yield sender


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Return once something holds."""
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.02)


async def until_in(database: Database, issue: UUID, *states: AudienceState) -> None:
    """Return once every row of an issue is in one of these states."""
    wanted = {state.value for state in states}

    async def all_are() -> bool:
        return {row.state for row in await rows_of(database, issue)} <= wanted

    await until(all_are)


async def until_over(database: Database, issue: UUID) -> None:
    """Return once nobody waits."""

    async def over() -> bool:
        return (await standing_of(database, issue)).state is SendState.SENT

    await until(over)


async def set_state(database: Database, subscriber: UUID, state: SubscriberState) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(subscribers).where(subscribers.c.id == subscriber).values(state=state.value))


async def make_due(database: Database, **values: Any) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(audience).where(audience.c.state == "deferred").values(next_at=text("now()"), **values))


# Who gets it.


async def test_audience_is_frozen_with_the_reason_of_everybody_left_out(database: Database) -> None:
    expected = {}
    for state in SubscriberState:
        ids = await subscribe(database, VAULT, [f"{state.value}@example.org"], state=state)
        expected[next(iter(ids.values()))] = ("planned", "") if state is SubscriberState.CONFIRMED else ("excluded", state.value)
    issue = await send_now(database)
    await subscribe(database, VAULT, ["late@example.org"])
    assert {row.subscriber_id: (row.state, row.reason) for row in await rows_of(database, issue)} == expected
    standing = await standing_of(database, issue)
    assert (standing.audience, standing.excluded, standing.waiting, standing.state) == (4, 3, 1, SendState.SENDING)


async def test_each_gets_the_variant_of_their_language_or_the_fallback(database: Database) -> None:
    for language in ("en", "fr", "ar"):
        await subscribe(database, VAULT, [f"{language}@example.org"], language=language)
    issue = await send_now(database)
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        subjects = {message.split(b"To: ")[1].split(b"@")[0]: message.split(b"Subject: ")[1].split(b"\r")[0] for message in server.messages}
    assert subjects == {b"en": b"News", b"fr": b"Nouvelles", b"ar": b"News"}


async def test_who_leaves_after_the_freeze_gets_nothing(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    await set_state(database, ids["a@example.org"], SubscriberState.UNSUBSCRIBED)
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        assert [message.count(b"To: b@example.org") for message in server.messages] == [1]
    assert {row.subscriber_id: (row.state, row.reason) for row in await rows_of(database, issue)} == {
        ids["a@example.org"]: ("excluded", "left"),
        ids["b@example.org"]: ("accepted", ""),
    }


async def test_who_leaves_in_the_last_moment_gets_nothing(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)

    async def leave_meanwhile(claim: Claim, variant: Any, name: str) -> Envelope:
        await set_state(database, claim.subscriber_id, SubscriberState.UNSUBSCRIBED)
        return await write_copy(claim, variant, name)

    async with scripted() as server, sending(database, server, write=leave_meanwhile):
        await until_over(database, issue)
        assert server.messages == []
        assert f"RCPT TO:<{next(iter(ids))}>" in server.heard  # it had come as far as that
    (row,) = await rows_of(database, issue)
    assert (row.state, row.reason) == ("excluded", "left")


# What becomes of a copy.

ANSWERS = [
    ("accepted", "DOT", says("250 2.0.0 Ok: queued as AA11"), AudienceState.ACCEPTED, "", ("dot", 250)),
    ("slow 250", "DOT", says("250 2.0.0 Ok: queued as AA11", after_seconds=0.15), AudienceState.ACCEPTED, "", ("dot", 250)),
    ("421", "MAIL", says("421 4.3.2 Closing", drops=True), AudienceState.DEFERRED, "", ("mail", 421)),
    ("450", "RCPT", says("450 4.2.1 Busy"), AudienceState.DEFERRED, "", ("rcpt", 450)),
    ("451", "DOT", says("451 4.3.0 Later"), AudienceState.DEFERRED, "", ("dot", 451)),
    ("452", "RCPT", says("452 4.3.1 No room"), AudienceState.DEFERRED, "", ("rcpt", 452)),
    ("454", "DOT", says("454 Throttling failure"), AudienceState.DEFERRED, "", ("dot", 454)),
    ("550", "RCPT", says("550 5.1.1 Unknown"), AudienceState.REFUSED, "address", ("rcpt", 550)),
    ("552 full", "RCPT", says("552 5.2.2 Full"), AudienceState.DEFERRED, "", ("rcpt", 552)),
    ("552 too large", "DOT", says("552 5.3.4 Too big"), AudienceState.REFUSED, "message", ("dot", 552)),
    ("554", "DOT", says("554 5.7.1 Spam"), AudienceState.REFUSED, "policy", ("dot", 554)),
    ("several lines", "RCPT", says("550-5.1.1 Un\n550 5.1.1 known"), AudienceState.REFUSED, "address", ("rcpt", 550)),
    ("garbage before the dot", "RCPT", says("\x00<html>"), AudienceState.DEFERRED, "", ("rcpt", 0)),
    ("dropped before the dot", "RCPT", DROPS, AudienceState.DEFERRED, "", ("rcpt", 0)),
    ("garbage after the dot", "DOT", says("\x00<html>"), AudienceState.UNCERTAIN, "unanswered", ("dot", 0)),
    ("dropped after the dot", "DOT", DROPS, AudienceState.UNCERTAIN, "unanswered", ("dot", 0)),
    ("silent after the dot", "DOT", HANGS, AudienceState.UNCERTAIN, "unanswered", ("dot", 0)),
]


def _counted(state: AudienceState, reason: str) -> float:
    return REGISTRY.get_sample_value("tidings_issue_mails_total", {"outcome": state.value, "because": reason}) or 0.0


@pytest.mark.parametrize(("step", "answer", "state", "reason", "tried"), [pytest.param(*case[1:], id=case[0]) for case in ANSWERS])
async def test_each_answer_ends_where_it_belongs_and_is_logged(
    database: Database, step: str, answer: Answer, state: AudienceState, reason: str, tried: tuple[str, int]
) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org"])
    subscriber = ids["a@example.org"]
    issue = await send_now(database)
    answers = [answer, answer] if step == "MAIL" else [answer]
    before = _counted(state, reason)
    async with scripted(**{step: answers}) as server, sending(database, server):
        await until_in(database, issue, state)
        taken = len(server.messages)
        (row,) = await rows_of(database, issue)
        (attempt,) = await attempts_of(database, subscriber)
        assert (row.state, row.reason, row.attempts) == (state, reason, 1)
        assert _counted(state, reason) == before + 1
        assert (attempt.outcome, (attempt.phase, attempt.code)) == (state, tried)
        assert attempt.message_id == message_id(issue, subscriber, HELLO)
        if state is AudienceState.DEFERRED:
            assert row.next_at - row.first_at > timedelta(minutes=4)
        elif state is AudienceState.ACCEPTED:
            assert attempt.queue_id == "AA11"
    async with scripted() as again, sending(database, again):  # and nothing of it goes again by itself
        await until(lambda: standing_of(database, issue))
        await asyncio.sleep(0.3)
        assert (again.messages, taken) == ([], 1 if step == "DOT" else 0)


async def test_what_a_server_answers_is_kept_without_the_readers_address(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["reader@example.org"])
    issue = await send_now(database)
    async with scripted(RCPT=says("550 5.1.1 <Reader@Example.org>: no such user")) as server, sending(database, server):
        await until_in(database, issue, AudienceState.REFUSED)
    [attempt] = await attempts_of(database, ids["reader@example.org"])
    assert "<(recipient)>: no such user" in attempt.reply
    assert "reader@" not in attempt.reply.lower()


async def test_deferred_copy_goes_when_it_is_due_with_the_same_message_id(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    async with scripted(DOT=says("451 4.3.0 Later")) as server, sending(database, server):
        await until_in(database, issue, AudienceState.DEFERRED)
        await make_due(database)
        await until_over(database, issue)
        first, second = server.messages
    assert first == second
    tried = await attempts_of(database, ids["a@example.org"])
    assert [(attempt.epoch, attempt.outcome) for attempt in tried] == [(1, "deferred"), (2, "accepted")]


async def test_copy_deferred_for_too_long_is_given_up(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    async with scripted(RCPT=[says("450 4.2.1 Busy")] * 2) as server, sending(database, server):
        await until_in(database, issue, AudienceState.DEFERRED)
        await make_due(database, first_at=clock.now() - HORIZON)
        await until_over(database, issue)
    (row,) = await rows_of(database, issue)
    assert (row.state, row.reason, row.attempts) == ("refused", GAVE_UP, 2)


async def test_copy_that_cannot_be_written_holds_up_nobody_else(database: Database) -> None:
    ids = await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)

    async def stumble(claim: Claim, variant: Any, name: str) -> Envelope:
        if claim.address == "a@example.org":
            raise KeyError("a slot without a value")
        return await write_copy(claim, variant, name)

    async with scripted() as server, sending(database, server, write=stumble):
        await until(lambda: _state_is(database, ids["b@example.org"], AudienceState.ACCEPTED))
        await until(lambda: _reason_is(database, ids["a@example.org"], "unwritable"))
    assert (await standing_of(database, issue)).planned == 1


async def test_database_that_is_away_is_no_fault_of_a_copy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue, read = await send_now(database), issues.approved_variants
    away = [OSError("the database is away"), OSError("still")]

    async def read_at_last(*arguments: Any) -> Any:
        if away:
            raise away.pop()
        return await read(*arguments)

    monkeypatch.setattr(issues, "approved_variants", read_at_last)
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
        assert (len(server.messages), away) == (1, [])


async def _state_is(database: Database, subscriber: UUID, state: AudienceState) -> bool:
    async with database.transaction() as tx:
        found = await tx.execute(select(audience.c.state).where(audience.c.subscriber_id == subscriber))
        return bool(found.scalar_one() == state.value)


async def _reason_is(database: Database, subscriber: UUID, reason: str) -> bool:
    async with database.transaction() as tx:
        found = await tx.execute(select(audience.c.reason).where(audience.c.subscriber_id == subscriber))
        return bool(found.scalar_one() == reason)


# What slows and what stops.


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
        await until(lambda: _state_is(database, people["good@a.example"], AudienceState.ACCEPTED))
        await until(lambda: _reason_is(database, people["bad@a.example"], "unwritable"))
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


# What is left by the dead, and what comes late.


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
    assert await _state_is(database, new.subscriber_id, AudienceState.STARTED)


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


# What is kept and shown.


async def test_attempts_cannot_be_changed(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org"])
    issue = await send_now(database)
    async with scripted() as server, sending(database, server):
        await until_over(database, issue)
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.transaction() as tx:
            await tx.execute(text("UPDATE attempts SET outcome = 'refused'"))


def test_message_id_belongs_to_issue_and_subscriber() -> None:
    one, two, three = new_id(), new_id(), new_id()
    assert message_id(one, two, HELLO) == message_id(one, two, HELLO)
    assert len({message_id(one, two, HELLO), message_id(one, three, HELLO), message_id(three, two, HELLO)}) == 3


async def test_addresses_are_sealed_and_found_again(database: Database) -> None:
    await subscribe(database, VAULT, ["Reader@Example.org"])
    async with database.transaction() as tx:
        book = await open_book(tx, VAULT)
        (row,) = (await tx.execute(select(subscribers))).all()
        assert b"eader" not in row.address
        assert book.open(row.address) == "Reader@Example.org"
        assert book.hash(" reader@example.ORG ") == row.address_hash
        # The keys of the vault rotate; the hash stays what it was.
        again = await open_book(tx, Vault([new_key(), KEY]))
        assert again.hash("reader@example.org") == row.address_hash


async def test_progress_is_told_for_page_and_terminal(database: Database) -> None:
    await subscribe(database, VAULT, [f"{number}@example.org" for number in range(4)])
    issue = await send_now(database)
    async with scripted(DOT=[DROPS], RCPT=[says("250 Ok"), says("550 5.1.1 No")]) as server, sending(database, server):
        await until_over(database, issue)
        async with database.transaction() as tx:
            found = await progress(tx, issue)
            standing = await issues.standing(tx, issue)
            assert await progress(tx, new_id()) is None
    assert found is not None
    assert standing is not None
    told = orjson.loads(orjson.dumps(found))
    counts = {"audience": 4, "accepted": 2, "refused": 1, "uncertain": 1, "excluded": 0, "waiting": 0, "holds": True, "state": "sent"}
    assert {name: told["standing"][name] for name in counts} == counts
    assert (told["uncertain_by"], told["senders"][0]["name"], told["slow"]) == ({"unanswered": 1}, "test", [])
    assert line(standing) == "100.0 %  audience 4 = accepted 2 + refused 1 + excluded 0 + uncertain 1 + waiting 0  (sent)"


async def test_equation_that_does_not_hold_is_seen(database: Database) -> None:
    await subscribe(database, VAULT, ["a@example.org", "b@example.org"])
    issue = await send_now(database)
    async with database.transaction() as tx:
        await tx.execute(text("DELETE FROM audience WHERE ctid = (SELECT ctid FROM audience LIMIT 1)"))
        found = await issues.standing(tx, issue)
    assert found is not None
    assert not found.holds
    assert "≠" in line(found)
