"""The operations pages of a service: what they show, what they do, and that they do it only for the team and only when asked."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import select, update

from shared import clock
from shared.auth.people import TABLES as PEOPLE
from shared.auth.require import of_service
from shared.consumer import Consumer
from shared.db import Database, is_away
from shared.events.codes import Role
from shared.events.every import DecisionMade
from shared.i18n import LANGUAGES
from shared.ids import new_id
from shared.operations.web import router
from shared.parking import MAX_ATTEMPTS, parked
from shared.testing import trial
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import ALEX, VERIFIER, bearer_of, cookies_of, somebody
from tests.shared.approval_items import told
from tests.shared.web_app import BROWSER, Page

PUBLIC_URL = "http://127.0.0.1:8000"
SERVICE = trial.LISTENER
OPERATIONS = f"/{SERVICE}/operations"
FIGURES: Mapping[str, object] = {
    "outbox_unsent": 0,
    "outbox_age_seconds": 0.0,
    "lag": 7,
    "parked": {},
    "consumer": "idle",
    "relay_leads": None,
    "trouble": "",
}
JSON = {"Accept": "application/json"}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await trial.make_schemas(database_url)
    opened = Database(database_url, SERVICE)
    async with opened.transaction() as tx:
        await tx.run_sync(PEOPLE.create_all)
    yield opened
    await opened.close()


@pytest.fixture
def consumer(database: Database) -> Consumer:
    return Consumer(SERVICE, database, trial.LISTENS, trial.KNOWN)


async def figures_of_a_service() -> Mapping[str, object]:
    return FIGURES


@pytest.fixture
def app(database: Database) -> FastAPI:
    app = FastAPI(openapi_url=None)
    pages = Pages(public_url=PUBLIC_URL)
    install(app, pages=pages, verifier=VERIFIER, unavailable=is_away)
    app.include_router(router(SERVICE, database, pages, figures_of_a_service), dependencies=[Depends(of_service(database))])
    return app


def client(app: FastAPI, cookies: Mapping[str, str], origin: str = PUBLIC_URL) -> httpx.AsyncClient:
    headers = {**BROWSER, "Origin": origin}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL, headers=headers, cookies=dict(cookies))


@pytest.fixture
async def asker(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser in which somebody with every role is signed in."""
    async with client(app, cookies_of()) as entered:
        yield entered


@pytest.fixture
async def stuck(consumer: Consumer) -> UUID:
    """Return the id of an event that failed; two later ones of its subject wait behind it."""
    event_id = new_id()
    await consumer.take(
        [
            trial.record("a", 1, offset=0, event_id=event_id, poison=True),
            trial.record("a", 2, offset=1),
            trial.record("a", 3, offset=2),
        ]
    )
    return event_id


async def make_dead(database: Database, event_id: UUID) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(parked).where(parked.c.event_id == event_id).values(state="dead", attempts=MAX_ATTEMPTS))


async def mend(database: Database) -> None:
    """Make the stored poison harmless, as a release with a mended handler would."""
    async with database.transaction() as tx:
        await tx.execute(update(parked).values(value=trial.practice().model_dump_json().encode()))


async def put_off(database: Database) -> None:
    """Make nothing due for an hour, so that only a redrive can bring an event back."""
    async with database.transaction() as tx:
        await tx.execute(update(parked).values(next_at=clock.now() + timedelta(hours=1)))


async def retry_all(consumer: Consumer) -> None:
    while await consumer.retry():
        pass


async def effects_of(database: Database) -> list[int]:
    async with database.transaction() as tx:
        return [row.number for row in await tx.execute(select(trial.effects.c.number).order_by(trial.effects.c.place))]


async def states_of(database: Database) -> dict[UUID, str]:
    async with database.transaction() as tx:
        return {row.event_id: row.state for row in await tx.execute(select(parked.c.event_id, parked.c.state))}


def addresses(event_id: UUID) -> list[tuple[str, str]]:
    one = f"{OPERATIONS}/parked/{event_id}"
    return [
        ("GET", OPERATIONS),
        ("GET", f"{OPERATIONS}.json"),
        ("GET", f"{OPERATIONS}/redrive"),
        ("POST", f"{OPERATIONS}/redrive"),
        ("GET", one),
        ("GET", f"{one}/redrive"),
        ("POST", f"{one}/redrive"),
        ("GET", f"{one}/discard"),
        ("POST", f"{one}/discard"),
        ("GET", f"/{SERVICE}/events/{event_id}"),
        ("GET", f"/{SERVICE}/events/{event_id}.json"),
    ]


async def test_every_address_needs_a_person_and_does_nothing_without_one(app: FastAPI, database: Database, stuck: UUID) -> None:
    await make_dead(database, stuck)
    before = await states_of(database)
    async with client(app, {}) as stranger:
        answers = [await stranger.request(method, address, data={"reason": "x"}) for method, address in addresses(stuck)]
    assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert not any("practice.published" in answer.text for answer in answers)
    assert await states_of(database) == before


