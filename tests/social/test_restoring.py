"""Posts after a restore: each waits for a person, and leaves at its time once a person has let it go."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.social import telling
from services.social.domain.deliveries import State, WaitingFor
from services.social.restoring import hold_everything
from services.social.web.deliveries_show import PATH
from shared import clock
from shared.db import Database
from shared.i18n import translate
from tests.desk.wire import System, asker
from tests.shared.web_app import Page
from tests.social.ledger import all_of, put
from tests.social.x_sandbox import words


@pytest.fixture
async def browser(wired: System) -> AsyncIterator[httpx.AsyncClient]:
    async with asker(wired.app) as entered:
        yield entered


@pytest.mark.parametrize("ahead", [timedelta(days=3), -timedelta(hours=1)], ids=["its time is to come", "its time has passed"])
async def test_a_held_post_leaves_at_its_time_or_now_once_a_person_lets_it_go(
    database: Database, browser: httpx.AsyncClient, ahead: timedelta
) -> None:
    post = await put(database, words("Held"), due_in=ahead)
    async with database.transaction() as tx:
        (held,) = await hold_everything(tx, clock.now())
    assert (held.kind, held.name, held.address) == ("post", "Held", f"{PATH}#post-{post}")
    (row,) = await all_of(database)
    assert (row.state, row.waiting_for) == (State.WAITING, WaitingFor.RESTORED)
    page = Page((await browser.get(PATH)).text)
    assert translate("en", "staff.posts.decide.release") in page.text
    assert translate("en", "staff.posts.decide.again") not in page.text
    before = clock.now()
    assert (await browser.post(f"{PATH}/{post}/again")).status_code == 303
    (after,) = await all_of(database)
    assert (after.state, after.waiting_for) == (State.SCHEDULED, None)
    assert after.not_before == after.due_at
    if ahead > timedelta(0):
        assert after.due_at == row.due_at
    else:
        assert before <= after.due_at <= clock.now()


@pytest.mark.parametrize("why", [WaitingFor.LATE, WaitingFor.NOT_CONNECTED, WaitingFor.CREDIT, WaitingFor.APPROVAL])
async def test_a_post_that_waited_already_may_stand_since_and_its_page_says_so(
    database: Database, browser: httpx.AsyncClient, why: WaitingFor
) -> None:
    await waits(database, why)
    async with database.transaction() as tx:
        (held,) = await hold_everything(tx, clock.now())
    assert held.why.partition(",")[0] == f"waited for a person ({why})"
    (row,) = await all_of(database)
    assert (row.state, row.waiting_for, row.evidence["stood"]) == (State.WAITING, WaitingFor.RESTORED, why)
    page = Page((await browser.get(PATH)).text)
    assert translate("en", "social.waiting.restored") in page.text
    assert translate("en", "staff.posts.decide.live") in page.text


async def test_a_post_that_is_said_to_stand_perhaps_keeps_its_reason_and_is_listed(database: Database) -> None:
    await waits(database, WaitingFor.DUPLICATE)
    async with database.transaction() as tx:
        (held,) = await hold_everything(tx, clock.now())
    (row,) = await all_of(database)
    assert (row.waiting_for, held.why.partition(",")[0]) == (WaitingFor.DUPLICATE, "waited for a person (duplicate)")


async def waits(database: Database, why: WaitingFor) -> None:
    """Put a post that waits for a person."""
    await put(database, words("Held"))
    (row,) = await all_of(database)
    async with database.transaction() as tx:
        assert await telling.wait_for_a_person(tx, row, why, {})
