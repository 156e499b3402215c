"""Posts made of the machine's drafts, and what a correction or the end of their source does to them."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from services.demo.sandbox.server import Sandbox
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.posting import writing
from services.social.posting.things import things_at
from services.social.posting.writing import Hand
from services.social.restoring import hold_everything
from services.social.store import posts
from services.social.store.tables import drafts, post_variants
from shared import clock
from shared.approval import store
from shared.approval.rules import State
from shared.db import Database
from shared.events.intake import PracticeWithdrawn
from shared.trace import Cause
from tests.desk.wire import PRACTICE, PUBLIC_URL, System, asker, tell
from tests.shared.approval_items import waits_for_lock
from tests.shared.web_app import Page
from tests.social.post_pages import ANA, BO, Pages, asked, settled, texts_on

WITHDRAWN = PracticeWithdrawn.model_validate({"reason": "Its authors <asked> for it."})


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


@pytest.mark.parametrize("ends", [False, True], ids=["corrected", "withdrawn"])
async def test_what_a_restore_holds_stays_held_when_its_source_changes_and_its_old_words_do_not_leave(
    wired: System, database: Database, network: Sandbox, ends: bool
) -> None:
    post = await from_draft(wired)
    await post.plan(clock.now() + timedelta(hours=1))
    await post.act(ANA, "submit")
    assert (await post.act(BO, "approve")).status_code == 303
    async with database.transaction() as tx:
        await hold_everything(tx, clock.now())
    corrected = PRACTICE.model_copy(update={"title": {language: f"{title}, corrected" for language, title in PRACTICE.title.items()}})
    await tell(wired.intake, WITHDRAWN if ends else corrected, subject="practice-1", revision=2)
    await wired.carry()
    assert await post.state() is (State.WITHDRAWN if ends else State.DRAFT)
    if not ends:
        await post.act(ANA, "submit")
        assert (await post.act(BO, "approve")).status_code == 303
    held = await settled(post, network)
    assert {(row.state, row.waiting_for) for row in held} == {(Delivery.WAITING, WaitingFor.RESTORED)}
    async with asker(wired.app, person=BO) as browser:
        for row in held:
            assert (await browser.post(f"/social/deliveries/{row.id}/again")).status_code == 303
    assert {row.state for row in await settled(post, network)} <= {Delivery.WAITING, Delivery.CANCELLED}
    assert texts_on(network) == []
    if not ends:  # whoever said that it is not there gives it a time, and what is approved now leaves
        await post.plan(clock.now() + timedelta(hours=2))
        assert {row.state for row in await settled(post, network)} == {Delivery.PUBLISHED}
        assert all("corrected" in text for text in texts_on(network))


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


async def test_a_source_withdrawn_while_a_post_is_begun_from_its_draft_withdraws_the_post(wired: System, database: Database) -> None:
    await tell(wired.intake, PRACTICE, subject="practice-1")
    await wired.carry()
    async with database.transaction() as tx:
        (draft,) = (await tx.execute(select(drafts))).all()
    hand = Hand(thing=things_at(PUBLIC_URL), by=ANA, cause=Cause.start())
    await tell(wired.intake, WITHDRAWN, subject="practice-1", revision=2)
    async with database.transaction() as tx:
        post = await writing.begin_from_draft(tx, hand, draft.id, zone="UTC")
        carried = asyncio.create_task(wired.carry())
        await asyncio.wait([carried, asyncio.create_task(waits_for_lock(database))], return_when=asyncio.FIRST_COMPLETED)
    await carried
    assert post is not None
    async with database.transaction() as tx:
        found = await posts.find(tx, post)
    assert found is not None
    assert found.source_withdrawn == WITHDRAWN.reason
