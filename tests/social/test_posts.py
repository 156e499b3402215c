"""A post from its first word to the network: written, planned and approved by the pages, sent by the real sender, and void by a comma."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from services.demo.sandbox.server import Sandbox, sandbox
from services.social import sender as its_sender
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.jobs import Expiry
from services.social.posting.things import things_at
from services.social.sender import Sender
from services.social.store.tables import attempts, deliveries, drafts, post_variants, posts
from shared import clock, outbox, tasks
from shared.approval import store
from shared.approval.rules import State
from shared.db import Database
from shared.events.codes import Network, Role
from shared.events.every import DecisionMade
from shared.events.intake import PracticeWithdrawn
from shared.i18n import LANGUAGES
from tests.desk.wire import PRACTICE, PUBLIC_URL, System, asker, system, tell
from tests.people import bearer_of, somebody
from tests.shared.web_app import Page
from tests.social.ledger import all_of, tried, unsettled
from tests.social.post_pages import ANA, BO, PATH, ZURICH, Pages, begun, png
from tests.social.test_deliveries import PATIENT
from tests.social.x_sandbox import x_on

CROWD = 50
WITHDRAWN = PracticeWithdrawn.model_validate({"reason": "Its authors <asked> for it."})
ALTERNATIVE = "A square."


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
def database(wired: System) -> Database:
    return wired.databases["social"]


@pytest.fixture
async def network() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running


@pytest.fixture
async def post(wired: System) -> Pages:
    return await begun(wired)


def sender_on(network: Sandbox) -> Sender:
    return Sender({Network.X: x_on(network, PATIENT)}, PATIENT)


async def settled(post: Pages, network: Sandbox) -> Sequence[Any]:
    """Let its time come, run the sender until nothing is left to do, and return every delivery."""
    database = post.database
    await post.comes_due()
    async with asyncio.timeout(120):
        while await unsettled(database):
            await sender_on(network).run(database)
            await asyncio.sleep(0.02)
    return await all_of(database)


def texts_on(network: Sandbox) -> list[str]:
    return sorted(one.text for one in network.timeline.posts)


async def told(database: Database, event_type: str) -> list[dict[str, Any]]:
    async with database.transaction() as tx:
        rows = await tx.execute(select(outbox.outbox).where(outbox.outbox.c.type == event_type).order_by(outbox.outbox.c.seq))
        return [json.loads(row.body) for row in rows]


async def asked(database: Database, post: Pages) -> list[str]:
    async with database.transaction() as tx:
        return [task.kind for task in await tasks.open_tasks(tx, str(post.post))]


async def test_written_by_one_and_approved_by_another_it_leaves_once(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Safe and orderly")
    assert await asked(database, post) == []
    (row,) = await settled(post, network)
    assert (row.state, texts_on(network)) == (Delivery.PUBLISHED, ["Safe and orderly"])
    await sender_on(network).run(database)
    assert len(await tried(database)) == 1
    assert [(one["networks"], one["languages"]) for one in await told(database, "post.approved.v1")] == [(["x"], ["en"])]
    decisions = [DecisionMade.model_validate(one) for one in await told(database, "decision.made.v1")]
    assert [(one.who, one.what) for one in decisions] == [(ANA.id, "schedule"), (ANA.id, "submit"), (BO.id, "approve")]


async def test_nobody_approves_their_own_work_by_page_or_program(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("My own words")
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    answer = await post.act(ANA, "approve")
    assert (answer.status_code, await post.state()) == (403, State.SUBMITTED)
    assert "another approver has to decide on it" in answer.text
    async with asker(post.wired.app, entered=False) as program:
        body = {"action": "approve", "seen": await post.seen()}
        answer = await program.post(f"/social/api/v1/posts/{post.post}/decisions", json=body, headers=dict(bearer_of(ANA)))
    assert (answer.status_code, await post.state()) == (403, State.SUBMITTED)
    assert await all_of(database) == []


async def test_no_event_approves(post: Pages, database: Database) -> None:
    await post.write("Words")
    await post.act(ANA, "submit")
    forged = DecisionMade.model_validate({"who": BO.id, "what": "approve", "about": "post"})
    await tell(post.wired.intake, forged, subject=str(post.post))
    await post.wired.carry()
    assert (await post.state(), await all_of(database)) == (State.SUBMITTED, [])


@pytest.mark.parametrize("changed", ["x/en", "x/fr"])
async def test_one_comma_after_approval_voids_it_and_nothing_leaves(
    post: Pages, database: Database, network: Sandbox, changed: str
) -> None:
    await post.send(ANA, "/variants", {"language": "fr"})
    await post.write("Des mots", name="x/fr")
    await post.approved("Words")
    assert [row.state for row in await all_of(database)] == [Delivery.SCHEDULED] * 2
    assert (await post.write("Words,", name=changed)).status_code == 303
    assert await post.state() is State.DRAFT
    assert await asked(database, post) == ["submit-post"]
    assert {row.state for row in await settled(post, network)} == {Delivery.CANCELLED}
    assert texts_on(network) == []
    # And back again brings nothing back.
    await post.write("Words" if changed == "x/en" else "Des mots", name=changed)
    await settled(post, network)
    assert (texts_on(network), await post.state()) == ([], State.DRAFT)


@pytest.mark.parametrize("behind", ["words", "delivery", "approval"])
async def test_what_is_changed_behind_the_pages_does_not_leave(post: Pages, database: Database, network: Sandbox, behind: str) -> None:
    await post.approved("Words")
    (row,) = await all_of(database)
    other = replace(its_sender.content_of(row), text="Words,")
    async with database.transaction() as tx:
        if behind == "words":
            await tx.execute(update(deliveries).values(content=other.as_kept()))
        elif behind == "delivery":  # with all its hashes
            values = {"content": other.as_kept(), "content_hash": other.sha256, "approved_hash": other.sha256}
            await tx.execute(update(deliveries).values(**values))
        else:
            await tx.execute(update(store.approvals).values(state="draft"))
    (row,) = await settled(post, network)
    assert (row.waiting_for, texts_on(network)) == (WaitingFor.APPROVAL, [])


@pytest.mark.parametrize("how", ["edit", "withdraw", "standing"])
async def test_an_approval_that_falls_while_the_post_is_prepared_holds_it_back(
    post: Pages, database: Database, network: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Between the claim and the first byte a sender brings the pictures, which may take minutes."""
    await post.approved("Words")
    await post.comes_due()
    sender = sender_on(network)
    brought = sender._bring

    async def slowly(*given: Any) -> Any:
        if how == "edit":
            assert (await post.write("Words,")).status_code == 303
        elif how == "withdraw":
            assert (await post.act(BO, "withdraw")).status_code == 303
        else:  # without any word to the ledger: the approval alone holds it back
            async with database.transaction() as tx:
                await tx.execute(update(store.approvals).values(state="draft"))
        return await brought(*given)

    monkeypatch.setattr(sender, "_bring", slowly)
    async with asyncio.timeout(60):
        while await unsettled(database):
            await sender.run(database)
    (row,) = await all_of(database)
    assert (texts_on(network), await tried(database)) == ([], [])
    assert row.state == (Delivery.WAITING if how == "standing" else Delivery.CANCELLED)


