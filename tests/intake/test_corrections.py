"""Words changed by a colleague: before a decision, and after it, when everybody who was told is told again."""

from typing import Any

import httpx
import pytest

from services.intake.domain import DECIDED_HERE, TWO_PERSONS
from shared.events.kinds import KINDS
from shared.i18n import LANGUAGES, look_up
from tests.intake.intake_app import PUBLIC_URL, Intake
from tests.intake.page import page
from tests.intake.test_decide_every_kind import PUBLIC, TOLD
from tests.intake.test_news import fill_in, filled_in
from tests.intake.test_review import REVIEW, submitted
from tests.intake.test_talks import days_from_now

AT_ONCE = sorted(DECIDED_HERE - TWO_PERSONS)


@pytest.mark.parametrize("kind", AT_ONCE)
async def test_a_correction_is_told_once_with_a_higher_revision_and_the_address_stays(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    await staff.post(f"{REVIEW}{submission}/accept")
    assert (await fill_in(staff, submission, title="Other words")).status_code == 303
    _, first, corrected = await intake.told()
    assert (corrected.type, corrected.subject, corrected.revision) == (TOLD[kind][0], first.subject, 2)
    # A request for promotion has a title for the team alone.
    assert kind == "promotion" or corrected.data["title"]["en"] == "Other words"
    assert {name: said for name, said in corrected.data.items() if name != "title"} == {
        name: said for name, said in first.data.items() if name != "title"
    }
    if kind in PUBLIC:
        shown = page(await reader.get(str(first.data["address"]).removeprefix(PUBLIC_URL)))
        assert "Other words" in shown.text
        assert "Corrected on" in shown.text
    assert [one.what for one in await intake.decisions()] == ["accept", "correct"]
    [kept] = await intake.rows("SELECT public FROM submissions")
    assert kept.public["title"] == KINDS[kind].example["title"], "what came in stays as it was"
    assert "Other words" in page(await staff.get(f"{REVIEW}{submission}")).text


@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_saving_without_a_change_does_nothing(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    assert (await fill_in(staff, submission)).status_code == 303
    await staff.post(f"{REVIEW}{submission}/accept")
    assert (await fill_in(staff, submission)).status_code == 303
    assert len(await intake.told()) == 2
    assert [one.what for one in await intake.decisions()] == ["accept"]


@pytest.mark.parametrize("kind", AT_ONCE)
async def test_what_is_changed_before_the_decision_is_what_is_published(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    text = "summary" if "summary" in KINDS[kind].model_fields else "text"
    assert (await fill_in(staff, submission, **{text: "Said in fewer words."})).status_code == 303
    assert len(await intake.told()) == 1
    await staff.post(f"{REVIEW}{submission}/accept")
    told = (await intake.told())[-1]
    assert told.data[text]["en"] == "Said in fewer words."
    assert told.revision == 1


async def test_what_is_wrong_is_told_and_nothing_changes(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    await staff.post(f"{REVIEW}{submission}/accept")
    found = page(await fill_in(staff, submission, title="", entity="x" * 400), 422)
    assert found.all("a", href="#entity")
    assert len(await intake.told()) == 2


async def test_who_saves_over_somebody_elses_change_is_told_so(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    await staff.post(f"{REVIEW}{submission}/accept")
    old: dict[str, Any] = filled_in((await staff.get(f"{REVIEW}{submission}/edit")).text)
    await fill_in(staff, submission, title="The first to save")
    late = page(await staff.post(f"{REVIEW}{submission}/edit", data=old | {"title": "Too late"}), 409)
    assert look_up("en", "staff.review.changed-meanwhile")[0] in late.text
    assert "Too late" in str(late.values()), "nothing that was typed is lost"
    assert len(await intake.told()) == 3


async def test_what_was_declined_or_withdrawn_is_not_changed(intake: Intake, staff: httpx.AsyncClient) -> None:
    declined, withdrawn = await submitted(intake), await submitted(intake, event_id="msg_2")
    await staff.post(f"{REVIEW}{declined}/decline", data={"reason": "No."})
    await staff.post(f"{REVIEW}{withdrawn}/accept")
    await staff.post(f"{REVIEW}{withdrawn}/withdraw", data={"because": "No."})
    for submission in (declined, withdrawn):
        page(await staff.get(f"{REVIEW}{submission}/edit"), 409)
        page(await staff.post(f"{REVIEW}{submission}/edit", data={"title": "x"}), 409)


async def test_a_talk_that_was_moved_or_held_or_cancelled_is_told_again_as_it_stands(intake: Intake, staff: httpx.AsyncClient) -> None:
    held, cancelled = await submitted(intake, "talk", when=days_from_now(-3)), await submitted(intake, "talk", "msg_2")
    for submission in (held, cancelled):
        await staff.post(f"{REVIEW}{submission}/accept")
    await staff.post(f"{REVIEW}{held}/outcome", data={"summary.en": "Agreed."})
    await staff.post(f"{REVIEW}{cancelled}/cancel", data={"because": "No room.", "language": "en"})
    for submission in (held, cancelled):
        assert (await fill_in(staff, submission, title="Other words")).status_code == 303
    last = (await intake.told())[-2:]
    assert [(one.type, one.revision) for one in last] == [("talk.held.v1", 3), ("talk.cancelled.v1", 3)]
    assert last[0].data["outcome"]["summary"] == {"en": "Agreed."}
    assert last[1].data["reason"] == {"en": "No room."}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(DECIDED_HERE))
async def test_the_form_is_whole_in_every_language_and_has_no_time_and_nobodys_address(
    intake: Intake, staff: httpx.AsyncClient, kind: str, language: str
) -> None:
    submission = await submitted(intake, kind)
    answer = await staff.get(f"{REVIEW}{submission}/edit?lang={language}")
    found = page(answer)
    assert found.one("html")["lang"] == language
    assert not [name for name in found.values() if name.startswith(("contact", "when"))]
    assert KINDS[kind].example["contact"]["mail"] not in answer.text
