"""The protocol by which a post goes out once: every way that an attempt can end, and what follows from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.demo.sandbox.moods import Kind, Mood
from services.demo.sandbox.server import Sandbox, sandbox
from services.social import sender as its_sender
from services.social.domain.deliveries import Next, Outcome, Pace, Result, State, WaitingFor, after_not_found
from services.social.sender import Sender
from services.social.store import deliveries as ledger
from services.social.store.tables import deliveries, looks
from shared import clock, outbox
from shared.db import Database
from shared.events.codes import Network
from shared.i18n import translate
from shared.ids import new_id
from shared.migrations import migrate
from shared.pauses import store as pauses
from shared.pauses.store import Origin
from shared.trace import Cause
from shared.wall_clock import plan
from tests.social.ledger import all_of, put, tried, unsettled
from tests.social.test_x import PICTURE, PIXELS
from tests.social.x_sandbox import PATIENT, words, x_on


@pytest.fixture
async def network() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["social"])
    found = Database(database_url, "social")
    yield found
    await found.close()


def sender_on(network: Sandbox, pace: Pace = PATIENT) -> Sender:
    return Sender({Network.X: x_on(network, pace)}, pace)


async def settle(database: Database, sender: Sender) -> Any:
    """Run until nothing is left to do, and return the only delivery."""
    async with asyncio.timeout(60):
        while await unsettled(database):
            await sender.run(database)
            await asyncio.sleep(0.02)
    (row,) = await all_of(database)
    return row


async def told(database: Database) -> list[tuple[str, str]]:
    async with database.transaction() as tx:
        return [(row.type, row.body) for row in await tx.execute(select(outbox.outbox).order_by(outbox.outbox.c.seq))]


async def looked(database: Database) -> list[bool | None]:
    async with database.transaction() as tx:
        return [row.found for row in await tx.execute(select(looks).order_by(looks.c.looked_at))]


async def outcomes(database: Database) -> list[str | None]:
    return [one.outcome for one in await tried(database)]


async def test_what_is_due_and_approved_stands_and_is_told(network: Sandbox, database: Database) -> None:
    await put(database, words("One"))
    row = await settle(database, sender_on(network))
    (post,) = network.timeline.posts
    assert (row.state, row.place_id, row.lease) == (State.PUBLISHED, post.id, None)
    assert await outcomes(database) == [Result.PUBLISHED]
    ((event_type, body),) = await told(database)
    assert event_type == "post.published.v1"
    assert f'"address":"{row.place_address}"' in body


async def test_what_is_not_due_stays(network: Sandbox, database: Database) -> None:
    await put(database, words("One"), due_in=timedelta(minutes=1))
    assert not await sender_on(network).one(database)
    assert network.timeline.posts == []


async def test_the_attempt_is_kept_before_the_first_byte_leaves(network: Sandbox, database: Database) -> None:
    seen = []

    async def look(*_: object) -> None:
        seen.extend([(one.ended_at, one.content_hash) for one in await tried(database)])

    network.moods.reached = look
    await put(database, words("One"))
    await settle(database, sender_on(network))
    assert seen == [(None, words("One").sha256)]


async def test_what_was_not_approved_does_not_leave(network: Sandbox, database: Database) -> None:
    await put(database, words("One"), approved=False)
    row = await settle(database, sender_on(network))
    assert (row.state, row.waiting_for) == (State.WAITING, WaitingFor.APPROVAL)
    assert (network.timeline.posts, await tried(database)) == ([], [])


@pytest.mark.parametrize(
    "change",
    [
        {"content": words("One,").as_kept()},
        {"content": words("One,").as_kept(), "content_hash": words("One,").sha256},
        {"language": "fr"},
        {"approved_hash": words("One,").sha256},
    ],
    ids=["the content", "the content with its hash", "the language", "the approval"],
)
async def test_what_was_changed_after_its_approval_does_not_leave(network: Sandbox, database: Database, change: dict[str, Any]) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        await tx.execute(update(deliveries).values(**change))
    row = await settle(database, sender_on(network))
    assert row.waiting_for == WaitingFor.APPROVAL
    assert network.timeline.posts == []


@pytest.mark.parametrize("change", [{"content": {}}, {"content": {"text": 1, "pictures": [{}]}}, {"network": "orkut"}])
async def test_what_cannot_be_read_does_not_hold_up_what_can(network: Sandbox, database: Database, change: dict[str, Any]) -> None:
    broken = await put(database, words("One"))
    async with database.transaction() as tx:
        await tx.execute(update(deliveries).values(**change))
    await put(database, words("Two"))
    with suppress(ValueError):  # there is no telling of a post on a network that does not exist
        await sender_on(network).run(database)
    assert [post.text for post in network.timeline.posts] == ["Two"]
    assert next(row.place_id for row in await all_of(database) if row.id == broken) is None


async def test_delivery_that_fails_every_time_holds_up_no_other(network: Sandbox, database: Database) -> None:
    bad = await put(database, words("First"))
    async with database.transaction() as tx:
        await tx.execute(update(deliveries).where(deliveries.c.id == bad).values(language="zz"))  # no event can tell of it
    await put(database, words("Second"))
    await sender_on(network).run(database)
    assert {row.id == bad: row.state for row in await all_of(database)} == {True: State.SCHEDULED, False: State.PUBLISHED}


async def test_what_no_database_can_hold_is_left_out_of_the_evidence(database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        delivery = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert delivery is not None
        await ledger.note_look(tx, delivery, found=None, evidence={"a\0": ["\ud800b\0", 1, None]})
        assert await ledger.write(tx, delivery, evidence={"body": "\0half \ud83d"})
    (row,) = await all_of(database)
    assert row.evidence == {"body": "half ?"}


async def test_an_approval_fits_one_content_only(network: Sandbox, database: Database) -> None:
    await put(database, words("One"), approved_as=words("One,"))
    row = await settle(database, sender_on(network))
    assert (row.waiting_for, network.timeline.posts) == (WaitingFor.APPROVAL, [])


async def test_old_news_is_asked_about(network: Sandbox, database: Database) -> None:
    await put(database, words("One"), due_in=-PATIENT.late_after - timedelta(seconds=1))
    row = await settle(database, sender_on(network))
    assert (row.waiting_for, network.timeline.posts) == (WaitingFor.LATE, [])


async def test_without_an_account_it_waits_and_says_so(database: Database) -> None:
    await put(database, words("One"))
    row = await settle(database, Sender({}, PATIENT))
    assert row.waiting_for == WaitingFor.NOT_CONNECTED


@pytest.mark.parametrize(
    ("mood", "waiting_for"),
    [(Mood.FORBIDDEN, WaitingFor.FORBIDDEN), (Mood.NO_CREDIT, WaitingFor.CREDIT), (Mood.UNAUTHORIZED, WaitingFor.CREDENTIALS)],
)
async def test_a_refusal_waits_with_its_cause_in_plain_words(
    network: Sandbox, database: Database, mood: Mood, waiting_for: WaitingFor
) -> None:
    counted = {"network": "x", "outcome": Result.REFUSED.value, "because": waiting_for.value}
    before = REGISTRY.get_sample_value("tidings_posts_total", counted) or 0.0
    network.moods.ask_for(Kind.POST, [mood])
    await put(database, words("One"))
    row = await settle(database, sender_on(network))
    assert (row.state, row.waiting_for) == (State.WAITING, waiting_for)
    assert REGISTRY.get_sample_value("tidings_posts_total", counted) == before + 1
    assert row.evidence["status"] in {401, 402, 403}
    ((event_type, body),) = await told(database)
    assert event_type == "post.failed.v1"
    assert translate("en", waiting_for.key) in body
    assert '"uncertain":false' in body


async def test_a_pause_that_the_network_asks_for_holds_for_every_post_of_the_account(network: Sandbox, database: Database) -> None:
    network.moods.pause_seconds = 60
    network.moods.ask_for(Kind.POST, [Mood.RATE_LIMITED])
    await put(database, words("One"))
    sender = sender_on(network)
    await sender.run(database)
    await put(database, words("Two"))
    await sender.run(database)
    assert network.timeline.posts == []
    assert await outcomes(database) == [Result.NOT_NOW]
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE accounts SET posts_not_before = now()"))
        await tx.execute(update(deliveries).values(not_before=clock.now()))
    await sender.run(database)
    assert {post.text for post in network.timeline.posts} == {"One", "Two"}


@pytest.mark.parametrize("mood", [Mood.FAILS_AFTER, Mood.EMPTY_AFTER, Mood.HALF_A_BODY, Mood.HTML_AFTER, Mood.RESET_AFTER])
async def test_a_post_whose_answer_is_lost_is_found_on_the_timeline(network: Sandbox, database: Database, mood: Mood) -> None:
    network.moods.ask_for(Kind.POST, [mood])
    await put(database, words("One & <two> https://tidings.example.org/a?b=1&c=2"))
    row = await settle(database, sender_on(network))
    (post,) = network.timeline.posts
    assert (row.state, row.place_id) == (State.PUBLISHED, post.id)
    assert row.evidence["found_on_timeline"]["id"] == post.id
    assert (await outcomes(database), await looked(database)) == ([Result.UNKNOWN], [True])
    assert network.timeline.refused == 0, "it was sent again"


async def test_a_post_with_a_picture_is_found_too(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.FAILS_AFTER])
    async with database.transaction() as tx:
        await ledger.keep_picture(tx, sha256=PICTURE.sha256, media_type=PICTURE.media_type, data=PIXELS)
    await put(database, replace(words("One"), pictures=(PICTURE,)))
    assert (await settle(database, sender_on(network))).state == State.PUBLISHED
    assert len(network.timeline.posts) == 1


async def test_a_post_that_is_nowhere_after_three_looks_is_sent_once_more(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.RESET_BEFORE])
    await put(database, words("One"))
    assert (await settle(database, sender_on(network))).state == State.PUBLISHED
    assert len(network.timeline.posts) == 1
    assert (await outcomes(database), await looked(database)) == ([Result.UNKNOWN, Result.PUBLISHED], [False, False, False])


async def test_one_that_is_lost_twice_is_left_to_a_person(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.RESET_BEFORE, Mood.FAILS_BEFORE])
    await put(database, words("One"))
    row = await settle(database, sender_on(network))
    assert (row.state, row.waiting_for) == (State.WAITING, WaitingFor.UNCERTAIN)
    assert len(await tried(database)) == 2
    ((_, body),) = await told(database)
    assert '"uncertain":true' in body


async def test_one_that_the_network_would_take_twice_is_never_sent_again(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.RESET_BEFORE])
    async with database.transaction() as tx:
        await ledger.keep_picture(tx, sha256=PICTURE.sha256, media_type=PICTURE.media_type, data=PIXELS)
    await put(database, replace(words("One"), pictures=(PICTURE,)))
    row = await settle(database, sender_on(network))
    assert (row.waiting_for, await outcomes(database)) == (WaitingFor.UNCERTAIN, [Result.UNKNOWN])


async def test_the_words_of_another_post_are_not_taken_for_this_one(network: Sandbox, database: Database) -> None:
    await put(database, words("One"))
    first = await settle(database, sender_on(network))
    await put(database, words("One"))
    async with asyncio.timeout(60):
        while await unsettled(database):
            await sender_on(network).run(database)
            await asyncio.sleep(0.02)
    second = next(row for row in await all_of(database) if row.id != first.id)
    assert (second.state, second.waiting_for, second.place_id) == (State.WAITING, WaitingFor.DUPLICATE, None)
    assert len(network.timeline.posts) == 1


async def test_an_attempt_without_an_end_is_unknown_whatever_died(network: Sandbox, database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        delivery = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert delivery is not None
        await ledger.begin_attempt(tx, delivery, timedelta(seconds=-1))
    network.timeline.take("One", ())  # it had come through
    row = await settle(database, sender_on(network))
    assert (row.state, row.place_id) == (State.PUBLISHED, network.timeline.posts[0].id)
    assert await outcomes(database) == [Result.ABANDONED]
    assert network.timeline.refused == 0


async def test_a_timeline_that_cannot_be_read_is_no_look(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.FAILS_AFTER])
    network.moods.ask_for(Kind.TIMELINE, [Mood.FAILS_AFTER, Mood.HTML_AFTER, Mood.HALF_A_BODY, Mood.NO_CREDIT])
    await put(database, words("One"))
    assert (await settle(database, sender_on(network))).state == State.PUBLISHED
    seen = await looked(database)
    assert seen[-1] is True
    assert set(seen[:-1]) == {None}
    assert len(await tried(database)) == 1


async def test_a_timeline_that_can_never_be_read_ends_with_a_person(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.FAILS_AFTER])
    network.moods.choose = lambda kind: Mood.FAILS_BEFORE if kind is Kind.TIMELINE else None
    await put(database, words("One"))
    row = await settle(database, sender_on(network, replace(PATIENT, late_after=timedelta(seconds=3))))
    assert row.waiting_for == WaitingFor.UNCERTAIN


async def test_a_pause_of_reading_does_not_hold_up_posting(network: Sandbox, database: Database) -> None:
    network.moods.pause_seconds = 60
    network.moods.ask_for(Kind.POST, [Mood.FAILS_AFTER])
    network.moods.ask_for(Kind.TIMELINE, [Mood.RATE_LIMITED])
    await put(database, words("One"))
    sender = sender_on(network)
    async with asyncio.timeout(60):
        while not await looked(database):
            await sender.run(database)
    await put(database, words("Two"))
    await sender.run(database)
    assert [post.text for post in network.timeline.posts] == ["One", "Two"]
    assert {row.content["text"]: row.state for row in await all_of(database)} == {"One": State.UNKNOWN, "Two": State.PUBLISHED}


async def test_pictures_that_cannot_be_brought_now_are_brought_later(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.MEDIA, [Mood.FAILS_AFTER, Mood.RESET_AFTER])
    async with database.transaction() as tx:
        await ledger.keep_picture(tx, sha256=PICTURE.sha256, media_type=PICTURE.media_type, data=PIXELS)
    await put(database, replace(words("One"), pictures=(PICTURE,)))
    assert (await settle(database, sender_on(network))).state == State.PUBLISHED
    assert await outcomes(database) == [Result.PUBLISHED]


async def test_who_lost_its_lease_writes_nothing(database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        first = await ledger.claim(tx, timedelta(seconds=-1), to=Network)
        assert first is not None
    async with database.transaction() as tx:
        second = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert second is not None
    async with database.transaction() as tx:
        assert await ledger.begin_attempt(tx, first, timedelta(seconds=30)) is None
        assert not await ledger.write(tx, first, state=State.CANCELLED.value)
        assert await ledger.begin_attempt(tx, second, timedelta(seconds=30)) is not None


async def test_a_delivery_that_is_being_sent_is_not_claimed(database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        assert await ledger.claim(tx, timedelta(seconds=30), to=Network) is not None
        async with database.transaction() as other:
            assert await ledger.claim(other, timedelta(seconds=30), to=Network) is None
    async with database.transaction() as tx:
        assert await ledger.claim(tx, timedelta(seconds=30), to=Network) is None


async def test_an_attempt_stays_as_it_was_written(database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        delivery = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert delivery is not None
        attempt_id = await ledger.begin_attempt(tx, delivery, timedelta(seconds=30))
        assert attempt_id is not None
        assert await ledger.end_attempt(tx, attempt_id, Outcome(result=Result.UNKNOWN, evidence={}))
    async with database.transaction() as tx:
        assert not await ledger.end_attempt(tx, attempt_id, Outcome(result=Result.PUBLISHED, evidence={}))
    for statement in ("UPDATE attempts SET outcome = 'published'", "DELETE FROM attempts"):
        with pytest.raises(DBAPIError, match="stays as it was written"):
            await _run(database, statement)


async def test_a_second_attempt_waits_for_the_end_of_the_first(database: Database) -> None:
    await put(database, words("One"))
    async with database.transaction() as tx:
        delivery = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert delivery is not None
        await ledger.begin_attempt(tx, delivery, timedelta(seconds=30))
    with pytest.raises(IntegrityError, match="attempts_open_idx"):
        await _begin(database, delivery)


async def test_a_post_has_one_delivery_on_a_network_in_a_language(database: Database) -> None:
    post_id = new_id()
    await _schedule(database, post_id)
    with pytest.raises(IntegrityError, match="deliveries_post_idx"):
        await _schedule(database, post_id)


async def test_several_senders_share_the_work(network: Sandbox, database: Database) -> None:
    for number in range(20):
        await put(database, words(f"Number {number}"))
    await asyncio.gather(*(sender_on(network).run(database) for _ in range(3)))
    assert sorted(post.text for post in network.timeline.posts) == sorted(f"Number {number}" for number in range(20))
    assert network.timeline.refused == 0


async def test_while_sending_is_paused_nothing_leaves_and_what_left_is_looked_up(network: Sandbox, database: Database) -> None:
    network.moods.ask_for(Kind.POST, [Mood.FAILS_AFTER])
    await put(database, words("One"))
    sender = sender_on(network)
    await sender.run(database)
    await put(database, words("Two"))
    async with database.transaction() as tx:
        await pauses.hold(tx)
        await pauses.set_pause(
            tx, "social", Origin.HERE, reason="a day of mourning", until=None, by=None, told_at=clock.now(), cause=Cause.start()
        )
    async with asyncio.timeout(60):
        while await unsettled(database) > 1:
            await sender.run(database)
    assert {row.content["text"]: row.state for row in await all_of(database)} == {"One": State.PUBLISHED, "Two": State.SCHEDULED}


async def test_a_pause_that_comes_between_claim_and_attempt_holds(
    network: Sandbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[Network.X], []])

    async def paused_since(*_: object) -> list[Network]:
        return next(answers)

    monkeypatch.setattr(its_sender, "open_networks", paused_since)
    await put(database, words("One"))
    assert await sender_on(network).one(database)
    (row,) = await all_of(database)
    assert (row.state, row.lease, network.timeline.posts) == (State.SCHEDULED, None, [])


@pytest.mark.parametrize(
    ("case", "follows"),
    [
        ({}, Next.SEND),
        ({"looks": 1}, Next.LOOK),
        ({"looks": 2, "guarded": False}, Next.LOOK),
        ({"guarded": False}, Next.ASK),
        ({"sent_again": 1}, Next.ASK),
        ({"duplicate": True}, Next.ASK),
        ({"late": True}, Next.ASK),
    ],
)
def test_what_follows_when_it_is_not_found(case: dict[str, Any], follows: Next) -> None:
    usual: dict[str, Any] = {"looks": 3, "sent_again": 0, "guarded": True, "duplicate": False, "late": False, "pace": Pace()}
    assert after_not_found(**(usual | case)) is follows


async def _run(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.execute(text(statement))


async def _begin(database: Database, delivery: Any) -> None:
    async with database.transaction() as tx:
        await ledger.begin_attempt(tx, delivery, timedelta(seconds=30))


async def _schedule(database: Database, post_id: UUID) -> None:
    wish = clock.now().replace(tzinfo=None)
    async with database.transaction() as tx:
        await ledger.schedule(tx, post_id=post_id, content=words("One"), planned=plan(wish, "UTC"), cause=Cause.start())