async def test_the_list_of_addresses_is_whole(database: Database) -> None:
    routes = router(SERVICE, database, Pages(public_url=PUBLIC_URL), figures_of_a_service)
    known = {
        (method, re.sub(r"\{\w+\}", "*", str(route.path))) for route in iter_route_contexts(routes.routes) for method in route.methods or ()
    }
    event_id = new_id()
    assert known == {(method, address.replace(str(event_id), "*")) for method, address in addresses(event_id)}


async def test_what_another_site_sends_does_nothing(app: FastAPI, database: Database, stuck: UUID) -> None:
    before = await states_of(database)
    async with client(app, cookies_of(), origin="https://elsewhere.example") as lured:
        answer = await lured.post(f"{OPERATIONS}/parked/{stuck}/discard", data={"reason": "x"})
    assert answer.status_code == 403
    assert await states_of(database) == before


async def test_overview_shows_figures_and_what_is_set_aside(asker: httpx.AsyncClient, stuck: UUID) -> None:
    answer = await asker.get(OPERATIONS)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    page = Page(answer.text)
    figures = dict(re.findall(r"<dt>([^<]+)</dt><dd><span[^>]*>([^<]+)</span>", answer.text))
    assert figures == {
        "Listening": "idle",
        "Waiting in Kafka": "7",
        "Telling": "tells nothing",
        "Not yet sent": "0",
        "Oldest not sent": "none",
        "To be tried again": "1",
        "Waiting behind these": "2",
        "Dead": "0",
        "Stuck": "0",
    }
    assert "PoisonError: a" in page.text
    assert f"{trial.TOPIC}/0@0" in page.text
    assert f"{OPERATIONS}/parked/{stuck}/discard" in [link["href"] for link in page.all("a")]


@pytest.mark.parametrize("ask", [pytest.param((f"{OPERATIONS}.json", {}), id="by name"), pytest.param((OPERATIONS, JSON), id="by Accept")])
async def test_overview_is_given_as_json_too(asker: httpx.AsyncClient, stuck: UUID, ask: tuple[str, dict[str, str]]) -> None:
    given = (await asker.get(ask[0], headers=ask[1])).json()
    assert given["service"] == SERVICE
    assert given["figures"] == dict(FIGURES)
    assert given["parked_counts"] == {"waiting": 1, "behind": 2, "dead": 0}
    assert [(event["offset"], event["state"], event["behind"]) for event in given["parked"]] == [
        (0, "waiting", False),
        (1, "waiting", True),
        (2, "waiting", True),
    ]
    assert given["parked"][0]["event_id"] == str(stuck)
    assert {figure["name"]: figure["tone"] for figure in given["shown"]}["parked_waiting"] == "warning"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_sound_markup_in_every_language(asker: httpx.AsyncClient, database: Database, stuck: UUID, language: str) -> None:
    await make_dead(database, stuck)
    for method, address in addresses(stuck):
        if method == "GET" and not address.endswith(".json"):
            answer = await asker.get(f"{address}?lang={language}")
            assert (address, answer.status_code) == (address, 200)
            page = Page(answer.text)
            assert (address, page.faults) == (address, [])
            assert page.all("html")[0]["lang"] == language
            assert len(page.all("h1")) == 1
            ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
            assert len(ids) == len(set(ids))


async def test_odd_bytes_are_shown_and_never_become_markup(asker: httpx.AsyncClient, consumer: Consumer, database: Database) -> None:
    odd = {"ce_id": b"\xff<script>alert(1)</script>", "traceparent": None, "x-odd": b"\x00\x1b"}
    await consumer.take([trial.record("a", 1, offset=0, value=b'{"a": "<b>\xfe</b>"}', replace=odd)])
    (event_id,) = await states_of(database)
    page = Page((await asker.get(f"{OPERATIONS}/parked/{event_id}")).text)
    assert not page.all("script")
    assert not page.all("b")
    for shown in ("\\xff<script>alert(1)</script>", '{"a": "<b>\\xfe</b>"}', "Null: there is no value at all.", "\\x00\\x1b"):
        assert shown in page.text
    given = (await asker.get(f"{OPERATIONS}.json")).json()["parked"][0]
    assert given["body"]["oddity"] == "not-utf8"
    assert {header["name"]: header["oddity"] for header in given["headers"]}["traceparent"] == "null"


async def test_a_record_without_anything_is_shown(asker: httpx.AsyncClient, consumer: Consumer, database: Database) -> None:
    bare = trial.record("", 1, offset=0, value=None)
    await consumer.take([type(bare)(topic=trial.TOPIC, partition=0, offset=5, key=None, value=None, headers=[])])
    (event_id,) = await states_of(database)
    for address in (OPERATIONS, f"{OPERATIONS}/parked/{event_id}", f"/{SERVICE}/events/{event_id}"):
        answer = await asker.get(address)
        assert answer.status_code == 200
        assert Page(answer.text).faults == []


