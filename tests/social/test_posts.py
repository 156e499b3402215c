"""A post from its first word to the network: approved by another, sent by the real sender, and void by one comma."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from services.demo.sandbox.server import Sandbox
from services.social import sender as its_sender
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.store.tables import deliveries
from shared import clock
from shared.approval import store
from shared.approval.rules import State
from shared.db import Database
from shared.events.codes import Role
from shared.events.every import DecisionMade
from tests.desk.wire import asker, tell
from tests.people import bearer_of, somebody
from tests.shared.web_app import Page
from tests.social.ledger import all_of, tried, unsettled
from tests.social.post_pages import ANA, BO, Pages, asked, sender_on, settled, texts_on, told

CROWD = 50


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


async def test_withdrawn_by_a_person_it_does_not_leave(post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words")
    assert (await post.act(BO, "withdraw")).status_code == 303
    assert [row.state for row in await settled(post, network)] == [Delivery.CANCELLED]
    assert texts_on(network) == []


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
