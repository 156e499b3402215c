"""The page of posts, and what a person decides about one that waits."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from services.social.domain.deliveries import Decision, State, WaitingFor, decisions_for
from services.social.store import deliveries as ledger
from services.social.store.tables import deliveries
from services.social.web.deliveries_show import PATH
from shared import clock
from shared.db import Database
from shared.events.codes import Network
from shared.events.every import DecisionMade
from shared.i18n import LANGUAGES, translate
from tests.desk.wire import System, asker, system
from tests.people import ALEX
from tests.shared.web_app import Page
from tests.social.ledger import all_of, put
from tests.social.test_deliveries import told
from tests.social.x_sandbox import words

THERE = "https://x.com/UNmigNetwork/status/1800000000000000001"


@pytest.fixture
async def wired(database_url: str) -> AsyncIterator[System]:
    async with system(database_url) as found:
        yield found


@pytest.fixture
def database(wired: System) -> Database:
    return wired.databases["social"]


@pytest.fixture
async def browser(wired: System) -> AsyncIterator[httpx.AsyncClient]:
    async with asker(wired.app) as entered:
        yield entered


async def waiting(database: Database, why: WaitingFor, text: str = "One <two> & three", **more: Any) -> UUID:
    """Return the id of a delivery that waits."""
    delivery_id = await put(database, words(text))
    async with database.transaction() as tx:
        await tx.execute(
            update(deliveries)
            .where(deliveries.c.id == delivery_id)
            .values(state=State.WAITING.value, waiting_for=why.value, evidence={"status": 503, "body": "<b>busy</b>"}, **more)
        )
    return delivery_id


async def one(database: Database) -> Any:
    (row,) = await all_of(database)
    return row


@pytest.mark.parametrize("why", list(WaitingFor))
async def test_what_waits_says_why_and_what_was_seen(database: Database, browser: httpx.AsyncClient, why: WaitingFor) -> None:
    await waiting(database, why)
    page = Page((await browser.get(PATH)).text)
    assert translate("en", why.key) in page.text
    assert "One <two> & three" in page.text
    assert "<b>busy</b>" in page.text
    assert page.faults == []


async def test_posts_are_for_the_team_alone(wired: System, database: Database) -> None:
    post = await waiting(database, WaitingFor.LATE)
    async with asker(wired.app, entered=False) as stranger:
        assert (await stranger.get(PATH)).status_code == 401
        assert (await stranger.post(f"{PATH}/{post}/again")).status_code == 401
    assert (await one(database)).state == State.WAITING


async def test_posts_are_shown_by_their_state(database: Database, browser: httpx.AsyncClient) -> None:
    await waiting(database, WaitingFor.LATE, "The late one")
    await put(database, words("The next one"), due_in=timedelta(days=1))
    everything = Page((await browser.get(PATH)).text).text
    assert "The late one" in everything
    assert "The next one" in everything
    shown = Page((await browser.get(f"{PATH}?state=waiting")).text).text
    assert "The late one" in shown
    assert "The next one" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
async def test_posts_are_sound_markup_full_and_empty(database: Database, browser: httpx.AsyncClient, language: str) -> None:
    assert Page((await browser.get(f"{PATH}?lang={language}")).text).faults == []
    for why in WaitingFor:
        await waiting(database, why)
    page = Page((await browser.get(f"{PATH}?lang={language}")).text)
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


async def test_a_post_that_a_person_found_is_published_and_told(database: Database, browser: httpx.AsyncClient) -> None:
    post = await waiting(database, WaitingFor.UNCERTAIN)
    assert (await browser.post(f"{PATH}/{post}/live", data={"address": f" {THERE}?s=20 "})).status_code == 303
    row = await one(database)
    assert (row.state, row.waiting_for, row.place_id) == (State.PUBLISHED, None, "1800000000000000001")
    assert row.evidence["decided"] == "live"
    assert row.evidence["before"]["status"] == 503
    (published, _), (decided, body) = await told(database)
    assert (published, decided) == ("post.published.v1", "decision.made.v1")
    decision = DecisionMade.model_validate_json(body)
    assert (decision.who, decision.what, decision.content_hash) == (ALEX.id, "live", row.content_hash)


@pytest.mark.parametrize(
    "address", ["", "https://x.com/UNmigNetwork", "https://example.org/a/status/1", "javascript:alert(1)//x.com/a/status/1"]
)
async def test_what_is_no_address_of_a_post_is_not_taken(database: Database, browser: httpx.AsyncClient, address: str) -> None:
    post = await waiting(database, WaitingFor.UNCERTAIN)
    answer = await browser.post(f"{PATH}/{post}/live", data={"address": address})
    assert answer.status_code == 422
    assert "not the address of a post on X" in answer.text
    assert (await one(database)).state == State.WAITING


async def test_a_post_stands_at_one_place_alone(database: Database, browser: httpx.AsyncClient) -> None:
    for text in ("One", "Two"):
        post = await waiting(database, WaitingFor.UNCERTAIN, text)
        answer = await browser.post(f"{PATH}/{post}/live", data={"address": THERE})
    assert answer.status_code == 422
    assert [row.state for row in await all_of(database)] == [State.PUBLISHED, State.WAITING]


async def test_a_post_that_is_not_there_is_due_again(database: Database, browser: httpx.AsyncClient) -> None:
    post = await waiting(database, WaitingFor.LATE, due_at=clock.now() - timedelta(days=1))
    assert (await browser.post(f"{PATH}/{post}/again")).status_code == 303
    async with database.transaction() as tx:
        found = await ledger.claim(tx, timedelta(seconds=30), to=Network)
    assert found is not None
    assert found.id == post
    assert found.waiting_for is None
    assert found.due_at == found.not_before


async def test_who_decides_second_is_told_so(database: Database, browser: httpx.AsyncClient) -> None:
    post = await waiting(database, WaitingFor.UNCERTAIN)
    assert (await browser.post(f"{PATH}/{post}/cancel")).status_code == 303
    answer = await browser.post(f"{PATH}/{post}/again")
    assert answer.status_code == 409
    assert "can no longer be decided" in answer.text
    assert (await one(database)).state == State.CANCELLED


async def test_a_post_that_is_cancelled_while_its_pictures_are_brought_does_not_leave(
    database: Database, browser: httpx.AsyncClient
) -> None:
    post = await put(database, words("One"))
    async with database.transaction() as tx:
        claimed = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert claimed is not None
    assert (await browser.post(f"{PATH}/{post}/cancel")).status_code == 303
    async with database.transaction() as tx:
        assert await ledger.begin_attempt(tx, claimed, timedelta(seconds=30)) is None
    assert (await one(database)).state == State.CANCELLED


async def test_a_post_that_is_being_sent_cannot_be_cancelled(database: Database, browser: httpx.AsyncClient) -> None:
    post = await put(database, words("One"))
    async with database.transaction() as tx:
        claimed = await ledger.claim(tx, timedelta(seconds=30), to=Network)
        assert claimed is not None
        await ledger.begin_attempt(tx, claimed, timedelta(seconds=30))
    assert (await browser.post(f"{PATH}/{post}/cancel")).status_code == 409
    async with database.transaction() as tx:
        assert await ledger.write(tx, claimed, looks=0), "the sender lost its lease by it"


async def test_an_unknown_post_or_decision_is_not_found(browser: httpx.AsyncClient, database: Database) -> None:
    post = await waiting(database, WaitingFor.LATE)
    assert (await browser.post(f"{PATH}/00000000-0000-7000-8000-000000000000/again")).status_code == 404
    assert (await browser.post(f"{PATH}/{post}/forget")).status_code == 422


def test_what_may_be_decided() -> None:
    assert decisions_for(State.SCHEDULED, None, 0) == (Decision.CANCEL,)
    for state in (State.SENDING, State.UNKNOWN, State.PUBLISHED, State.CANCELLED):
        assert decisions_for(state, None, 0) == ()
    may_send = {why for why in WaitingFor if Decision.AGAIN in decisions_for(State.WAITING, why.value, 0)}
    assert may_send == set(WaitingFor) - {WaitingFor.APPROVAL}, "what was not approved needs another approval, not a button"
    may_stand = {why for why in WaitingFor if Decision.LIVE in decisions_for(State.WAITING, why.value, 0)}
    assert may_stand == {WaitingFor.UNCERTAIN, WaitingFor.DUPLICATE, WaitingFor.RESTORED}
    assert Decision.LIVE in decisions_for(State.WAITING, WaitingFor.CREDIT.value, 1)
