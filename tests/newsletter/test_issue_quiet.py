"""Days on which nothing is sent, and what may not be spoken of yet: refused where it is planned, and asked again before anything leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from services.newsletter.handlers import listens
from services.newsletter.issues.matter import EmbargoedError
from services.newsletter.jobs import of as jobs_of
from services.newsletter.sending.issues import begin_due
from services.newsletter.sending.rules import Hold, SendState
from services.newsletter.sending.tables import sends
from shared import clock, tasks
from shared.approval.rules import Action
from shared.consumer import Consumer
from shared.events.registry import TOPICS_OF
from shared.ids import new_id
from shared.parking import listing
from shared.testing.sink import Sink, sink
from tests.newsletter.issue_app import Newsletter, newsletter
from tests.newsletter.issue_items import APPROVER, PUBLIC_URL, WRITER, ZONE, approved, arrives, blocks_of, cut, does, item, opened
from tests.newsletter.sending import subscribe
from tests.newsletter.test_issue_sending import ISSUES, _is, looked_twice, plan, sender_at_work, state_of, until
from tests.sample_events import record, sample_of
from tests.shared.web_app import Page

PRACTICE = {"kind": "practice", "id": "practice-1"}
SILENCE = {"en": "Day of mourning"}


@pytest.fixture
async def taken(var: Path) -> AsyncIterator[Sink]:
    async with sink(var / "taken", seconds=0.0) as running:
        yield running


@pytest.fixture
async def service(database_url: str, taken: Sink) -> AsyncIterator[Newsletter]:
    async with newsletter(database_url, smtp=f"smtp://127.0.0.1:{taken.port}") as found:
        yield found


class Calendar:
    """What the calendar tells of one date."""

    def __init__(self, service: Newsletter, kind: str, source: dict[str, str] | None = None) -> None:
        self._service = service
        self._facts = {"kind": kind, "title": SILENCE, "source": source}
        self._id, self._revision = str(new_id()), 0

    async def tells(self, event_type: str, begins: timedelta, ends: timedelta) -> None:
        """Tell it of hours from now."""
        self._revision += 1
        now = clock.now()
        when = {"precision": "time", "starts": clock.rfc3339(now + begins), "ends": clock.rfc3339(now + ends), "zone": ZONE}
        one = record(event_type, sample_of(event_type) | self._facts | {"when": when}, subject=self._id, revision=self._revision)
        await Consumer("newsletter", self._service.database, listens(PUBLIC_URL, ZONE), TOPICS_OF).take([one])
        async with self._service.database.transaction() as tx:
            assert await listing(tx) == []


AGO, HOURS = timedelta(minutes=-5), timedelta(hours=5)


async def waits(service: Newsletter, issue: UUID) -> Any:
    async with service.database.transaction() as tx:
        return (await tx.execute(select(sends.c.waits_until).where(sends.c.issue_id == issue))).scalar_one()


async def test_an_hour_within_a_blackout_is_refused_with_its_name(service: Newsletter) -> None:
    issue = await approved(service.database)
    await Calendar(service, "blackout").tells("date.published.v1", AGO, HOURS)
    async with service.browser(WRITER) as browser:
        hour = {"zone": "UTC", "valid_hours": "24"}
        refused = await browser.post(
            f"{ISSUES}{issue}/schedule", data=hour | {"sends_at": f"{clock.now() + timedelta(hours=1):%Y-%m-%dT%H:%M}"}
        )
        page = Page(refused.text)
        assert (refused.status_code, page.faults) == (422, [])
        assert "Nothing is posted or sent from" in page.text
        assert "Day of mourning" in page.text
        assert "Days on which nothing is posted or sent" in page.text
        late = await browser.post(
            f"{ISSUES}{issue}/schedule", data=hour | {"sends_at": f"{clock.now() + timedelta(hours=6):%Y-%m-%dT%H:%M}"}
        )
        assert late.status_code == 303


async def test_days_of_an_issue_cannot_be_put_within_a_blackout(service: Newsletter) -> None:
    issue = await opened(service.database)
    await Calendar(service, "blackout").tells("date.published.v1", AGO, timedelta(days=60))
    async with service.browser(WRITER) as browser:
        days = {
            "closes_on": f"{clock.now():%Y-%m-%d}",
            "sends_at": f"{clock.now() + timedelta(days=9):%Y-%m-%dT09:00}",
            "zone": ZONE,
            "valid_hours": "24",
            "remind_days": "3",
            "revision": "1",
        }
        refused = await browser.post(f"{ISSUES}{issue}/days", data=days)
    assert (refused.status_code, "Day of mourning" in refused.text) == (422, True)


@pytest.mark.timeout(180)
async def test_a_planned_issue_waits_and_goes_at_once_where_the_blackout_is_cancelled(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["ana@example.org"])
    issue = await approved(service.database)
    await plan(service, issue)
    blackout = Calendar(service, "blackout")
    await blackout.tells("date.published.v1", AGO, HOURS)
    async with sender_at_work(service):
        await looked_twice(service)
        assert (await state_of(service, issue)).state is SendState.SCHEDULED
        assert await waits(service, issue) > clock.now() + timedelta(hours=4)
        assert taken.count == 0
        async with service.browser(WRITER) as browser:
            assert "on a day on which nothing is sent" in (await browser.get(f"{ISSUES}{issue}/sending")).text
        await blackout.tells("date.cancelled.v1", AGO, HOURS)
        await until(lambda: _is(service, issue, SendState.SENT))
    assert taken.count == 1


@pytest.mark.timeout(180)
async def test_an_issue_whose_last_hour_comes_before_is_held_and_asks(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["ana@example.org"])
    issue = await approved(service.database)
    await plan(service, issue)
    await Calendar(service, "blackout").tells("date.published.v1", AGO, timedelta(hours=30))
    async with sender_at_work(service):
        await until(lambda: _is(service, issue, SendState.HELD))
    standing = await state_of(service, issue)
    assert (standing.held_because, taken.count) == (Hold.QUIET, 0)
    (job,) = [job for job in jobs_of(ZONE, PUBLIC_URL) if job.name == "held issues"]
    await job.run(service.database)
    async with service.database.transaction() as tx:
        assert [task.kind for task in await tasks.open_tasks(tx, str(issue))] == ["settle-issue"]


async def asks(service: Newsletter, issue: UUID) -> list[str]:
    """What the clock asks people about a held issue."""
    (job,) = [job for job in jobs_of(ZONE, PUBLIC_URL) if job.name == "held issues"]
    for _ in range(3):
        await job.run(service.database)
    async with service.database.transaction() as tx:
        return [task.kind for task in await tasks.open_tasks(tx, str(issue))]


@pytest.mark.parametrize(
    ("kind", "event_type", "begins", "ends"),
    [
        pytest.param("blackout", "date.cancelled.v1", -1, 30, id="a blackout is cancelled"),
        pytest.param("blackout", "date.moved.v1", 200, 210, id="a blackout moves away"),
        pytest.param("embargo", "date.cancelled.v1", 30, 31, id="an embargo is cancelled"),
        pytest.param("embargo", "date.moved.v1", -9, -8, id="an embargo has been moved before now"),
    ],
)
async def test_people_are_told_that_what_was_held_may_go_on_and_it_does_not_by_itself(
    service: Newsletter, kind: str, event_type: str, begins: int, ends: int
) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    date = Calendar(service, kind, PRACTICE if kind == "embargo" else None)
    forbids = (timedelta(hours=30), timedelta(hours=31)) if kind == "embargo" else (AGO, timedelta(hours=30))
    await date.tells("date.published.v1", *forbids)
    async with service.database.transaction() as tx:
        await begin_due(tx)
    assert (await state_of(service, issue)).held_because == Hold.QUIET
    assert await asks(service, issue) == ["settle-issue"]
    await date.tells(event_type, timedelta(hours=begins), timedelta(hours=ends))
    assert await asks(service, issue) == ["resume-issue"]
    async with service.database.transaction() as tx:
        assert list(await begin_due(tx)) == []
        rows = await tx.execute(text("SELECT body::jsonb ->> 'kind' AS kind FROM outbox WHERE type = 'task.opened.v1' ORDER BY seq"))
        assert [row.kind for row in rows][-2:] == ["settle-issue", "resume-issue"], "desk is told of each, once"
    assert (await state_of(service, issue)).state is SendState.HELD
    await date.tells("date.moved.v1", *forbids)
    assert await asks(service, issue) == ["settle-issue"], "it may not go after all"


@pytest.mark.timeout(180)
async def test_a_blackout_that_comes_while_mails_leave_stops_them_and_lets_them_go_on(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, [f"reader-{number}@example.org" for number in range(3)])
    issue = await approved(service.database)
    await plan(service, issue)
    blackout = Calendar(service, "blackout")
    async with service.database.transaction() as tx:  # begun, and nothing of it has left
        await tx.execute(update(sends).values(state="sending", frozen_at=clock.now()))
        await tx.execute(
            text(
                "INSERT INTO audience (issue_id, subscriber_id, language, domain, state, next_at) SELECT :issue, id, 'en', domain,"
                " 'planned', now() FROM subscribers"
            ),
            {"issue": issue},
        )
        await tx.execute(update(sends).values(audience=3))
    await blackout.tells("date.published.v1", AGO, HOURS)
    async with sender_at_work(service):
        await looked_twice(service)
        assert taken.count == 0
        await blackout.tells("date.moved.v1", timedelta(days=9), timedelta(days=10))
        await until(lambda: _is(service, issue, SendState.SENT))
    assert taken.count == 3


async def _cut_issue(service: Newsletter) -> UUID:
    """Return an issue whose one item comes from a source, cut and not submitted."""
    await arrives(service.database, item())
    issue = await opened(service.database)
    await cut(service.database, issue)
    return issue


async def test_an_issue_is_not_approved_to_leave_before_something_in_it_may_be_spoken_of(service: Newsletter) -> None:
    issue = await _cut_issue(service)
    async with service.database.transaction() as tx:
        await tx.execute(text("UPDATE issues SET zone = 'UTC', sends_at = now() AT TIME ZONE 'UTC' + interval '1 day'"))
    embargo = Calendar(service, "embargo", PRACTICE)
    await embargo.tells("date.published.v1", timedelta(days=2), timedelta(days=3))
    with pytest.raises(EmbargoedError):
        await does(service.database, issue, Action.SUBMIT, WRITER)
    await embargo.tells("date.moved.v1", timedelta(hours=2), timedelta(hours=3))
    await does(service.database, issue, Action.SUBMIT, WRITER)
    await embargo.tells("date.moved.v1", timedelta(days=2), timedelta(days=3))
    with pytest.raises(EmbargoedError):
        await does(service.database, issue, Action.APPROVE, APPROVER)


@pytest.mark.timeout(180)
async def test_an_embargo_that_comes_late_keeps_a_planned_issue_back(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["ana@example.org"])
    issue = await approved(service.database)
    await plan(service, issue)
    other = Calendar(service, "embargo", {"kind": "pledge", "id": "another"})
    await other.tells("date.published.v1", timedelta(days=2), timedelta(days=3))
    embargo = Calendar(service, "embargo", PRACTICE)
    await embargo.tells("date.published.v1", HOURS, timedelta(hours=6))
    async with sender_at_work(service):
        await looked_twice(service)
        assert (await state_of(service, issue)).state is SendState.SCHEDULED
        assert taken.count == 0
        await embargo.tells("date.cancelled.v1", HOURS, timedelta(hours=6))
        await until(lambda: _is(service, issue, SendState.SENT))
    assert taken.count == 1


async def test_an_embargo_that_comes_while_an_issue_leaves_holds_it(service: Newsletter) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        await tx.execute(update(sends).values(state="sending", frozen_at=clock.now()))
    await Calendar(service, "embargo", {"kind": "pledge", "id": "another"}).tells("date.published.v1", HOURS, timedelta(hours=6))
    assert (await state_of(service, issue)).state is SendState.SENDING
    await Calendar(service, "embargo", PRACTICE).tells("date.published.v1", HOURS, timedelta(hours=6))
    standing = await state_of(service, issue)
    assert (standing.state, standing.held_because) == (SendState.HELD, Hold.QUIET)


@pytest.mark.parametrize("held_first", [False, True])
async def test_nobody_lets_a_held_issue_go_on_before_what_is_in_it_may_be_spoken_of(service: Newsletter, held_first: bool) -> None:
    issue = await approved(service.database)
    await plan(service, issue)
    async with service.database.transaction() as tx:
        await tx.execute(update(sends).values(state="sending", frozen_at=clock.now()))
    embargo = Calendar(service, "embargo", PRACTICE)
    async with service.browser(APPROVER) as browser:
        if held_first:
            assert (await browser.post(f"{ISSUES}{issue}/sending/hold", data={"reason": "Let me look."})).status_code == 303
        await embargo.tells("date.published.v1", HOURS, timedelta(hours=6))
        refused = await browser.post(f"{ISSUES}{issue}/sending/resume", data={"valid_hours": "24"})
        assert (refused.status_code, "Day of mourning" in refused.text) == (422, True)
        assert (await state_of(service, issue)).state is SendState.HELD
        await embargo.tells("date.cancelled.v1", HOURS, timedelta(hours=6))
        assert (await browser.post(f"{ISSUES}{issue}/sending/resume", data={"valid_hours": "24"})).status_code == 303
    assert (await state_of(service, issue)).state is SendState.SENDING


@pytest.mark.timeout(180)
async def test_what_a_source_has_withdrawn_does_not_leave_though_it_was_planned(service: Newsletter, taken: Sink) -> None:
    await subscribe(service.database, service.parts.vault, ["ana@example.org"])
    issue = await approved(service.database)
    await plan(service, issue)
    one = record("practice.withdrawn.v1", subject="practice-1", revision=2)
    await Consumer("newsletter", service.database, listens(PUBLIC_URL, ZONE), TOPICS_OF).take([one])
    async with sender_at_work(service):
        await looked_twice(service)
    assert taken.count == 0
    (block,) = await blocks_of(service.database, issue)
    assert block.dropped_at is not None
