"""The door of everything that needs two persons: forms, programs, and plain answers to those who may not or come second."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy import insert

from shared import clock
from shared.approval import store, web
from shared.approval.deciding import Decided
from shared.approval.people import approvers, names_of
from shared.approval.rules import Action, State, TooLateError
from shared.approval.things import Thing
from shared.auth.people import TABLES, people
from shared.auth.require import of_service
from shared.auth.tokens import Person
from shared.db import Database, Transaction
from shared.events.codes import Role
from shared.ids import new_id
from shared.trace import Cause
from shared.web.pages import Pages
from shared.web.wiring import install
from tests.people import VERIFIER, bearer_of, cookies_of, somebody
from tests.shared.approval_items import draft, read_post, service, told, write
from tests.shared.web_app import Page, browser

CROWD = 50
ANA = somebody(Role.DRAFTER, Role.APPROVER, name="Ana")
BO = somebody(Role.DRAFTER, Role.APPROVER, name="Bo <b>")
POST = Thing(about="post", read=read_post, approvers=approvers)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with service(database_url, pool_size=CROWD) as made:
        async with made.transaction() as tx:
            await tx.run_sync(TABLES.create_all)
            for person in (ANA, BO):
                await tx.execute(insert(people).values(**_known(person)))
        yield made


def _known(person: Person, *, active: bool = True) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "roles": sorted(role.value for role in person.roles),
        "languages": ["en"],
        "active": active,
        "tokens_valid_from": clock.now().replace(year=2020),
        "revision": 1,
    }


class Trial:
    """A service with the door on it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.followed: list[tuple[UUID, str, str]] = []
        self.refuses = False
        self.app = FastAPI(openapi_url=None)
        pages = Pages(public_url="http://127.0.0.1:8000", templates={"sample": Path(__file__).parent / "web_templates"})
        install(self.app, pages=pages, verifier=VERIFIER)

        async def after(tx: Transaction, item: UUID, decided: Decided, *, cause: Cause) -> None:
            # What the hook reads on the transaction is what the decision has written on it.
            assert (await store.find(tx, "post", item)).state is decided.standing.state
            self.followed.append((item, decided.step.what, cause.trace_id))
            if self.refuses:
                raise TooLateError()

        async def show(request: Request, person: Person, item: UUID, refusal: web.Refusal) -> Response:
            async with database.transaction() as tx:
                looked = await web.look_at(tx, POST, item, person)
            assert looked is not None
            return pages.render(
                request,
                "sample/approval.html",
                refusal.status,
                view=looked.view,
                found=looked.changes,
                refused=(refusal.key, refusal.params),
                address=f"/trial/posts/{item}/decisions",
                reason=refusal.reason,
            )

        router = web.decisions_of(POST, database, service="trial", things="posts", show=show, after=after)
        self.app.include_router(router, dependencies=[Depends(of_service(database))])

    async def state(self, item: UUID) -> State:
        async with self.database.transaction() as tx:
            return (await store.find(tx, "post", item)).state

    async def seen(self, client: httpx.AsyncClient, item: UUID, person: Person) -> str:
        answer = await client.get(f"/trial/api/v1/posts/{item}/decisions", headers=dict(bearer_of(person)))
        assert answer.status_code == 200
        return str(answer.json()["seen"])


@pytest.fixture
def trial(database: Database) -> Trial:
    return Trial(database)


@pytest.fixture
async def client(trial: Trial) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(trial.app) as made:
        yield made


async def press(client: httpx.AsyncClient, item: UUID, person: Person, **form: str) -> httpx.Response:
    cookies = "; ".join(f"{name}={value}" for name, value in cookies_of(person).items())
    return await client.post(f"/trial/posts/{item}/decisions", data=form, headers={"Cookie": cookies})


async def ask(client: httpx.AsyncClient, item: UUID, person: Person, **body: str) -> httpx.Response:
    headers = {**bearer_of(person), "Accept": "application/json"}
    return await client.post(f"/trial/api/v1/posts/{item}/decisions", json=body, headers=headers)


