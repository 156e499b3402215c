"""Sending an issue: who gets it, what each answer makes of a copy, and what pages and the terminal are told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from services.newsletter.addresses import open_book
from services.newsletter.sending import issues
from services.newsletter.sending.progress import line, progress
from services.newsletter.sending.rules import GAVE_UP, AudienceState, Claim, SendState, SubscriberState, message_id
from services.newsletter.sending.tables import audience, subscribers
from shared import clock
from shared.db import Database
from shared.ids import new_id
from shared.mail.schedule import HORIZON
from shared.mail.smtp import Envelope
from shared.migrations import migrate
from shared.vault import Vault, new_key
from tests.newsletter.senders import KEY, VAULT, reason_is, sending, state_is, until, until_over
from tests.newsletter.sending import HELLO, attempts_of, rows_of, send_now, standing_of, subscribe, write_copy
from tests.shared.mail_server import DROPS, HANGS, Answer, says, scripted


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["newsletter"])
    made = Database(database_url, "newsletter")
    yield made
    await made.close()


async def until_in(database: Database, issue: UUID, *states: AudienceState) -> None:
    """Return once every row of an issue is in one of these states."""
    wanted = {state.value for state in states}

    async def all_are() -> bool:
        return {row.state for row in await rows_of(database, issue)} <= wanted

    await until(all_are)


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
        await until(lambda: state_is(database, ids["b@example.org"], AudienceState.ACCEPTED))
        await until(lambda: reason_is(database, ids["a@example.org"], "unwritable"))
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
