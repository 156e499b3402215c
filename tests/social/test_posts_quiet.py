"""Days on which nothing is posted, and what may not be spoken of yet: refused where it is planned, and asked again before it leaves."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from services.demo.sandbox.server import Sandbox
from services.social.domain.deliveries import State as Delivery
from services.social.domain.deliveries import WaitingFor
from services.social.jobs import of
from services.social.posting.things import things_at
from services.social.store.tables import drafts
from shared import clock
from shared.approval.rules import State
from shared.db import Database
from shared.ids import new_id
from shared.parking import listing
from tests.desk.wire import PUBLIC_URL, System, asker
from tests.people import bearer_of
from tests.sample_events import record, sample_of
from tests.shared.web_app import Page
from tests.social.ledger import all_of, tried
from tests.social.post_pages import ANA, BO, ZURICH, Pages, asked, sender_on, settled, texts_on

DAY_OF_MOURNING = {"en": "Day of mourning", "fr": "Journée de deuil"}


class Calendar:
    """What the calendar tells of one date."""

    def __init__(self, wired: System, kind: str, *, source: dict[str, str] | None = None) -> None:
        self._wired = wired
        self._facts = {"kind": kind, "title": DAY_OF_MOURNING, "source": source}
        self._id, self._revision = str(new_id()), 0

    async def tells(self, event_type: str, when: dict[str, Any]) -> None:
        self._revision += 1
        data = sample_of(event_type) | self._facts | {"when": when}
        await self._wired.consumers["social"].take([record(event_type, data, subject=self._id, revision=self._revision)])
        async with self._wired.databases["social"].transaction() as tx:
            assert await listing(tx) == []


def hours(begins: timedelta, ends: timedelta) -> dict[str, Any]:
    """A stretch of hours, from now."""
    now = clock.now()
    return {"precision": "time", "starts": clock.rfc3339(now + begins), "ends": clock.rfc3339(now + ends), "zone": ZURICH}


def day(ahead: int) -> dict[str, Any]:
    """A whole day, so many days from today."""
    found = (clock.now().astimezone(ZoneInfo(ZURICH)) + timedelta(days=ahead)).date().isoformat()
    return {"precision": "day", "first": found, "last": found}


async def pledge_post(wired: System) -> Pages:
    """Return the post that Ana makes of the draft about a pledge, in English alone."""
    await wired.consumers["social"].take([record("pledge.published.v1", subject="pledge-1")])
    async with wired.databases["social"].transaction() as tx:
        (draft,) = (await tx.execute(select(drafts))).all()
    async with asker(wired.app, person=ANA) as browser:
        answer = await browser.post(f"/social/drafts/{draft.id}/post")
    post = Pages(wired, UUID(answer.headers["location"].rpartition("/")[2]))
    await post.send(ANA, "/variants/x/fr/remove", {})
    return post


async def looks(database: Database, network: Sandbox) -> None:
    (job,) = [job for job in of(sender_on(network), things_at(PUBLIC_URL)) if job.name == "what posts ask"]
    await job.run(database)


async def test_planning_within_a_blackout_is_refused_with_its_name_by_page_and_program(wired: System, post: Pages) -> None:
    await Calendar(wired, "blackout").tells("date.published.v1", day(3))
    noon = (clock.now().astimezone(ZoneInfo(ZURICH)) + timedelta(days=3)).replace(hour=12)
    answer = await post.plan(noon)
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert "Nothing is posted or sent from" in page.text
    assert "Day of mourning" in page.text
    async with asker(wired.app, person=ANA) as browser:
        wanted = {"local": noon.strftime("%Y-%m-%dT%H:%M"), "zone": ZURICH}
        refused = await browser.post(
            f"/social/api/v1/posts/{post.post}/schedule", json=wanted, headers={**bearer_of(ANA), "Accept": "application/json"}
        )
    assert (refused.status_code, "Day of mourning" in refused.json()["detail"]) == (422, True)
    # The last minute before and the first behind are free, by the clock of the system's own zone.
    midnight = noon.replace(hour=0, minute=0, second=0)
    for free in (midnight - timedelta(minutes=1), midnight + timedelta(days=1)):
        assert (await post.plan(free)).status_code == 303
    for taken in (midnight, midnight + timedelta(days=1, minutes=-1)):
        assert (await post.plan(taken)).status_code == 422
    assert "Days on which nothing is posted or sent" in Page((await post.get()).text).text


async def test_a_planned_post_waits_until_a_blackout_is_over_and_leaves_at_once_where_it_is_cancelled(
    wired: System, post: Pages, database: Database, network: Sandbox
) -> None:
    await post.approved("After the day of mourning")
    blackout = Calendar(wired, "blackout")
    until = hours(timedelta(minutes=-5), timedelta(hours=5))
    await blackout.tells("date.published.v1", until)
    await post.comes_due()
    await sender_on(network).run(database)
    (row,) = await all_of(database)
    assert (row.state, clock.rfc3339(row.not_before)[:19], texts_on(network)) == (Delivery.SCHEDULED, until["ends"][:19], [])
    assert "Its time came when nothing may be posted" in Page((await post.get()).text).text
    await blackout.tells("date.cancelled.v1", until)
    await sender_on(network).run(database)
    assert texts_on(network) == ["After the day of mourning"]


async def test_a_blackout_that_moves_away_lets_go_and_one_that_moves_here_holds(
    wired: System, post: Pages, database: Database, network: Sandbox
) -> None:
    await post.approved("Words")
    blackout = Calendar(wired, "blackout")
    await blackout.tells("date.published.v1", day(9))
    await blackout.tells("date.moved.v1", hours(timedelta(minutes=-5), timedelta(hours=5)))
    await post.comes_due()
    await sender_on(network).run(database)
    assert texts_on(network) == []
    await blackout.tells("date.moved.v1", day(9))
    await sender_on(network).run(database)
    assert texts_on(network) == ["Words"]


async def test_after_a_long_blackout_a_post_that_waited_is_not_too_late(
    wired: System, post: Pages, database: Database, network: Sandbox
) -> None:
    await post.approved("Words")
    await Calendar(wired, "blackout").tells("date.published.v1", hours(timedelta(minutes=-5), timedelta(days=2)))
    await post.comes_due()
    await sender_on(network).run(database)
    async with database.transaction() as tx:  # two days later
        await tx.execute(text("UPDATE deliveries SET due_at = due_at - interval '2 days', not_before = now(), quiet_until = now()"))
        await tx.execute(text("UPDATE quiet_times SET ends = now()"))
    await sender_on(network).run(database)
    assert texts_on(network) == ["Words"]


async def test_a_post_whose_end_comes_before_the_blackout_is_over_asks_for_another_time(
    wired: System, post: Pages, database: Database, network: Sandbox
) -> None:
    await post.write("Words")
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(hours=2))
    await post.act(ANA, "submit")
    await post.act(BO, "approve")
    await Calendar(wired, "blackout").tells("date.published.v1", hours(timedelta(minutes=-5), timedelta(hours=5)))
    (row,) = await settled(post, network)
    assert (row.state, row.waiting_for, texts_on(network)) == (Delivery.WAITING, WaitingFor.QUIET, [])
    for _ in range(2):
        await looks(database, network)
    assert await asked(database, post) == ["schedule-post"]
    assert "Give it another time." in Page((await post.get()).text).text
    assert (await post.plan(clock.now() + timedelta(hours=6))).status_code == 303
    await looks(database, network)
    assert await asked(database, post) == []
    (row,) = await all_of(database)
    assert (row.state, await post.state()) == (Delivery.SCHEDULED, State.APPROVED)


async def test_a_blackout_that_comes_while_a_post_is_prepared_holds_it_back(
    wired: System, post: Pages, database: Database, network: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.approved("Words")
    await post.comes_due()
    sender = sender_on(network)
    brought = sender._bring

    async def slowly(*given: Any) -> Any:
        await Calendar(wired, "blackout").tells("date.published.v1", hours(timedelta(minutes=-5), timedelta(hours=5)))
        return await brought(*given)

    monkeypatch.setattr(sender, "_bring", slowly)
    await sender.run(database)
    (row,) = await all_of(database)
    assert (row.state, row.lease, texts_on(network), await tried(database)) == (Delivery.SCHEDULED, None, [], [])


async def test_nothing_is_approved_to_leave_before_its_source_may_be_spoken_of(wired: System, database: Database, network: Sandbox) -> None:
    post = await pledge_post(wired)
    await post.plan(clock.now() + timedelta(hours=1))
    launch = hours(timedelta(hours=5), timedelta(hours=6))
    embargo = Calendar(wired, "embargo", source={"kind": "pledge", "id": "pledge-1"})
    await embargo.tells("date.published.v1", launch)
    answer = await post.act(ANA, "submit")
    assert (answer.status_code, "Nothing may be said about this before" in answer.text) == (422, True)
    answer = await post.plan(clock.now() + timedelta(hours=2))
    assert (answer.status_code, "Nothing may be said about this before" in answer.text) == (422, True)
    assert (await post.plan(clock.now() + timedelta(hours=5, minutes=2))).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303
    assert (await post.act(BO, "approve")).status_code == 303
    # The launch moves to later: what was approved for the old hour waits for the new one.
    await embargo.tells("date.moved.v1", hours(timedelta(hours=9), timedelta(hours=10)))
    await post.comes_due()
    await sender_on(network).run(database)
    assert texts_on(network) == []
    await embargo.tells("date.cancelled.v1", launch)
    await sender_on(network).run(database)
    assert len(texts_on(network)) == 1


async def test_an_embargo_holds_up_nothing_else(wired: System, post: Pages, network: Sandbox) -> None:
    await Calendar(wired, "embargo", source={"kind": "pledge", "id": "pledge-1"}).tells("date.published.v1", day(9))
    await post.approved("About something else")
    await settled(post, network)
    assert texts_on(network) == ["About something else"]


async def test_while_one_claims_no_blackout_comes_in_between(wired: System, post: Pages, database: Database, network: Sandbox) -> None:
    await post.approved("Words")
    await post.comes_due()
    blackout = Calendar(wired, "blackout")
    await asyncio.gather(
        sender_on(network).run(database),
        blackout.tells("date.published.v1", hours(timedelta(minutes=-5), timedelta(hours=5))),
    )
    (row,) = await all_of(database)
    left = row.state == Delivery.PUBLISHED
    assert texts_on(network) == (["Words"] if left else [])
    assert len(await tried(database)) == left