async def submitted(trial: Trial, client: httpx.AsyncClient) -> tuple[UUID, str]:
    """Return an item that Ana wrote and submitted, and what its page showed."""
    item = await draft(trial.database, by=ANA)
    seen = await trial.seen(client, item, ANA)
    assert (await press(client, item, ANA, action="submit", seen=seen)).status_code == 303
    return item, seen


async def test_one_submits_and_another_approves_and_each_is_led_back_to_the_page(trial: Trial, client: httpx.AsyncClient) -> None:
    item, seen = await submitted(trial, client)
    answer = await press(client, item, BO, action="approve", seen=seen)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trial/posts/{item}")
    assert await trial.state(item) is State.APPROVED
    assert [(which, what) for which, what, _ in trial.followed] == [(item, "submit"), (item, "approve")]
    decisions = await told(trial.database, "decision.made.v1")
    assert [row.trace_id for row in decisions] == [trace for _, _, trace in trial.followed]


@pytest.mark.parametrize("door", ["page", "program"])
async def test_author_approves_by_no_door(trial: Trial, client: httpx.AsyncClient, door: str) -> None:
    item, seen = await submitted(trial, client)
    send = press if door == "page" else ask
    answer = await send(client, item, ANA, action="approve", seen=seen)
    assert answer.status_code == 403
    assert "another approver has to decide on it" in answer.text
    assert await trial.state(item) is State.SUBMITTED
    if door == "program":
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/approval-own-work"


async def test_refused_act_says_why_on_the_page_with_the_reason_kept(trial: Trial, client: httpx.AsyncClient) -> None:
    item, seen = await submitted(trial, client)
    await write(trial.database, item, {"x/en": "Words, more", "x/fr": "Mots"}, by=ANA)
    answer = await press(client, item, BO, action="reject", seen=seen, reason="Too <long>")
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (409, [])
    assert answer.text.count('role="alert"') == 1
    assert "Too <long>" not in answer.text  # escaped
    await press(client, item, ANA, action="submit", seen=await trial.seen(client, item, ANA))
    answer = await press(client, item, BO, action="reject", seen=seen, reason="Too <long>")
    assert answer.status_code == 409
    assert "x/en" in answer.text
    assert "Too &lt;long&gt;</textarea>" in answer.text
    assert await trial.state(item) is State.SUBMITTED


@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param({"action": "publish"}, 422, id="no such action"),
        pytest.param({}, 422, id="nothing"),
        pytest.param({"action": "approve", "seen": "en:abc"}, 422, id="no fingerprint"),
        pytest.param({"action": "approve"}, 422, id="nothing seen"),
        pytest.param({"action": "reject"}, 422, id="no reason"),
    ],
)
async def test_form_that_no_page_gives_decides_nothing(trial: Trial, client: httpx.AsyncClient, form: dict[str, str], status: int) -> None:
    item, _ = await submitted(trial, client)
    assert (await press(client, item, BO, **form)).status_code == status
    if "action" in form:
        assert (await ask(client, item, BO, **form)).status_code == status
    assert await trial.state(item) is State.SUBMITTED


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DRAFTER, Role.APPROVER}))
async def test_nobody_decides_without_a_token_or_the_role(trial: Trial, client: httpx.AsyncClient, role: Role) -> None:
    item, seen = await submitted(trial, client)
    body = {"action": "approve", "seen": seen}
    assert (await client.post(f"/trial/posts/{item}/decisions", data=body)).status_code == 401
    assert (await client.post(f"/trial/api/v1/posts/{item}/decisions", json=body)).status_code == 401
    assert (await client.post(f"/trial/posts/{item}/acknowledge")).status_code == 401
    assert (await press(client, item, somebody(role), **body)).status_code == 403
    assert (await ask(client, item, somebody(role), **body)).status_code == 403
    assert await trial.state(item) is State.SUBMITTED


