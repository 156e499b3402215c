"""The review: everything that came in is shown with where it came from; practices are decided on, once, whoever is quicker."""

import asyncio
from uuid import UUID

import httpx
import pytest

from services.intake.domain import DECIDED_HERE
from shared.events.codes import Role
from shared.events.intake import PracticePublished, PracticeWithdrawn
from shared.events.kinds import KINDS
from shared.i18n import LANGUAGES, look_up
from shared.web.describe import describe
from shared.web.pages import Sentence
from tests.intake.intake_app import PUBLIC_URL, Intake, client_of, example, send
from tests.intake.page import page
from tests.people import ALEX, somebody

REVIEW = "/intake/review/"


async def submitted(intake: Intake, kind: str = "practice", event_id: str = "msg_1", **changes: object) -> UUID:
    """The id of a submission that has come in by webhook."""
    async with client_of(intake.app) as client:
        answer = await send(client, intake.sender, example(kind, **changes), event_id)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["receipt"])


async def state_of(intake: Intake, submission: UUID) -> str:
    return str((await intake.rows("SELECT state FROM submissions WHERE id = :id", id=submission))[0].state)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_title_of_its_own_in_the_readers_language(kind: str, language: str) -> None:
    names = KINDS[kind].fields_in_order()
    titles = [title for title, _ in describe(kind, {name: {"en": "said"} for name in names}, language)]
    assert [title for title in titles if not isinstance(title, Sentence) or title.lang != language] == []
    assert len(set(titles)) == len(names)


@pytest.mark.parametrize("path", ["/intake/", REVIEW, f"{REVIEW}01a201de-e267-7642-ae52-efd2c8a660c5", "/intake/partners/"])
async def test_the_pages_of_the_team_need_a_person(reader: httpx.AsyncClient, path: str) -> None:
    answer = await reader.get(path)
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("verb", ["accept", "ask", "decline", "withdraw", "edit", "publish", "drop"])
async def test_nothing_is_decided_without_a_person_or_from_another_site(
    intake: Intake, reader: httpx.AsyncClient, staff: httpx.AsyncClient, verb: str
) -> None:
    submission = await submitted(intake)
    words = {"reason": "no", "because": "no", "question": "no"}
    assert (await reader.post(f"{REVIEW}{submission}/{verb}", data=words)).status_code == 401
    elsewhere = {"origin": "https://elsewhere.example"}
    assert (await staff.post(f"{REVIEW}{submission}/{verb}", data=words, headers=elsewhere)).status_code == 403
    assert await state_of(intake, submission) == "received"


async def test_what_waits_longest_stands_first_and_lists_go_by_state_and_kind(intake: Intake, staff: httpx.AsyncClient) -> None:
    first = await submitted(intake, title={"en": "The first"}, summary={"en": "x"})
    second = await submitted(intake, "talk", "msg_2")
    listed = [one["href"] for one in page(await staff.get(REVIEW)).all("a") if one.get("href", "").startswith(REVIEW + "01")]
    assert listed == [f"{REVIEW}{first}", f"{REVIEW}{second}"]
    only_talks = page(await staff.get(f"{REVIEW}?kind=talk"))
    assert "The first" not in only_talks.text
    assert page(await staff.get(f"{REVIEW}?state=declined")).all("table") == []
    assert "The first" in page(await staff.get(f"{REVIEW}?state=all")).text
    for nonsense in ("state=%00", "kind=party", "page=-1", "page=99999999999999999999", "page=x"):
        page(await staff.get(f"{REVIEW}?{nonsense}"))


async def test_names_of_fields_are_in_the_readers_language(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    assert "<dt>العنوان</dt>" in (await staff.get(f"{REVIEW}{submission}?lang=ar")).text
    assert "<dt>Title</dt>" in (await staff.get(f"{REVIEW}{submission}?lang=en")).text


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_every_field_and_where_it_came_from_is_shown(intake: Intake, staff: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    answer = await staff.get(f"{REVIEW}{submission}")
    found = page(answer)
    model = KINDS[kind]
    for name in model.example:
        if name != "contact":
            assert str(model.model_fields[name].title) in found.text
    assert all(text in found.text for text in (model.example["title"].values() if "title" in model.example else [model.example["subject"]]))
    assert model.example["contact"]["mail"] in found.text
    assert look_up("en", "staff.review.unconfirmed")[0] in found.text
    assert "Example City" in found.text
    assert found.all("a", href=f"/desk/events/{submission.hex}")
    assert found.all("a", href=f"/intake/partners/{intake.sender.id}")
    [key] = await intake.rows("SELECT id FROM partner_keys")
    assert str(key.id) in found.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - DECIDED_HERE))
