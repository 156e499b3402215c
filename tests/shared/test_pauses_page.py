"""A sender's page of pauses: the button on the spot, what it refuses, and the list of what waited."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import Depends, FastAPI

from shared import clock
from shared.auth.require import of_service
from shared.db import Database, Transaction
from shared.events.codes import Role, Service
from shared.i18n import LANGUAGES
from shared.migrations import migrate
from shared.pauses import store, web
from shared.pauses.sender import Sender
from shared.pauses.store import Origin, Waiting, WaitingItem
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import VERIFIER, cookies_of, somebody
from tests.shared.web_app import Page, browser

PAGE = "/social/pauses"
OLU = somebody(Role.OPERATOR)
ITEM = WaitingItem(id="1", title="A <post>", address="/social/posts/1", due=datetime(2026, 6, 16, 9, tzinfo=UTC))


async def one_waits(tx: Transaction, scope: str) -> Waiting:
    return Waiting(count=1, items=(ITEM,))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, ["social"])
    made = Database(database_url, "social")
    yield made
    await made.close()


def app(database: Database) -> FastAPI:
    made = FastAPI(openapi_url=None)
    pages = Pages(public_url="http://127.0.0.1:8000", zone="Europe/Zurich")
    install(made, pages=pages, verifier=VERIFIER)

    sender = Sender(service=Service.SOCIAL, waiting=one_waits)
    made.include_router(web.pauses_of(sender, database, pages), dependencies=[Depends(of_service(database))])
    return made


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app(database)) as client:
        client.cookies.update(dict(cookies_of(OLU)))
        yield client


async def paused(database: Database, scope: str) -> store.Pause | None:
    async with database.transaction() as tx:
        return await store.paused(tx, scope)


async def test_operator_pauses_and_resumes_on_the_spot_and_sees_what_waited(database: Database, operator: httpx.AsyncClient) -> None:
    answer = await operator.post(PAGE, data={"scope": "social/x", "reason": "Mourning <today>.", "until": "2099-07-01T09:00"})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    pause = await paused(database, "social/x")
    assert pause is not None
    assert (pause.origin, pause.by, pause.until) == (Origin.HERE, OLU.id, datetime(2099, 7, 1, 7, tzinfo=UTC))  # Zurich in summer
    assert await paused(database, "social") is None
    shown = Page((await operator.get(PAGE)).text)
    assert "Mourning <today>." in shown.text
    answer = await operator.post(f"{PAGE}/resume", data={"scope": "social/x", "reason": "Over."})
    assert answer.status_code == 303
    assert await paused(database, "social/x") is None
    shown = Page((await operator.get(PAGE)).text)
    assert "Last pause of social/x, over" in shown.text
    assert shown.text.count("A <post>") == 2  # waits now, and waited then


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"reason": ""}, "needs a reason", id="no reason"),
        pytest.param({"until": "soon"}, "not a time", id="no time"),
        pytest.param({"until": "2020-01-01T09:00"}, "before it begins", id="over already"),
        pytest.param({"scope": "newsletter"}, "Nothing of that", id="another sender"),
    ],
)
async def test_what_cannot_be_paused_is_said_with_what_was_typed(
    database: Database, operator: httpx.AsyncClient, given: dict[str, str], words: str
) -> None:
    answer = await operator.post(PAGE, data={"scope": "social", "reason": "Typed by hand", **given})
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert words in page.text
    assert given.get("reason", "Typed by hand") in [attributes.get("value") for _, attributes in page.elements]
    assert await paused(database, "social") is None


async def test_pause_of_desk_has_no_button_here(database: Database, operator: httpx.AsyncClient) -> None:
    async with database.transaction() as tx:
        await store.set_pause(tx, "all", Origin.DESK, reason="All.", until=None, by=OLU.id, told_at=clock.now(), cause=Cause.start())
    page = Page((await operator.get(PAGE)).text)
    assert [attributes for tag, attributes in page.elements if attributes.get("action") == f"{PAGE}/resume"] == []
    assert page.text.count("Paused") == 5
    answer = await operator.post(f"{PAGE}/resume", data={"scope": "all", "reason": "Over."})
    assert answer.status_code == 409
    assert await paused(database, "social") is not None


async def test_who_only_reads_has_no_button_and_no_way(database: Database) -> None:
    async with browser(app(database)) as client:
        client.cookies.update(dict(cookies_of(somebody(Role.AUDITOR))))
        page = Page((await client.get(PAGE)).text)
        assert [attributes for _, attributes in page.elements if attributes.get("action") == PAGE] == []
        assert (await client.post(PAGE, data={"scope": "social", "reason": "x"})).status_code == 403
    assert await paused(database, "social") is None


@pytest.mark.parametrize("language", LANGUAGES)
async def test_page_is_sound_markup_in_every_language(database: Database, operator: httpx.AsyncClient, language: str) -> None:
    end = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    for step in ("nothing", "pause", "resume"):
        if step == "pause":
            await operator.post(PAGE, data={"scope": "social", "reason": "x", "until": end})
        if step == "resume":
            await operator.post(f"{PAGE}/resume", data={"scope": "social", "reason": "x"})
        answer = await operator.get(PAGE, params={"lang": language})
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.faults == []
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
