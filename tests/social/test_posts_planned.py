"""When a post leaves: the wall clock of a zone, new times, an end; and what a second approval does to what stands."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from services.demo.sandbox.server import Sandbox
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.jobs import Expiry
from services.social.posting.things import things_at
from services.social.restoring import hold_everything
from services.social.store.tables import attempts, deliveries, posts
from shared import clock
from shared.approval import store
from shared.approval.rules import State
from shared.db import Database
from tests.desk.wire import PUBLIC_URL, asker
from tests.people import bearer_of
from tests.shared.web_app import Page
from tests.social.ledger import all_of, tried, unsettled
from tests.social.post_pages import ANA, BO, ZURICH, Pages, asked, begun, sender_on, settled, texts_on


async def test_a_time_in_zurich_is_the_instant_at_which_it_leaves(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("On time")
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    at = (clock.now() + timedelta(seconds=5)).replace(microsecond=0)
    assert (await post.plan(at)).status_code == 303
    (row,) = await all_of(database)
    assert (row.due_at, row.zone, row.local_time) == (at, ZURICH, at.astimezone(ZoneInfo(ZURICH)).replace(tzinfo=None))
    async with asyncio.timeout(120):
        while await unsettled(database):
            await sender_on(network).run(database)
            await asyncio.sleep(0.02)
    (attempt,) = await tried(database)
    assert texts_on(network) == ["On time"]
    assert attempt.started_at >= at


@pytest.mark.parametrize(
    ("local", "instant", "words"),
    [
        pytest.param("2090-01-10T09:00", datetime(2090, 1, 10, 8, tzinfo=UTC), "by the clock of Europe/Zurich", id="winter"),
        pytest.param("2090-07-10T09:00", datetime(2090, 7, 10, 7, tzinfo=UTC), "by the clock of Europe/Zurich", id="summer"),
        pytest.param("2090-03-26T02:30", datetime(2090, 3, 26, 1, 30, tzinfo=UTC), "it does not exist", id="gap"),
        pytest.param("2090-10-29T02:30", datetime(2090, 10, 29, 0, 30, tzinfo=UTC), "it comes twice", id="overlap"),
    ],
)
async def test_nights_in_which_clocks_change_are_told(post: Pages, database: Database, local: str, instant: datetime, words: str) -> None:
    await post.write("Words")
    assert (await post.send(ANA, "/schedule", {"local": local, "zone": ZURICH})).status_code == 303
    assert words in Page((await post.get()).text).text
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    (row,) = await all_of(database)
    assert row.due_at == instant


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        pytest.param({"local": "2020-01-01T09:00", "zone": ZURICH}, 422, "passed already", id="past"),
        pytest.param({"local": "2090-01-01T09:00", "zone": "Europe/Nowhere"}, 422, "no time zone", id="no zone"),
        pytest.param({"local": "soon", "zone": ZURICH}, 422, "no time", id="no time"),
        pytest.param({"local": "2090-01-02T09:00", "zone": ZURICH, "until": "2090-01-01T09:00"}, 422, "before it leaves", id="ends first"),
    ],
)
async def test_what_is_no_time_is_said_with_what_was_typed(post: Pages, form: dict[str, str], status: int, words: str) -> None:
    answer = await post.send(ANA, "/schedule", form)
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (status, [])
    assert words in page.text
    assert form["local"] in [attributes.get("value") for attributes in page.all("input")]


async def test_a_new_time_keeps_the_approval_and_moves_what_is_planned(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words", due_in=timedelta(hours=2))
    assert (await post.plan(clock.now() + timedelta(hours=1))).status_code == 303
    assert await post.state() is State.APPROVED
    (row,) = await settled(post, network)
    assert (row.state, texts_on(network)) == (Delivery.PUBLISHED, ["Words"])


async def test_program_sets_the_time(post: Pages) -> None:
    async with asker(post.wired.app, entered=False) as program:
        body = {"local": "2090-03-26T02:30:00", "zone": ZURICH, "until": "2090-03-27T02:30:00"}
        answer = await program.post(f"/social/api/v1/posts/{post.post}/schedule", json=body, headers=dict(bearer_of(ANA)))
        assert answer.json() == {"leaves": "2090-03-26T01:30:00Z", "oddity": "gap", "expires": "2090-03-27T00:30:00Z"}
        answer = await program.post(
            f"/social/api/v1/posts/{post.post}/schedule",
            json=body | {"local": "2020-01-01T00:00"},
            headers={**bearer_of(ANA), "Accept": "application/json"},
        )
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "passed already" in answer.json()["detail"]


async def test_without_a_time_it_is_approved_and_stays(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Words")
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    assert await all_of(database) == []
    await post.plan(clock.now() + timedelta(hours=1))
    await settled(post, network)
    assert texts_on(network) == ["Words"]


async def test_a_second_approval_never_posts_twice_what_stands(post: Pages, database: Database, network: Sandbox) -> None:
    await post.send(ANA, "/variants", {"language": "fr"})
    await post.write("Des mots", name="x/fr")
    await post.approved("Words")
    await post.comes_due()
    async with database.transaction() as tx:  # French waits
        await tx.execute(update(deliveries).where(deliveries.c.language == "fr").values(not_before=clock.now() + timedelta(hours=1)))
    async with asyncio.timeout(60):
        while texts_on(network) != ["Words"]:
            await sender_on(network).run(database)
    assert (await post.write("Other words")).status_code == 409  # it stands
    assert (await post.write("D'autres mots", name="x/fr")).status_code == 303
    assert await post.state() is State.DRAFT
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    assert {row.state for row in await settled(post, network)} == {Delivery.PUBLISHED}
    assert texts_on(network) == ["D'autres mots", "Words"]
    assert len(await tried(database)) == 2


@pytest.mark.parametrize("state", [Delivery.CANCELLED, Delivery.WAITING])
async def test_what_people_have_put_aside_is_not_planned_by_saving_it_as_it_was(
    post: Pages, database: Database, network: Sandbox, state: Delivery
) -> None:
    await post.approved("Words")
    (row,) = await all_of(database)
    if state is Delivery.CANCELLED:
        async with asker(post.wired.app, person=BO) as browser:
            assert (await browser.post(f"/social/deliveries/{row.id}/cancel")).status_code == 303
    else:
        async with database.transaction() as tx:
            await tx.execute(update(deliveries).values(state=state.value, waiting_for=WaitingFor.CREDIT.value, evidence={"status": 402}))
    assert (await post.write("Words")).status_code == 303
    assert await post.state() is State.APPROVED
    assert [one.state for one in await settled(post, network)] == [state]
    assert texts_on(network) == []
    # Approved anew on purpose, it goes.
    await post.plan(clock.now() + timedelta(hours=1))
    assert (await post.act(ANA, "withdraw")).status_code == 303
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    assert [one.state for one in await settled(post, network)] == [Delivery.PUBLISHED]


async def test_what_may_stand_is_not_planned_again(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words")
    (row,) = await all_of(database)
    async with database.transaction() as tx:
        await tx.execute(
            update(deliveries).values(state=Delivery.WAITING.value, waiting_for=WaitingFor.UNCERTAIN.value, evidence={"status": 503})
        )
        await tx.execute(
            attempts.insert().values(
                id=row.id, delivery_id=row.id, content_hash=row.content_hash, lease=row.id, outcome="unknown", ended_at=clock.now()
            )
        )
    assert (await post.write("Words,")).status_code == 409
    assert (await post.act(BO, "withdraw")).status_code == 303
    (row,) = await settled(post, network)
    assert (row.state, row.waiting_for) == (Delivery.WAITING, WaitingFor.UNCERTAIN)


async def test_what_a_restore_holds_leaves_by_no_other_approval(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words")
    async with database.transaction() as tx:
        await hold_everything(tx, clock.now())
    assert (await post.write("Other words")).status_code == 409
    assert (await post.plan(clock.now() + timedelta(hours=1))).status_code == 409
    for person, action in ((BO, "withdraw"), (ANA, "submit"), (BO, "approve")):
        assert (await post.act(person, action)).status_code == 303
    (row,) = await settled(post, network)
    assert (row.state, row.waiting_for, texts_on(network)) == (Delivery.WAITING, WaitingFor.RESTORED, [])
    async with asker(post.wired.app, person=BO) as browser:
        assert (await browser.post(f"/social/deliveries/{row.id}/again")).status_code == 303
    assert [one.state for one in await settled(post, network)] == [Delivery.PUBLISHED]


async def test_what_has_an_end_does_not_leave_after_it(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Words")
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(hours=2))
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    job = Expiry(things_at(PUBLIC_URL))
    await job.run(database)
    assert await post.state() is State.APPROVED
    past = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo(ZURICH)).replace(tzinfo=None)
    async with database.transaction() as tx:
        await tx.execute(update(posts).values(until_time=past))
        await tx.execute(update(store.approvals).values(expires_at=clock.now() - timedelta(minutes=1)))
    await job.run(database)
    assert (await post.state(), await asked(database, post)) == (State.EXPIRED, ["renew-post"])
    assert [row.state for row in await all_of(database)] == [Delivery.CANCELLED]


async def test_post_that_cannot_be_read_keeps_no_other_from_ending(post: Pages, database: Database) -> None:
    await post.write("Words")
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(hours=2))
    await post.act(ANA, "submit")
    other = await begun(post.wired)
    await other.approved("Other words")
    async with database.transaction() as tx:
        await tx.execute(update(posts).where(posts.c.id == post.post).values(zone="Europe/Nowhere"))
        past = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo(ZURICH)).replace(tzinfo=None)
        await tx.execute(update(posts).where(posts.c.id == other.post).values(until_time=past))
        await tx.execute(update(store.approvals).where(store.approvals.c.item == other.post).values(expires_at=clock.now()))
        early = clock.now() - timedelta(hours=1)
        await tx.execute(update(store.approvals).where(store.approvals.c.item == post.post).values(expires_at=early))
    await Expiry(things_at(PUBLIC_URL)).run(database)
    assert (await post.state(), await other.state()) == (State.SUBMITTED, State.EXPIRED)


async def test_what_stands_does_not_expire(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Words")
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(hours=2))
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    await settled(post, network)
    async with database.transaction() as tx:
        await tx.execute(update(store.approvals).values(expires_at=clock.now() - timedelta(minutes=1)))
        past = (clock.now() - timedelta(minutes=1)).astimezone(ZoneInfo(ZURICH)).replace(tzinfo=None)
        await tx.execute(update(posts).values(until_time=past))
    await Expiry(things_at(PUBLIC_URL)).run(database)
    assert (await post.state(), await asked(database, post)) == (State.APPROVED, [])