async def test_looking_changes_nothing(asker: httpx.AsyncClient, database: Database, stuck: UUID) -> None:
    await make_dead(database, stuck)
    before = await states_of(database)
    for method, address in addresses(stuck):
        if method == "GET":
            await asker.get(address)
    assert await states_of(database) == before


async def test_redriven_event_is_handled_and_those_behind_it_too(
    asker: httpx.AsyncClient, consumer: Consumer, database: Database, stuck: UUID
) -> None:
    await make_dead(database, stuck)
    await mend(database)
    await put_off(database)
    await retry_all(consumer)
    assert await effects_of(database) == []
    asked = Page((await asker.get(f"{OPERATIONS}/parked/{stuck}/redrive")).text)
    (form,) = [form for form in asked.all("form") if form["action"].startswith(OPERATIONS)]
    answer = await asker.post(form["action"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{OPERATIONS}?done=redriven&n=1")
    (decision,) = await told(database, DecisionMade.type)
    said = DecisionMade.model_validate_json(decision.body)
    assert (decision.subject, said.who, said.what, said.about) == (str(stuck), ALEX.id, "redrive", "event")
    assert said.address == f"{PUBLIC_URL}{OPERATIONS}/parked/{stuck}"
    await retry_all(consumer)
    assert await effects_of(database) == [1]
    async with database.transaction() as tx:
        await tx.execute(update(parked).values(next_at=clock.now()))
    await retry_all(consumer)
    assert await effects_of(database) == [1, 2, 3]
    assert "1 event will be tried again" in Page((await asker.get(answer.headers["location"])).text).text


async def test_all_dead_events_are_redriven_and_no_others(
    asker: httpx.AsyncClient, consumer: Consumer, database: Database, stuck: UUID
) -> None:
    dead = [new_id(), new_id()]
    await consumer.take([trial.record(f"d{n}", 7, offset=n + 10, event_id=dead[n], poison=True) for n in range(2)])
    for event_id in dead:
        await make_dead(database, event_id)
    await mend(database)
    await put_off(database)
    assert "Try all 2 dead events again" in Page((await asker.get(OPERATIONS)).text).text
    answer = await asker.post(f"{OPERATIONS}/redrive")
    assert answer.headers["location"] == f"{OPERATIONS}?done=redriven&n=2"
    await retry_all(consumer)
    assert await effects_of(database) == [7, 7]
    assert (await states_of(database))[stuck] == "waiting"
    again = await asker.post(f"{OPERATIONS}/redrive")
    (decision,) = await told(database, DecisionMade.type)
    said = DecisionMade.model_validate_json(decision.body)
    assert (said.what, said.title) == ("redrive-all", {"en": f"{SERVICE}: 2 dead events"})
    assert "nothing to try again" in Page((await asker.get(again.headers["location"])).text).text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="no field"),
        pytest.param({"reason": "   "}, id="spaces"),
        pytest.param({"reason": "x" * 1001}, id="too long"),
        pytest.param({"reason": "no\x00more"}, id="a NUL, which no text column takes"),
    ],
)
async def test_nothing_is_given_up_without_a_sound_reason(
    asker: httpx.AsyncClient, database: Database, stuck: UUID, data: dict[str, str]
) -> None:
    before = await states_of(database)
    answer = await asker.post(f"{OPERATIONS}/parked/{stuck}/discard", data=data)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert [field for field in page.all("textarea") if field.get("aria-invalid") == "true"]
    assert "#reason" in [link["href"] for link in page.all("a")]
    assert await states_of(database) == before
    assert await told(database, DecisionMade.type) == []


async def test_later_events_go_on_after_one_is_given_up(
    asker: httpx.AsyncClient, consumer: Consumer, database: Database, stuck: UUID
) -> None:
    await retry_all(consumer)
    assert await effects_of(database) == []
    answer = await asker.post(f"{OPERATIONS}/parked/{stuck}/discard", data={"reason": "Told twice by <mistake>."})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{OPERATIONS}?done=discarded")
    await retry_all(consumer)
    assert await effects_of(database) == [2, 3]
    assert await states_of(database) == {stuck: "discarded"}
    (decision,) = await told(database, DecisionMade.type)
    said = DecisionMade.model_validate_json(decision.body)
    assert (said.who, said.what, said.reason) == (ALEX.id, "discard", "Told twice by <mistake>.")
    shown = Page((await asker.get(answer.headers["location"])).text).text
    assert "was given up" in shown
    assert "Told twice by <mistake>." in shown
    kept = Page((await asker.get(f"{OPERATIONS}/parked/{stuck}")).text)
    assert "Told twice by <mistake>." in kept.text
    assert not [link for link in kept.all("a") if link["href"].endswith(("/discard", "/redrive"))]


