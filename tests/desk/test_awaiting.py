"""What services tell of tasks stands on the right people's start page, in whatever order it comes, and goes when it is done."""

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.desk.domain import StoredPerson
from services.desk.handlers import LISTENS
from services.desk.jobs import forget_tasks
from shared import clock, tasks
from shared.auth.tokens import Kind
from shared.consumer import Consumer
from shared.db import Database
from shared.events.codes import Role, TaskEnd
from shared.events.registry import TOPICS_OF
from shared.events.times import Days, TimeWithZone
from shared.i18n import LANGUAGES, look_up
from shared.migrations import backbone
from shared.migrations import tasks as tables
from shared.parking import StoredRecord
from shared.tasks import Task
from shared.trace import Cause
from tests.desk.desk_app import PUBLIC_URL, Desk
from tests.desk.wire import records_of
from tests.people import SIGNER
from tests.shared.approval_items import make_tables
from tests.shared.web_app import Page

POST = Task(
    kind="approve-post",
    subject="post-1",
    role=Role.APPROVER,
    title={"en": "One desk <for> newcomers", "ar": "مكتب واحد للوافدين"},
    address=f"{PUBLIC_URL}/social/drafts/1?tab=text",
)
HREF = "/social/drafts/1?tab=text"
START = "/desk/"


@pytest.fixture
async def social(database_url: str) -> AsyncIterator[Database]:
    """A service that opens tasks."""
    made = Database(database_url, "social")
    await make_tables(made, backbone.create_1, tables.create_1)
    yield made
    await made.close()


async def opens(social: Database, task: Task = POST) -> UUID:
    async with social.transaction() as tx:
        return await tasks.open_task(tx, task, cause=Cause.start())


async def closes(social: Database, by: str | None = None, *, end: TaskEnd = TaskEnd.DONE) -> bool:
    async with social.transaction() as tx:
        return await tasks.close_task(tx, POST.kind, POST.subject, end=end, by=by, cause=Cause.start())


async def carry(desk: Desk, records: Sequence[StoredRecord]) -> None:
    """Hand records to desk as Kafka would."""
    outcome = await Consumer("desk", desk.database, LISTENS, TOPICS_OF).take(records)
    assert {what for _, what in outcome.taken} <= {"handled", "repeated", "duplicate"}, outcome


async def links(desk: Desk, person: StoredPerson) -> list[str]:
    """Where the start page of a person leads from its tasks."""
    async with desk.browser(person) as browser:
        answer = await browser.get(START)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.faults == []
    return [
        link["href"] for link in page.all("a") if link.get("href", "").startswith("/social/drafts/") and link["href"] != "/social/drafts"
    ]


async def approver(desk: Desk, name: str = "Ada", *roles: Role) -> StoredPerson:
    return await desk.add(*(roles or (Role.APPROVER,)), mail=f"{name.lower()}@example.org", name=name)


async def test_a_task_stands_before_those_who_can_act_and_nobody_else_until_it_is_closed(desk: Desk, social: Database) -> None:
    ada, bo = await approver(desk), await approver(desk, "Bo")
    olu = await approver(desk, "Olu", Role.DRAFTER, Role.MODERATOR, Role.OPERATOR, Role.ADMIN)
    sam = await approver(desk, "Sam", Role.AUDITOR)
    await opens(social, replace(POST, not_by=(bo.id,)))
    await carry(desk, await records_of(social))
    assert await links(desk, ada) == [HREF]
    assert await links(desk, olu) == []
    async with desk.browser(ada) as browser:
        text = Page((await browser.get(START)).text).text
        assert "Approve a post" in text
        assert "(1) What awaits you" in text
    async with desk.browser(bo) as browser:
        text = Page((await browser.get(START)).text).text
        assert "Nothing awaits you." in text
        assert "Your work that awaits others" in text
    async with desk.browser(sam) as browser:
        text = Page((await browser.get(START)).text).text
        assert "What awaits others (1)" in text
        assert "What awaits you" not in text
        assert "Nothing awaits you." not in text, "an auditor can do nothing, so nothing can await them"

    await closes(social, by=ada.id)
    await carry(desk, await records_of(social))
    assert await links(desk, bo) == []
    async with desk.browser(ada) as browser:
        text = Page((await browser.get(START)).text).text
        assert "Nothing awaits you." in text
        assert "What you did in the last seven days" in text


