"""The kill switch as people use it: thrown on desk's page, obeyed by the senders, and their answers shown beside it."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from services.desk.handlers import LISTENS as DESK
from services.newsletter.handlers import LISTENS as NEWSLETTER
from services.social.handlers import listens_at
from shared import clock
from shared.consumer import Consumer
from shared.db import Database, Transaction
from shared.events.codes import Role, Service
from shared.events.registry import TOPICS_OF
from shared.i18n import LANGUAGES
from shared.listening import Listeners, listeners
from shared.migrations import migrate
from shared.pauses import by_hand, store, switch
from shared.pauses.listening import listeners_of
from shared.pauses.sender import Sender
from shared.pauses.store import Waiting
from shared.trace import Cause
from tests.desk.desk_app import Desk
from tests.desk.wire import records_of
from tests.shared.actors import Actor
from tests.shared.approval_items import told
from tests.shared.web_app import Page

SOCIAL = listens_at("http://127.0.0.1:8000")

PAGE = "/desk/sending"
RESUME = f"{PAGE}/resume"


async def three_wait(tx: Transaction, scope: str) -> Waiting:
    return Waiting(count=3, items=())


BUSY = Sender(service=Service.SOCIAL, waiting=three_wait)
LISTENS: Mapping[str, Listeners] = {"newsletter": NEWSLETTER, "social": SOCIAL}


@pytest.fixture
async def senders(database_url: str) -> AsyncIterator[Mapping[str, Database]]:
    await migrate(database_url, ["newsletter", "social"])
    found = {service: Database(database_url, service) for service in LISTENS}
    yield found
    for database in found.values():
        await database.close()


@pytest.fixture
async def operator(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser(await desk.add(Role.OPERATOR, name="Olu <Operator>")) as client:
        yield client


async def carry(desk: Desk, senders: Mapping[str, Database], *reached: str, busy: bool = False) -> None:
    """Bring desk's word to some senders, and their answers back; where `busy`, three things wait at social."""
    for service in reached:
        listens = listeners(*listeners_of(BUSY)) if busy and service == "social" else LISTENS[service]
        await Consumer(service, senders[service], listens, TOPICS_OF).take(await records_of(desk.database))
        outcome = await Consumer("desk", desk.database, DESK, TOPICS_OF).take(await records_of(senders[service]))
        assert not any(became == "parked" for _, became in outcome.taken)


async def stopped(database: Database, scope: str) -> bool:
    async with database.transaction() as tx:
        return await store.paused(tx, scope) is not None


async def shown(client: httpx.AsyncClient) -> Page:
    answer = await client.get(PAGE)
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (200, [])
    return page


async def throw(client: httpx.AsyncClient, scope: str, reason: str = "Mourning <today>.", until: str = "") -> None:
    answer = await client.post(PAGE, data={"scope": scope, "reason": reason, "until": until})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)


async def resume(client: httpx.AsyncClient, scope: str, reason: str = "It is over.") -> None:
    answer = await client.post(RESUME, data={"scope": scope, "reason": reason})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)


async def test_pause_reaches_the_senders_and_each_confirmation_is_shown(
    desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient
) -> None:
    assert "Nothing was ever paused." in (await shown(operator)).text
    await throw(operator, "all", until="2099-07-01T09:00")
    page = await shown(operator)
    for words in ("Olu <Operator>", "Mourning <today>.", "until "):
        assert words in page.text
    assert page.text.count("Not confirmed") == 2
    await carry(desk, senders, "social", busy=True)
    assert (await stopped(senders["social"], "social/x"), await stopped(senders["newsletter"], "newsletter")) == (True, False)
    page = await shown(operator)
    # The one that did not confirm is named, with the way to its own button.
    assert page.text.count("Not confirmed") == 1
    assert "3 wait to be sent." in page.text
    addresses = [link.get("href") for link in page.all("a")]
    assert {"/newsletter/pauses", "/social/pauses"} <= set(addresses)
    async with desk.database.transaction() as tx:
        (said,) = await switch.overview(tx)
    assert (said.unanswered, said.until) == ((Service.NEWSLETTER,), datetime(2099, 7, 1, 9, tzinfo=UTC))
    await carry(desk, senders, "newsletter")
    assert "Not confirmed" not in (await shown(operator)).text
    assert await stopped(senders["newsletter"], "newsletter")


async def test_resuming_lets_go_on_and_says_what_waited(desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient) -> None:
    await throw(operator, "social")
    await carry(desk, senders, "social", busy=True)
    await resume(operator, "social")
    page = await shown(operator)
    assert "Not confirmed" in page.text  # what was confirmed was the pause
    await carry(desk, senders, "social", busy=True)
    page = await shown(operator)
    assert "Not confirmed" not in page.text
    assert "3 waited when it went on" in page.text
    assert "It is over." in page.text
    assert not await stopped(senders["social"], "social/x")
    assert [form for form in page.all("form") if form.get("action") == RESUME] == []
    trail = [row.type for row in await told(desk.database) if row.type != "person.changed.v1"]
    assert trail[-4:] == ["sending.paused.v1", "decision.made.v1", "sending.resumed.v1", "decision.made.v1"]