async def test_what_is_not_decided_on_here_has_no_buttons_and_cannot_be_decided_on(
    intake: Intake, staff: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    found = page(await staff.get(f"{REVIEW}{submission}"))
    assert [one["action"] for one in found.all("form")] == ["/desk/sign-out"]
    for verb in ("accept", "ask", "decline", "withdraw", "edit", "publish", "drop"):
        words = {"reason": "no", "because": "no", "question": "no"}
        answer = await staff.post(f"{REVIEW}{submission}/{verb}", data=words)
        page(answer, 409)
    assert await state_of(intake, submission) == "received"
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]


async def test_accepting_makes_the_public_page_and_tells_of_it_in_the_trace_of_the_receipt(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission = await submitted(intake)
    answer = await staff.post(f"{REVIEW}{submission}/accept")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{REVIEW}{submission}")
    received, published = await intake.told()
    [practice] = await intake.rows("SELECT id, slug, revision FROM practices")
    assert (published.type, published.subject, published.revision) == ("practice.published.v1", str(practice.id), 1)
    assert (published.cause, published.trace_id) == (str(received.id), submission.hex)
    data = PracticePublished.model_validate(published.data)
    assert data.address == f"{PUBLIC_URL}/practices/{practice.slug}"
    assert dict(data.title) == example()["data"]["title"]
    page(await reader.get(f"/practices/{practice.slug}"))
    assert await state_of(intake, submission) == "accepted"


async def test_who_decided_is_kept_and_seen_by_the_team_alone(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    await staff.post(f"{REVIEW}{submission}/accept")
    [kept] = await intake.rows("SELECT token, decided_by, decided_by_name FROM submissions")
    assert (kept.decided_by, kept.decided_by_name) == (ALEX.id, ALEX.name)
    assert f"Decided by {ALEX.name}" in page(await staff.get(f"{REVIEW}{submission}")).text
    assert ALEX.name not in page(await reader.get(f"/intake/track/{kept.token}")).text


async def test_each_decision_is_told_to_the_audit_trail_with_its_person_and_the_hash_of_what_was_decided_on(
    intake: Intake, staff: httpx.AsyncClient
) -> None:
    first, second = await submitted(intake), await submitted(intake, event_id="msg_2")
    await staff.post(f"{REVIEW}{first}/accept")
    await staff.post(f"{REVIEW}{first}/accept")  # too late, and no decision
    await staff.post(f"{REVIEW}{first}/withdraw", data={"because": "Its figures were wrong."})
    await staff.post(f"{REVIEW}{second}/decline", data={"reason": "Not about migration."})
    told = await intake.decisions()
    assert [(one.who, one.what, one.about, one.reason) for one in told] == [
        (ALEX.id, "accept", "practice", None),
        (ALEX.id, "withdraw", "practice", "Its figures were wrong."),
        (ALEX.id, "decline", "practice", "Not about migration."),
    ]
    assert {one.content_hash for one in told} == {told[0].content_hash}  # the same content came twice
    assert told[0].address == f"{PUBLIC_URL}{REVIEW}{first}"


async def test_an_auditor_sees_a_submission_and_has_no_button(intake: Intake) -> None:
    submission = await submitted(intake)
    async with client_of(intake.app, browser=True, staff=True, person=somebody(Role.AUDITOR)) as auditor:
        found = page(await auditor.get(f"{REVIEW}{submission}"))
        assert [one["action"] for one in found.all("form")] == ["/desk/sign-out"]
        assert (await auditor.post(f"{REVIEW}{submission}/accept")).status_code == 403
    assert await state_of(intake, submission) == "received"


async def test_declining_needs_a_reason_which_its_sender_reads(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    path = f"{REVIEW}{submission}/decline"
    page(await staff.post(path, data={"reason": "  ", "language": "fr"}), 422)
    assert await state_of(intake, submission) == "received"
    assert (await staff.post(path, data={"reason": "Cela ne concerne pas\n\nles migrations.", "language": "fr"})).status_code == 303
    [kept] = await intake.rows("SELECT token, state, reason_language FROM submissions")
    assert (kept.state, kept.reason_language) == ("declined", "fr")
    followed = page(await reader.get(f"/intake/track/{kept.token}"))
    assert "Cela ne concerne pas" in followed.text
    assert {one.get("lang") for one in followed.all("p")} >= {"fr"}
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]


async def test_withdrawing_takes_the_page_away_and_tells_of_it_with_a_higher_revision(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission = await submitted(intake)
    await staff.post(f"{REVIEW}{submission}/accept")
    [practice] = await intake.rows("SELECT id, slug FROM practices")
    path = f"{REVIEW}{submission}/withdraw"
    page(await staff.post(path, data={"because": "two\nlines"}), 422)
    assert (await staff.post(path, data={"because": "Its figures were wrong."})).status_code == 303
    received, _, withdrawn = await intake.told()
    assert (withdrawn.type, withdrawn.subject, withdrawn.revision) == ("practice.withdrawn.v1", str(practice.id), 2)
    assert (withdrawn.cause, withdrawn.trace_id) == (str(received.id), submission.hex)
    assert PracticeWithdrawn.model_validate(withdrawn.data).reason == "Its figures were wrong."
    page(await reader.get(f"/practices/{practice.slug}"), 410)
    assert "One-stop" not in page(await reader.get("/practices/")).text
    [kept] = await intake.rows("SELECT token FROM submissions")
    assert "Its figures were wrong." in page(await reader.get(f"/intake/track/{kept.token}")).text


async def test_of_decisions_at_once_one_counts_and_the_others_are_told_so(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    answers = await asyncio.gather(
        *(staff.post(f"{REVIEW}{submission}/accept") for _ in range(4)),
        *(staff.post(f"{REVIEW}{submission}/decline", data={"reason": "No."}) for _ in range(4)),
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 7
    state = await state_of(intake, submission)
    assert state in {"accepted", "declined"}
    too_late = look_up("en", "staff.review.too-late")[0].format(state=look_up("en", f"submission.state.{state}")[0])
    assert all(too_late in page(answer, 409).text for answer in answers if answer.status_code == 409)
    assert len(await intake.rows("SELECT id FROM practices")) == (state == "accepted")
    assert len(await intake.told()) == 1 + (state == "accepted")


async def test_what_is_decided_is_not_decided_again(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    page(await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Too early."}), 409)
    await staff.post(f"{REVIEW}{submission}/accept")
    page(await staff.post(f"{REVIEW}{submission}/accept"), 409)
    page(await staff.post(f"{REVIEW}{submission}/decline", data={"reason": "No."}), 409)
    await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Wrong."})
    page(await staff.post(f"{REVIEW}{submission}/withdraw", data={"because": "Wrong."}), 409)
    page(await staff.post(f"{REVIEW}{submission}/accept"), 409)
    assert [row.type for row in await intake.told()] == ["submission.received.v1", "practice.published.v1", "practice.withdrawn.v1"]


@pytest.mark.parametrize("submission", ["nothing", "01a201de-e267-7642-ae52-efd2c8a660c5", "%00"])
async def test_an_unknown_submission_is_not_found(staff: httpx.AsyncClient, submission: str) -> None:
    assert (await staff.get(f"{REVIEW}{submission}")).status_code == 404
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 404


async def test_a_contact_that_cannot_be_opened_does_not_hide_the_rest(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake)
    await intake.rows("UPDATE submissions SET contact_sealed = 'gone' RETURNING id")
    found = page(await staff.get(f"{REVIEW}{submission}"))
    assert "TIDINGS_DATA_KEYS" in found.text
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303


async def test_two_practices_of_the_same_title_have_pages_of_their_own(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    both = [await submitted(intake, event_id=f"msg_{number}") for number in range(2)]
    answers = await asyncio.gather(*(staff.post(f"{REVIEW}{one}/accept") for one in both))
    assert [answer.status_code for answer in answers] == [303, 303]
    slugs = [row.slug for row in await intake.rows("SELECT slug FROM practices")]
    assert len(set(slugs)) == 2
    for slug in slugs:
        page(await reader.get(f"/practices/{slug}"))


async def test_markup_in_every_field_is_shown_as_text(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    nasty = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    submission = await submitted(
        intake,
        title={"en": nasty},
        summary={"en": nasty},
        text={"en": nasty + "\n\n" + nasty},
        entity=nasty,
        links=[{"address": "https://example.org/?a=<script>", "label": nasty}],
        remarks=nasty,
        contact={"name": nasty, "mail": "amina@example.org"},
    )
    reviewed = await staff.get(f"{REVIEW}{submission}")
    await staff.post(f"{REVIEW}{submission}/accept")
    [kept] = await intake.rows("SELECT slug, token FROM practices JOIN submissions ON submissions.id = submission_id")
    public = [await reader.get(path) for path in (f"/practices/{kept.slug}", "/practices/", f"/intake/track/{kept.token}")]
    for answer in [reviewed, await staff.get(REVIEW + "?state=all"), *public]:
        found = page(answer)
        assert "alert(1)" in found.text
        assert [image for image in found.all("img") if not image["src"].startswith("/static/")] == []
        assert all(one.get("type") == "application/ld+json" for one in found.all("script"))