async def test_what_the_hook_refuses_was_never_decided(trial: Trial, client: httpx.AsyncClient) -> None:
    item, seen = await submitted(trial, client)
    before = len(await told(trial.database))
    trial.refuses = True
    assert (await press(client, item, BO, action="approve", seen=seen)).status_code == 409
    assert await trial.state(item) is State.SUBMITTED
    assert len(await told(trial.database)) == before


async def test_fifty_at_once_by_page_and_program_end_in_one_result(trial: Trial, client: httpx.AsyncClient) -> None:
    item, seen = await submitted(trial, client)
    crowd = [somebody(Role.APPROVER) for _ in range(CROWD)]
    actions = ("approve", "reject", "request-changes")
    answers = await asyncio.gather(
        *(
            (press if number % 2 else ask)(client, item, person, action=actions[number % 3], seen=seen, reason="Because.")
            for number, person in enumerate(crowd)
        )
    )
    by_status = Counter(answer.status_code for answer in answers)
    done = [answer for answer in answers if answer.status_code in {200, 303}]
    assert len(done) == 1
    assert by_status[409] == CROWD - 1
    refused = [answer.text for answer in answers if answer.status_code == 409]
    assert all("already" in words for words in refused)
    assert [what for _, what, _ in trial.followed] == ["submit", trial.followed[-1][1]]
    assert await trial.state(item) in {State.APPROVED, State.REJECTED, State.CHANGES_REQUESTED}


async def test_another_approver_looks_at_what_one_approved_alone(trial: Trial, client: httpx.AsyncClient) -> None:
    item = await draft(trial.database, by=ANA)
    seen = await trial.seen(client, item, ANA)
    assert (await press(client, item, ANA, action="break-glass", seen=seen, reason="The plenary begins.")).status_code == 303
    mails = await told(trial.database, "mail.wanted.v1")
    assert [mail.subject for mail in mails] == [BO.id]

    async def looks(person: Person) -> httpx.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in cookies_of(person).items())
        return await client.post(f"/trial/posts/{item}/acknowledge", headers={"Cookie": cookies})

    async with trial.database.transaction() as tx:
        for person, may in ((ANA, False), (BO, True)):
            looked = await web.look_at(tx, POST, item, person)
            assert looked is not None
            assert looked.view.may_look is may
    assert (await looks(ANA)).status_code == 403
    answer = await looks(BO)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/trial/posts/{item}")
    async with trial.database.transaction() as tx:
        looked = await web.look_at(tx, POST, item, BO)
    assert looked is not None
    assert looked.view.may_look is False
    assert [step.what for step in looked.view.history] == [Action.BREAK_GLASS, "acknowledge"]
    assert looked.view.names[BO.id] == "Bo <b>"


async def test_what_changed_since_the_approval_is_shown(trial: Trial, client: httpx.AsyncClient) -> None:
    item, seen = await submitted(trial, client)
    await press(client, item, BO, action="approve", seen=seen)
    await write(trial.database, item, {"x/en": "Words,", "x/fr": "Mots"}, by=ANA)
    async with trial.database.transaction() as tx:
        looked = await web.look_at(tx, POST, item, BO)
    assert looked is not None
    assert [(change.variant, list(change.fields)) for change in looked.changes] == [("x/en", [("/text", "Words", "Words,")])]


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await press(client, new_id(), BO, action="withdraw")).status_code == 404
    assert (await ask(client, new_id(), BO, action="withdraw")).status_code == 404
    assert (await client.get(f"/trial/api/v1/posts/{new_id()}/decisions", headers=dict(bearer_of(BO)))).status_code == 404


async def test_only_active_people_with_the_role_are_approvers(database: Database) -> None:
    gone, other = somebody(Role.APPROVER, name="Gone"), somebody(Role.DRAFTER, name="Other")
    async with database.transaction() as tx:
        await tx.execute(insert(people).values(**_known(gone, active=False)))
        await tx.execute(insert(people).values(**_known(other)))
        assert set(await approvers(tx)) == {ANA.id, BO.id}
        assert await names_of(tx, [ANA.id, gone.id, None, "unknown"]) == {ANA.id: "Ana", gone.id: "Gone"}