async def test_in_every_order_and_told_twice_the_end_is_the_same(desk: Desk, social: Database) -> None:
    """Opened, corrected, closed; then opened anew: only the second task is left, as it was corrected last."""
    ada = await approver(desk)
    await opens(social)
    await opens(social, replace(POST, title={"en": "Corrected"}))
    await closes(social, by=ada.id)
    second = await opens(social, replace(POST, title={"en": "Second"}))
    await opens(social, replace(POST, title={"en": "Second, corrected"}))
    records = await records_of(social)
    assert len(records) == 5
    for number, order in enumerate(itertools.permutations(records)):
        if number % 12:  # ten orders, the first and the last among them, are enough to meet every pair both ways round
            continue
        await desk_forgets(desk)
        for record in order:
            await carry(desk, [record])
            await carry(desk, [record])
        found = await desk.rows("SELECT id, title, revision FROM awaited WHERE closed_at IS NULL AND role IS NOT NULL")
        assert [(row.id, row.title, row.revision) for row in found] == [(str(second), {"en": "Second, corrected"}, 2)]
        (closed,) = await desk.rows("SELECT title, closed_by FROM awaited WHERE closed_at IS NOT NULL")
        assert (closed.title, closed.closed_by) == ({"en": "Corrected"}, ada.id)


async def desk_forgets(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await tx.execute(text("TRUNCATE awaited, notices, inbox"))


async def test_what_is_due_comes_first_and_is_marked(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    today = clock.now().date()
    for subject, due in (
        ("later", Days(precision="day", first=today + timedelta(days=9), last=today + timedelta(days=9))),
        ("no-time", None),
        ("soon", TimeWithZone(precision="time", starts=clock.now() + timedelta(hours=5), zone="Europe/Zurich")),
        ("overdue", Days(precision="day", first=today - timedelta(days=2), last=today - timedelta(days=2))),
    ):
        await opens(social, replace(POST, subject=subject, due=due, address=f"{PUBLIC_URL}/social/drafts/{subject}"))
    await carry(desk, await records_of(social))
    assert [href.rpartition("/")[2] for href in await links(desk, ada)] == ["overdue", "soon", "later", "no-time"]
    async with desk.browser(ada) as browser:
        page = Page((await browser.get(START)).text)
        assert [page.text.count(words) for words in ("Overdue", "Due soon")] == [1, 1]
        for language in LANGUAGES:
            page = Page((await browser.get(START, params={"lang": language})).text)
            assert page.faults == []
            assert look_up(language, "staff.task.approve-post")[0] in page.text
            assert look_up(language, "staff.awaiting.overdue")[0] in page.text


async def test_programs_read_the_same_by_bearer_token(desk: Desk, social: Database) -> None:
    ada, bo = await approver(desk), await approver(desk, "Bo")
    sam = await approver(desk, "Sam", Role.AUDITOR)
    task_id = await opens(social, replace(POST, not_by=(bo.id,)))
    await carry(desk, await records_of(social))
    found = {}
    async with desk.browser() as program:
        for person in (ada, bo, sam):
            token = SIGNER.sign(person.as_person, kind=Kind.API, valid_for=timedelta(minutes=5))
            headers = {"Authorization": f"Bearer {token}", "Accept-Language": "ar"}
            found[person.name] = (await program.get("/desk/api/v1/tasks", headers=headers)).json()
        assert (await program.get("/desk/api/v1/tasks", headers={"Accept": "application/json"})).status_code == 401
    assert [one["await_you"] for one in found.values()] == [1, 0, 0]
    (task,) = found["Ada"]["tasks"]
    assert (task["id"], task["title"], task["address"]) == (str(task_id), POST.title["ar"], POST.address)
    assert found["Bo"]["tasks"] == []
    assert [one["awaits_you"] for one in found["Sam"]["tasks"]] == [False]


async def test_an_address_elsewhere_leads_nowhere_else(desk: Desk, social: Database) -> None:
    ada = await approver(desk)
    await opens(social, replace(POST, address="https://elsewhere.example.org//evil.example.org/"))
    await carry(desk, await records_of(social))
    async with desk.browser(ada) as browser:
        assert "evil" not in (await browser.get(START)).text


async def test_tasks_long_closed_go_and_others_stay(desk: Desk, social: Database) -> None:
    await opens(social)
    await opens(social, replace(POST, subject="open"))
    await closes(social)
    await carry(desk, await records_of(social))
    assert await forget_tasks(desk.database) == 0
    await desk.rows(
        "UPDATE awaited SET closed_at = closed_at - interval '91 days', opened_at = opened_at - interval '91 days' RETURNING id"
    )
    assert await forget_tasks(desk.database) == 1
    assert len(await desk.rows("SELECT id FROM awaited")) == 1
