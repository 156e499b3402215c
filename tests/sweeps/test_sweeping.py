"""What the sweeps of every service have in common: what is not told, what is set aside, the job, and the page that names it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from services.owners import OWNERS
from shared import clock, locks
from shared.events.codes import Role
from shared.i18n import translate
from shared.parking import parked
from shared.sweeps import Promise, Sweep, Sweeper
from tests.desk.wire import PRACTICE, tell
from tests.people import cookies_of
from tests.shared.web_app import BROWSER
from tests.sweeps.swept import open_tasks, put_submission, run, sweep, sweeps_of
from tests.test_docs import DOCS, codes_in, rows_of, text_of
from tests.test_queues import _dead
from tests.watched import PUBLIC_URL, Watched


@pytest.mark.parametrize("service", OWNERS)
async def test_a_service_that_is_well_has_nothing_stuck(system: Watched, service: str) -> None:
    assert await sweep(system, service) == []


async def test_every_promise_is_swept_where_the_page_says_so(system: Watched) -> None:
    section = text_of(DOCS / "understand" / "promises.md").partition("## Swept")[2].partition("\n## ")[0]
    listed = {cells[0].strip("`"): set(codes_in(cells[1])) for cells in rows_of(section)}
    assert listed.keys() == set(Promise)
    by_promise = {promise: {one for one in OWNERS if promise in {sweep.promise for sweep in sweeps_of(system, one)}} for promise in Promise}
    assert by_promise == listed


@pytest.mark.parametrize("service", OWNERS)
async def test_an_event_that_is_not_told_for_long_is_named(system: Watched, service: str) -> None:
    late = await tell(system.database(service), PRACTICE, subject="1")
    await tell(system.database(service), PRACTICE, subject="2")
    await run(system, service, "UPDATE outbox SET time = now() - interval '6 minutes' WHERE id = :id", id=late)
    assert await sweep(system, service) == [(Promise.TOLD, "unsent", str(late))]


async def test_dead_events_are_named_and_an_operator_is_asked_until_none_is_left(system: Watched) -> None:
    dead = _dead("1")
    async with system.database("pledges").transaction() as tx:
        await tx.execute(insert(parked).values(**dead))
    for _ in range(2):
        assert await sweep(system, "pledges") == [(Promise.SET_ASIDE, "dead", str(dead["event_id"]))]
        [(kind, task)] = (await open_tasks(system, "pledges")).items()
        assert kind == ("look-at-dead-events", "pledges")
        assert (task.role, task.address) == (Role.OPERATOR, f"{PUBLIC_URL}/pledges/operations")
    await run(system, "pledges", "DELETE FROM parked")
    assert await sweep(system, "pledges") == []
    assert await open_tasks(system, "pledges") == {}


async def test_what_is_set_aside_and_not_tried_again_is_named_but_not_what_waits_behind_it(system: Watched) -> None:
    first, behind = (_dead("1", state="waiting", next_at=clock.now() - timedelta(hours=1)) for _ in range(2))
    async with system.database("desk").transaction() as tx:
        for row in (first, behind):
            await tx.execute(insert(parked).values(**row))
    assert await sweep(system, "desk") == [(Promise.SET_ASIDE, "not-tried", str(first["event_id"]))]


async def test_of_two_processes_one_mends_and_both_tell_what_is_left(system: Watched) -> None:
    submission = await put_submission(system, "practice")
    database = system.database("intake")
    async with locks.session(database) as session:
        assert await locks.try_lock(session, "sweeps:intake")
        assert await sweep(system, "intake") == [(Promise.ASKED, "no-task", str(submission))]
    assert await sweep(system, "intake") == []


async def test_one_sweep_that_fails_keeps_no_other_back(system: Watched, caplog: pytest.LogCaptureFixture) -> None:
    late = await tell(system.database("desk"), PRACTICE, subject="1")
    await run(system, "desk", "UPDATE outbox SET time = now() - interval '6 minutes'")

    async def fails(tx: object) -> Sequence[Any]:
        raise ValueError("no")

    sweeper = Sweeper([Sweep(promise=Promise.NEAR, find=fails), *sweeps_of(system, "desk")])
    assert await sweeper.run(system.database("desk")) == 1
    assert str(late) in caplog.text
    assert "what is near could not be swept" in caplog.text


async def test_what_is_stuck_stands_on_the_operations_page(system: Watched) -> None:
    late = await tell(system.database("intake"), PRACTICE, subject="1")
    await run(system, "intake", "UPDATE outbox SET time = now() - interval '6 minutes'")
    system.client.cookies.update(dict(cookies_of()))
    page = (await system.client.get("/intake/operations", headers=BROWSER)).text
    assert translate("en", "staff.promise.told") in page
    assert translate("en", "staff.stuck.unsent") in page
    assert str(late) in page
    answer = await system.client.get("/intake/operations.json")
    found = answer.json()
    assert [(one["promise"], one["why"], one["id"]) for one in found["stuck"]] == [("told", "unsent", str(late))]
    [figure] = [one for one in found["shown"] if one["name"] == "stuck"]
    assert (figure["text"]["text"], figure["tone"]) == ("1", "bad")