async def test_a_decision_that_comes_too_late_says_so(asker: httpx.AsyncClient, database: Database, stuck: UUID) -> None:
    await asker.post(f"{OPERATIONS}/parked/{stuck}/discard", data={"reason": "first"})
    for late in (stuck, new_id()):
        for method, word, data in (
            ("GET", "redrive", {}),
            ("POST", "redrive", {}),
            ("GET", "discard", {}),
            ("POST", "discard", {"reason": "second"}),
            ("POST", "discard", {}),
        ):
            answer = await asker.request(method, f"{OPERATIONS}/parked/{late}/{word}", data=data)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{OPERATIONS}?done=gone")
    assert "no longer set aside" in Page((await asker.get(f"{OPERATIONS}?done=gone")).text).text
    async with database.transaction() as tx:
        assert (await tx.execute(select(parked.c.reason).where(parked.c.event_id == stuck))).scalar_one() == "first"


async def test_who_decided_is_kept_with_name_and_id(asker: httpx.AsyncClient, database: Database, stuck: UUID) -> None:
    await asker.post(f"{OPERATIONS}/parked/{stuck}/redrive")
    for expected in (f"{ALEX.name} ({ALEX.id})",):
        assert expected in Page((await asker.get(f"{OPERATIONS}/parked/{stuck}")).text).text
    await asker.post(f"{OPERATIONS}/parked/{stuck}/discard", data={"reason": "Told twice."})
    assert f"{ALEX.name} ({ALEX.id})" in Page((await asker.get(OPERATIONS)).text).text


async def test_a_program_of_an_operator_reads_and_repairs_without_cookie_or_origin(app: FastAPI, database: Database, stuck: UUID) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL) as program:
        given = await program.get(f"{OPERATIONS}.json", headers=bearer_of(somebody(Role.OPERATOR)))
        assert given.json()["parked_counts"] == {"waiting": 1, "behind": 2, "dead": 0}
        refused = await program.post(f"{OPERATIONS}/parked/{stuck}/redrive", headers=bearer_of(somebody(Role.AUDITOR)))
        assert (refused.status_code, refused.json()["roles"]) == (403, ["operator"])
        done = await program.post(f"{OPERATIONS}/parked/{stuck}/redrive", headers=bearer_of(somebody(Role.OPERATOR)))
    assert done.headers["location"] == f"{OPERATIONS}?done=redriven&n=1"


async def test_what_an_address_says_was_done_is_one_of_our_own_sentences(asker: httpx.AsyncClient) -> None:
    answer = await asker.get(f"{OPERATIONS}?done=<b>all is lost</b>&n=3")
    assert answer.status_code == 200
    assert "all is lost" not in answer.text.replace("%3Cb%3Eall+is+lost", "")
    assert not Page(answer.text).all("section")


@pytest.mark.parametrize("path", [f"{OPERATIONS}/parked/nonsense", f"/{SERVICE}/events/nonsense", f"/{SERVICE}/events/nonsense.json"])
async def test_what_is_no_id_is_told_so(asker: httpx.AsyncClient, path: str) -> None:
    answer = await asker.get(path)
    assert answer.status_code == 404
    assert "That is not an id" in Page(answer.text).text


async def test_a_service_that_knows_nothing_says_so(asker: httpx.AsyncClient) -> None:
    event_id = new_id()
    page = await asker.get(f"/{SERVICE}/events/{event_id}")
    assert page.status_code == 404
    assert "knows nothing of this id" in Page(page.text).text
    given = await asker.get(f"/{SERVICE}/events/{event_id}.json")
    assert given.status_code == 200
    assert (given.json()["known"], given.json()["steps"], given.json()["traces"]) == (False, [], [])


async def test_what_a_service_knows_of_an_event_is_a_page_and_json(asker: httpx.AsyncClient, stuck: UUID) -> None:
    page = Page((await asker.get(f"/{SERVICE}/events/{stuck}")).text)
    assert f"{SERVICE} took {trial.TYPE}" in page.text
    assert "PoisonError: a" in page.text
    assert f"{OPERATIONS}/parked/{stuck}" in [link["href"] for link in page.all("a")]
    for address, headers in ((f"/{SERVICE}/events/{stuck}.json", {}), (f"/{SERVICE}/events/{stuck}", JSON)):
        given = (await asker.get(address, headers=headers)).json()
        assert [step["what"] for step in given["steps"]] == ["taken", "parked"]
        assert given["steps"][0]["event_id"] == str(stuck)
        assert given["steps"][0]["cause"] == "a-receipt"
        assert len(given["traces"]) == 1
