"""Each submission that waits for a decision awaits the moderators, from the moment it waits until somebody has decided."""

from collections.abc import Mapping

import httpx
import pytest

from services.calendar import reviewing as calendar
from services.intake.jobs import JOBS
from services.intake.sweeps import sweeps_of
from services.pledges import reviewing as pledges
from shared import tasks
from shared.events.codes import Role, TaskEnd
from shared.events.every import TaskClosed, TaskOpened
from shared.i18n import look_up
from shared.sweeps import Sweeper
from tests.intake import test_forms
from tests.intake.intake_app import PUBLIC_URL, Intake, client_of, example, send
from tests.intake.page import page
from tests.intake.test_decisions import decided, note
from tests.intake.test_practice_form import FORM, filled
from tests.intake.test_review import REVIEW, submitted
from tests.people import ALEX


async def opened(intake: Intake) -> Mapping[str, TaskOpened]:
    """What awaits somebody, by the submission."""
    rows = await intake.rows("SELECT subject, facts FROM tasks WHERE closed_at IS NULL")
    return {row.subject: TaskOpened.model_validate(row.facts) for row in rows}


async def told(intake: Intake) -> list[str]:
    return [row.type for row in await intake.rows("SELECT type FROM outbox WHERE type LIKE 'task.%' ORDER BY seq")]


async def test_what_comes_by_webhook_awaits_the_moderators_once(intake: Intake) -> None:
    submission = await submitted(intake)
    async with client_of(intake.app) as client:
        assert (await send(client, intake.sender, example(), "msg_1")).json()["duplicate"]
    found = await opened(intake)
    assert set(found) == {str(submission)}
    task = found[str(submission)]
    assert (task.kind, task.role, task.address) == ("review-practice", Role.MODERATOR, f"{PUBLIC_URL}{REVIEW}{submission}")
    assert task.title == example()["data"]["title"]
    assert (task.not_by, task.nor_by, task.due) == (None, (), None)
    (row,) = await intake.rows("SELECT cause, trace_id FROM outbox WHERE type = 'task.opened.v1'")
    (received,) = await intake.rows("SELECT id FROM outbox WHERE type = 'submission.received.v1'")
    assert (row.cause, row.trace_id) == (str(received.id), submission.hex), "it belongs to the story of the submission"


@pytest.mark.parametrize("verb", ["accept", "decline"])
async def test_a_decision_closes_it_and_says_who_decided(intake: Intake, staff: httpx.AsyncClient, verb: str) -> None:
    submission = await submitted(intake)
    assert (await staff.post(f"{REVIEW}{submission}/{verb}", data={"reason": "Not now."})).status_code == 303
    assert await opened(intake) == {}
    (row,) = await intake.rows("SELECT body FROM outbox WHERE type = 'task.closed.v1'")
    closed = TaskClosed.model_validate_json(row.body)
    assert (closed.kind, closed.end, closed.by) == ("review-practice", TaskEnd.DONE, ALEX.id)
    if verb == "accept":
        assert (await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Gone."})).status_code == 303
    assert await told(intake) == ["task.opened.v1", "task.closed.v1"]


async def test_what_is_refused_on_the_way_leaves_no_task(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    assert (await staff.post(f"{REVIEW}{submission}/decline", data={"reason": " "})).status_code == 422
    assert set(await opened(intake)) == {str(submission)}


async def test_a_form_awaits_nobody_before_its_sender_has_confirmed(intake: Intake, reader: httpx.AsyncClient) -> None:
    assert (await reader.post(FORM, data=await filled(reader))).status_code == 303
    assert await opened(intake) == {}
    path = await intake.confirm_path()
    for _ in range(2):
        assert (await reader.post(path)).status_code == 303
    assert [task.kind for task in (await opened(intake)).values()] == ["review-practice"]
    assert await told(intake) == ["task.opened.v1"]


async def test_what_nobody_can_decide_here_awaits_nobody(intake: Intake) -> None:
    for number, kind in enumerate(("pledge", "date")):
        await submitted(intake, kind, f"msg_{number}")
    assert await opened(intake) == {}


@pytest.mark.parametrize(("kind", "review"), [("date", calendar.PATH), ("pledge", pledges.REVIEW)])
async def test_what_another_service_decides_leads_to_where_it_does(
    intake: Intake, staff: httpx.AsyncClient, kind: str, review: str
) -> None:
    submission = await submitted(intake, kind)
    there = f"{review}{submission}"
    waits = look_up("en", f"staff.review.waits.{kind}")[0]
    found = page(await staff.get(f"{REVIEW}{submission}"))
    assert waits in found.text
    assert found.one("a", href=there)["class"] == "button button--primary"
    await note(intake, decided(submission, verdict="declined", reason="It is another thing."))
    over = page(await staff.get(f"{REVIEW}{submission}"))
    assert over.one("a", href=there)
    assert waits not in over.text


async def test_what_nobody_has_confirmed_leads_nowhere(intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient) -> None:
    form = await test_forms.filled(reader, "date")
    assert (await reader.post("/intake/submit/date", data=form)).status_code == 303
    [kept] = await intake.rows("SELECT id FROM submissions")
    found = page(await staff.get(f"{REVIEW}{kept.id}"))
    assert look_up("en", "staff.review.awaits-confirmation")[0] in found.text
    assert not [one for one in found.all("a") if one.get("href", "").startswith(calendar.PATH)]


async def test_what_waits_without_a_task_gets_one_and_only_that(intake: Intake, staff: httpx.AsyncClient) -> None:
    waiting, decided = await submitted(intake), await submitted(intake, event_id="msg_2")
    await submitted(intake, "pledge", "msg_3")
    assert (await staff.post(f"{REVIEW}{decided}/accept")).status_code == 303
    await intake.rows("DELETE FROM tasks RETURNING id")
    for _ in range(2):
        assert await Sweeper(sweeps_of(PUBLIC_URL)).run(intake.database) == 0
        assert set(await opened(intake)) == {str(waiting)}


def test_closed_tasks_are_let_go() -> None:
    assert tasks.tidy in [job.run for job in JOBS]
