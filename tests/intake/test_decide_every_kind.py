"""Every kind that intake reviews goes the same way: from the door through a decision to what is published and told, once."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.intake.domain import DECIDED_HERE
from shared.events.codes import Role
from shared.events.every import TaskOpened
from shared.events.kinds import KINDS
from shared.events.registry import EVENT_TYPES
from shared.i18n import LANGUAGES, look_up
from tests.intake.intake_app import PUBLIC_URL, Intake, client_of
from tests.intake.page import page
from tests.intake.test_review import REVIEW, state_of, submitted
from tests.people import ALEX, somebody

TOLD = {
    "practice": ("practice.published.v1", "practice.withdrawn.v1"),
    "talk": ("talk.accepted.v1", "talk.cancelled.v1"),
    "news": ("news.published.v1", "news.withdrawn.v1"),
    "contribution": ("contribution.accepted.v1", "contribution.withdrawn.v1"),
    "promotion": ("promotion.requested.v1", "promotion.withdrawn.v1"),
}
PUBLIC = {"practice": "/practices/", "talk": "/talks/", "news": "/news/"}
WITHDRAWABLE = sorted(DECIDED_HERE - {"talk"})


def test_the_table_names_every_kind_that_is_decided_on_here() -> None:
    assert set(TOLD) == DECIDED_HERE


async def open_task(intake: Intake, kind: str) -> TaskOpened | None:
    rows = await intake.rows("SELECT facts FROM tasks WHERE kind = :kind AND closed_at IS NULL", kind=kind)
    return TaskOpened.model_validate(rows[0].facts) if rows else None


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_accepting_publishes_it_once_and_tells_of_it_once(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    assert (await open_task(intake, f"review-{kind}")) is not None
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    page(await staff.post(f"{REVIEW}{submission}/accept"), 409)
    received, told = await intake.told()
    assert (told.type, told.revision, told.cause, told.trace_id) == (TOLD[kind][0], 1, str(received.id), submission.hex)
    data = EVENT_TYPES[told.type].model_validate(told.data)
    example: Mapping[str, Any] = KINDS[kind].example
    for name in set(type(data).model_fields) & set(example):
        assert told.data[name] == example[name] or name in {"when", "occasion"}, name
    [kept] = await intake.rows("SELECT state, address FROM submissions")
    assert kept.state == "accepted"
    if kind in PUBLIC:
        assert kept.address == told.data["address"]
        assert str(kept.address).startswith(f"{PUBLIC_URL}{PUBLIC[kind]}")
    else:
        assert kept.address is None
    [decision] = await intake.decisions()
    assert (decision.who, decision.what, decision.about) == (ALEX.id, "accept", kind)
    assert await open_task(intake, f"review-{kind}") is None


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_fifty_decisions_at_once_give_one_result(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    answers = await asyncio.gather(
        *(staff.post(f"{REVIEW}{submission}/accept") for _ in range(30)),
        *(staff.post(f"{REVIEW}{submission}/decline", data={"reason": "No."}) for _ in range(20)),
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 49
    accepted = await state_of(intake, submission) == "accepted"
    assert [row.type for row in await intake.told()] == ["submission.received.v1", *([TOLD[kind][0]] if accepted else [])]
    assert len(await intake.decisions()) == 1


@pytest.mark.parametrize("kind", WITHDRAWABLE)
async def test_withdrawing_tells_of_it_with_a_higher_revision_and_takes_the_page_away(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    await staff.post(f"{REVIEW}{submission}/accept")
    assert (await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Its figures were wrong."})).status_code == 303
    page(await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Again."}), 409)
    _, accepted, withdrawn = await intake.told()
    assert (withdrawn.type, withdrawn.subject, withdrawn.revision) == (TOLD[kind][1], accepted.subject, 2)
    assert withdrawn.data == {"reason": "Its figures were wrong."}
    assert await state_of(intake, submission) == "withdrawn"
    if kind in PUBLIC:
        gone = await reader.get(str(accepted.data["address"]).removeprefix(PUBLIC_URL))
        page(gone, 410)
        assert KINDS[kind].example["title"]["en"] not in page(await reader.get(PUBLIC[kind])).text


async def test_a_talk_is_cancelled_and_never_taken_away(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake, "talk")
    await staff.post(f"{REVIEW}{submission}/accept")
    page(await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Gone."}), 409)
    assert len(await intake.told()) == 2


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_a_question_is_read_on_the_tracking_page_and_awaits_the_sender(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    path = f"{REVIEW}{submission}/ask"
    page(await staff.post(path, data={"question": " "}), 422)
    assert (await staff.post(path, data={"question": "Qui en est l’auteur ?", "language": "fr"})).status_code == 303
    [kept] = await intake.rows("SELECT token, state, reason_language FROM submissions")
    assert (kept.state, kept.reason_language) == ("question", "fr")
    assert "Qui en est l’auteur ?" in page(await reader.get(f"/intake/track/{kept.token}")).text
    assert await open_task(intake, f"review-{kind}") is None
    assert [one.what for one in await intake.decisions()] == ["ask"]
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303, "it can be decided on without the answer"


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_who_entered_it_for_somebody_cannot_accept_it_and_another_can(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    by_telephone = "came_by = 'telephone', came_on = '2026-11-01', came_from = 'A mission'"
    entered = f"channel = 'staff', entered_by = :who, entered_by_name = 'Alex', {by_telephone}"
    await intake.rows(f"UPDATE submissions SET {entered} RETURNING id", who=ALEX.id)
    found = page(await staff.get(f"{REVIEW}{submission}"))
    assert found.all("form", action=f"{REVIEW}{submission}/accept") == []
    assert look_up("en", "staff.review.own-work")[0] in found.text
    answer = await staff.post(f"{REVIEW}{submission}/accept")
    assert look_up("en", "staff.review.own-work")[0] in page(answer, 403).text
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.MODERATOR)) as other:
        assert (await other.post(f"{REVIEW}{submission}/accept")).status_code == 303


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_the_pages_of_a_decision_are_whole_in_every_language(
    intake: Intake, staff: httpx.AsyncClient, kind: str, language: str
) -> None:
    submission = await submitted(intake, kind)
    for _ in range(2):
        found = page(await staff.get(f"{REVIEW}{submission}?lang={language}"))
        assert found.one("html")["lang"] == language
        await staff.post(f"{REVIEW}{submission}/accept")