async def test_fifty_decisions_at_once_end_in_one_result_and_a_plain_answer(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Words")
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    seen = await post.seen()

    async def decides(number: int) -> tuple[int, str]:
        person = somebody(Role.APPROVER)
        action = ("approve", "reject", "request-changes")[number % 3]
        body = {"action": action, "seen": seen, "reason": "Because."}
        while True:
            if number % 2:
                answer = await post.send(person, "/decisions", body)
            else:
                async with asker(post.wired.app, entered=False) as program:
                    answer = await program.post(f"/social/api/v1/posts/{post.post}/decisions", json=body, headers=dict(bearer_of(person)))
            if answer.status_code != 503:  # a busy database says so, and that asking again will do
                return answer.status_code, answer.text

    answers = await asyncio.gather(*(decides(number) for number in range(CROWD)))
    found = Counter({200: 303}.get(status, status) for status, _ in answers)
    assert found == {303: 1, 409: CROWD - 1}
    assert all("already" in words for status, words in answers if status == 409)
    assert len(await all_of(database)) == (1 if await post.state() is State.APPROVED else 0)
    assert len(await told(database, "post.approved.v1")) == len(await all_of(database))


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


async def test_a_picture_needs_its_alternative_text_and_brings_it_along(post: Pages, database: Database, network: Sandbox) -> None:
    seen = await post.hash_of("x/en")
    files = {"x-en-picture": ("../a.png", png(), "text/html")}
    answer = await post.send(ANA, "/variants/x/en", {"x-en-text": "Look <here>", "seen": seen}, files)
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert "Say what the picture shows." in page.text
    wrong = [attributes["id"] for _, attributes in page.elements if attributes.get("aria-invalid") == "true"]
    assert wrong == ["x-en-alternative-new"]
    assert "Look <here>" in page.text
    assert (await post.hash_of("x/en")) == seen
    form = {"x-en-text": "Look", "seen": seen, "x-en-alternative-new": ALTERNATIVE}
    assert (await post.send(ANA, "/variants/x/en", form, files)).status_code == 303
    # Nor is it taken away afterwards.
    (name,) = await post.alternatives("x/en")
    answer = await post.write("Look", more={name: " "})
    assert answer.status_code == 422
    await post.approved("Look")
    await settled(post, network)
    (stands,) = network.timeline.posts
    (media,) = (network.timeline.media[one] for one in stands.media_ids)
    assert (stands.text, media.alternative) == ("Look", ALTERNATIVE)


async def test_pictures_are_judged_by_their_bytes_counted_and_taken_out(post: Pages) -> None:
    form = {"x-en-text": "Look", "x-en-alternative-new": ALTERNATIVE}

    async def bring(data: bytes) -> Any:
        more = {"seen": await post.hash_of("x/en")} | await post.alternatives("x/en")
        return await post.send(ANA, "/variants/x/en", form | more, {"x-en-picture": ("a.png", data, "image/png")})

    for data, words in ((b"<svg onload=alert(1)>", "not a JPEG"), (png()[:60], "cannot be read")):
        answer = await bring(data)
        assert answer.status_code == 422
        assert words in answer.text
    for colour in ("teal", "navy", "gold", "white"):
        assert (await bring(png(colour))).status_code == 303
    answer = await bring(png("black"))
    assert answer.status_code == 422
    assert "takes 4 pictures at most" in answer.text
    first = next(iter(await post.alternatives("x/en"))).rpartition("-")[2]
    async with asker(post.wired.app, person=BO) as browser:
        shown = await browser.get(f"/social/pictures/{first}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert (await post.write("Look", more={"remove": first})).status_code == 303
    assert len(await post.alternatives("x/en")) == 3


async def test_a_text_that_is_too_long_is_kept_and_refused_on_submitting_with_how_much(post: Pages) -> None:
    assert (await post.write("a" * 270 + " 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿")).status_code == 303  # 270 + 4 × (1 + 2)
    assert "282 of 280" in Page((await post.get()).text).text
    answer = await post.act(ANA, "submit")
    assert (answer.status_code, await post.state()) == (422, State.DRAFT)
    assert "is 2 too long" in Page(answer.text).text
    assert (await post.write("a" * 280)).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303


async def test_an_empty_variant_is_refused_on_submitting(post: Pages) -> None:
    await post.write("Words")
    await post.send(ANA, "/variants", {"language": "ar"})
    answer = await post.act(ANA, "submit")
    assert answer.status_code == 422
    assert "x/ar has neither text nor picture" in Page(answer.text).text.replace("\u2068", "").replace("\u2069", "")
    assert (await post.send(ANA, "/variants/x/ar/remove", {})).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303
    assert (await post.send(ANA, "/variants/x/en/remove", {})).status_code == 409


async def test_page_counts_as_the_network_does(post: Pages) -> None:
    async with asker(post.wired.app, person=ANA) as browser:
        answer = await browser.post("/social/count", json={"text": "a" * 290 + " https://un.org/" + "b" * 90})
        assert answer.json() == {
            "length": 314,
            "limit": 280,
            "over": 34,
            "words": "314 of 280 characters, as the network counts them. That is 34 too many.",
        }
        assert (await browser.post("/social/count?network=mastodon", json={"text": ""})).status_code == 404


async def test_who_saves_second_is_told_and_overwrites_nothing(post: Pages) -> None:
    opened = await post.hash_of("x/en")
    assert (await post.write("Ana's words", seen=opened)).status_code == 303
    answer = await post.write("Bo's <words>", seen=opened, person=BO)
    assert answer.status_code == 409
    page = Page(answer.text)
    assert "Somebody else has saved" in page.text
    assert "Bo's <words>" in page.text
    assert "Ana's words" in page.text


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


async def test_withdrawn_by_a_person_it_does_not_leave(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words")
    assert (await post.act(BO, "withdraw")).status_code == 303
    assert [row.state for row in await settled(post, network)] == [Delivery.CANCELLED]
    assert texts_on(network) == []


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


async def from_draft(wired: System) -> Pages:
    """Return the post that Ana makes of the draft about a practice."""
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    async with wired.databases["social"].transaction() as tx:
        (draft,) = (await tx.execute(select(drafts))).all()
    async with asker(wired.app, person=ANA) as browser:
        answers = await asyncio.gather(*(browser.post(f"/social/drafts/{draft.id}/post") for _ in range(3)))
    (address,) = {answer.headers["location"] for answer in answers}
    return Pages(wired, UUID(address.rpartition("/")[2]))


async def test_a_draft_of_the_machine_becomes_one_post_and_has_no_author_yet(wired: System, database: Database) -> None:
    post = await from_draft(wired)
    page = Page((await post.get()).text)
    assert page.faults == []
    assert "Un guichet <unique>" in page.text
    async with database.transaction() as tx:
        assert (await store.find(tx, "post", post.post)).hands == frozenset()
    # Ana has only pressed a button; who submits stands up for the words.
    for name in ("x/en", "x/fr", "x/ar"):
        assert name in await post.seen()
    assert (await post.act(BO, "submit")).status_code == 303
    assert (await post.act(BO, "approve")).status_code == 403
    assert (await post.act(ANA, "approve")).status_code == 303


async def test_a_corrected_source_voids_the_approval_and_brings_new_words(wired: System, database: Database, network: Sandbox) -> None:
    post = await from_draft(wired)
    await post.write("By hand", name="x/ar")
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    corrected = PRACTICE.model_copy(update={"title": {**PRACTICE.title, "en": "One desk, better named", "ar": "عنوان آخر"}})
    await tell(wired.intake, corrected, subject="practice-1", revision=2)
    await wired.carry()
    assert (await post.state(), await asked(database, post)) == (State.DRAFT, ["submit-post"])
    async with database.transaction() as tx:
        texts = {row.language: row.text for row in await tx.execute(select(post_variants))}
    assert "better named" in texts["en"]
    assert texts["ar"] == "By hand"
    await settled(post, network)
    assert texts_on(network) == []
    page = Page((await post.get()).text)
    assert "revision 2" in page.text
    assert "عنوان آخر" in page.text  # what the machine would write today


async def test_a_withdrawn_source_withdraws_what_has_not_left(wired: System, database: Database, network: Sandbox) -> None:
    post = await from_draft(wired)
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    await wired.carry()
    assert await post.state() is State.WITHDRAWN
    assert {row.state for row in await settled(post, network)} == {Delivery.CANCELLED}
    assert texts_on(network) == []
    assert "Its authors <asked> for it." in Page((await post.get()).text).text
    answer = await post.act(ANA, "submit")
    assert answer.status_code == 409
    assert "has been withdrawn, so it must not leave" in answer.text


async def test_what_has_left_stays_when_its_source_changes(wired: System, database: Database, network: Sandbox) -> None:
    post = await from_draft(wired)
    for name in ("x/ar", "x/fr"):
        await post.send(ANA, f"/variants/{name}/remove", {})
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    await settled(post, network)
    stands = texts_on(network)
    await tell(wired.intake, PRACTICE.model_copy(update={"title": {"en": "Other"}}), subject="practice-1", revision=2)
    await wired.carry()
    assert (await post.state(), len(stands), texts_on(network)) == (State.APPROVED, 1, stands)


async def test_broken_glass_leaves_and_another_looks(post: Pages, database: Database, network: Sandbox) -> None:
    await post.write("Urgent")
    await post.plan(clock.now() + timedelta(hours=1))
    assert (await post.act(ANA, "break-glass", reason="The plenary begins.")).status_code == 303
    await settled(post, network)
    assert texts_on(network) == ["Urgent"]
    assert "I have looked at it" not in Page((await post.get(ANA)).text).text
    assert "I have looked at it" in Page((await post.get(BO)).text).text
    assert (await post.send(BO, "/acknowledge", {})).status_code == 303
    assert await asked(database, post) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_sound_in_every_state_and_language(post: Pages, database: Database, network: Sandbox, language: str) -> None:
    async def look() -> None:
        for person in (ANA, BO, somebody(Role.AUDITOR)):
            for address in (post.address, PATH, "/social/drafts"):
                async with asker(post.wired.app, person=person) as browser:
                    answer = await browser.get(address, params={"lang": language})
                page = Page(answer.text)
                assert (answer.status_code, page.faults) == (200, []), address
                ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
                assert len(ids) == len(set(ids)), address

    await look()
    await post.send(ANA, "/variants", {"language": "ar"})
    await post.write("كلمات", name="x/ar")
    form = {"x-en-text": "Words\nand more", "seen": await post.hash_of("x/en"), "x-en-alternative-new": ALTERNATIVE}
    await post.send(ANA, "/variants/x/en", form, {"x-en-picture": ("a.png", png(), "image/png")})
    await look()
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(days=1))
    await post.act(ANA, "submit")
    await look()
    await post.act(BO, "approve")
    await look()
    await post.plan(clock.now() + timedelta(hours=1))
    await settled(post, network)
    await look()


async def test_queue_shows_each_post_by_what_it_waits_for(wired: System, database: Database) -> None:
    work, awaits, planned = [await begun(wired) for _ in range(3)]
    await work.write("To be worked on")
    await awaits.write("Awaits another")
    await awaits.act(ANA, "submit")
    await planned.approved("Planned", due_in=timedelta(days=3))
    async with asker(wired.app, person=BO) as browser:
        page = (await browser.get(PATH)).text
    places = {words: page.index(words) for words in ("Awaits another", "To be worked on", ">Planned<")}
    heads = {stage: page.index(f'id="stage-{stage}"') for stage in ("waiting", "awaits", "work", "planned", "published", "ended")}
    assert heads["awaits"] < places["Awaits another"] < heads["work"] < places["To be worked on"] < heads["planned"]
    assert heads["planned"] < places[">Planned<"] < heads["published"]


async def test_who_only_approves_begins_and_writes_nothing(wired: System, post: Pages) -> None:
    approver = somebody(Role.APPROVER)
    async with asker(wired.app, person=approver) as browser:
        assert (await browser.post(PATH, data={"language": "en"})).status_code == 403
    assert (await post.write("Words", person=approver)).status_code == 403
    assert (await post.plan(clock.now() + timedelta(hours=1), person=approver)).status_code == 403
    page = Page((await post.get(approver)).text)
    assert page.all("textarea") == [] or all("text" not in one["id"] for one in page.all("textarea"))