async def test_pause_within_a_wider_one_is_still_paused_until_that_one_ends(
    desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient
) -> None:
    for scope in ("all", "social/x"):
        await throw(operator, scope)
    await resume(operator, "social/x")
    await carry(desk, senders, "newsletter", "social")
    assert "Still paused" in (await shown(operator)).text
    await resume(operator, "all")
    await carry(desk, senders, "newsletter", "social")
    page = await shown(operator)
    assert ("Still paused" in page.text, "Not confirmed" in page.text) == (False, False)
    assert not await stopped(senders["social"], "social/x")


async def test_pause_whose_end_has_passed_is_over(desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient) -> None:
    await throw(operator, "newsletter", until="2099-07-01T09:00")
    assert [form.get("action") for form in (await shown(operator)).all("form")].count(RESUME) == 1
    async with desk.database.transaction() as tx:
        await tx.execute(update(switch.switches).values(until=clock.now() - timedelta(seconds=1)))
    page = await shown(operator)
    assert "The newsletter Over" in " ".join(page.text.split())
    assert [form.get("action") for form in page.all("form")].count(RESUME) == 0


async def test_pause_set_at_a_sender_is_shown_as_not_of_desk(
    desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient
) -> None:
    olu, cause = Actor(id="olu", roles=frozenset({Role.OPERATOR})), Cause.start()
    async with senders["social"].transaction() as tx:
        await by_hand.pause_here(tx, BUSY, "social/x", by=olu, reason="Here.", cause=cause)
    await carry(desk, senders, "social")
    page = await shown(operator)
    assert "Paused on a sender’s own page" in page.text
    assert "social/x" in page.text
    async with senders["social"].transaction() as tx:
        await by_hand.resume_here(tx, BUSY, "social/x", by=olu, reason="Over.", cause=cause)
    await carry(desk, senders, "social")
    assert "Paused on a sender’s own page" not in (await shown(operator)).text
    # Held back by desk's wider word alone, it is not the sender's own doing.
    await throw(operator, "all")
    await carry(desk, senders, "social")
    assert "Paused on a sender’s own page" not in (await shown(operator)).text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"reason": " "}, "needs a reason", id="no reason"),
        pytest.param({"scope": "social/nowhere"}, "Choose what to pause", id="no such network"),
        pytest.param({"scope": ""}, "Choose what to pause", id="nothing chosen"),
        pytest.param({"until": "soon"}, "not a time", id="no time"),
        pytest.param({"until": "2020-01-01T09:00"}, "before it begins", id="over already"),
    ],
)
async def test_what_cannot_be_paused_is_said_with_what_was_typed(
    desk: Desk, operator: httpx.AsyncClient, given: dict[str, str], words: str
) -> None:
    answer = await operator.post(PAGE, data={"scope": "social", "reason": "Typed by hand", **given})
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert words in page.text
    assert given.get("reason", "Typed by hand") in [field.get("value") for field in page.all("input")]
    assert await told(desk.database, "sending.paused.v1") == []


async def test_pause_is_not_ended_without_a_reason(desk: Desk, operator: httpx.AsyncClient) -> None:
    await throw(operator, "social")
    assert (await operator.post(RESUME, data={"scope": "social", "reason": ""})).status_code == 422
    assert await told(desk.database, "sending.resumed.v1") == []


async def test_auditor_reads_and_changes_nothing(desk: Desk, operator: httpx.AsyncClient) -> None:
    await throw(operator, "social")
    async with desk.browser(await desk.add(Role.AUDITOR, mail="sam@example.org")) as auditor:
        page = await shown(auditor)
        assert "Mourning <today>." in page.text
        assert [form.get("action") for form in page.all("form") if str(form.get("action")).startswith(PAGE)] == []
        for address in (PAGE, RESUME):
            assert (await auditor.post(address, data={"scope": "social", "reason": "x"})).status_code == 403
    assert (len(await told(desk.database, "sending.paused.v1")), await told(desk.database, "sending.resumed.v1")) == (1, [])


async def test_nobody_else_opens_it_or_sees_the_way(desk: Desk, operator: httpx.AsyncClient) -> None:
    others = [role for role in Role if role not in {Role.OPERATOR, Role.AUDITOR, Role.PARTNER}]
    async with desk.browser(await desk.add(*others, mail="ana@example.org")) as ana:
        assert (await ana.get(PAGE)).status_code == 403
        for address in (PAGE, RESUME):
            assert (await ana.post(address, data={"scope": "all", "reason": "x"})).status_code == 403
        assert PAGE not in (await ana.get("/desk/")).text
    assert (await operator.get("/desk/")).text.count(f'href="{PAGE}"') == 2  # in the head, and among where work begins
    assert await told(desk.database, "sending.paused.v1") == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_page_is_sound_markup_in_every_language(
    desk: Desk, senders: Mapping[str, Database], operator: httpx.AsyncClient, language: str
) -> None:
    for scope in ("all", "social", "social/x"):
        await throw(operator, scope)
    await resume(operator, "social")
    await carry(desk, senders, "social")
    answer = await operator.get(PAGE, params={"lang": language})
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (200, [])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
