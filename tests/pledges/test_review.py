"""Pledges come in by event, however often it is delivered; a moderator publishes, declines or asks, and looks at what is doubtful first."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.pledges.domain.submissions import number_as_written, words_about_refugees
from services.pledges.handlers import listens
from services.pledges.web.pledge_correct import filled_from
from shared.consumer import Consumer
from shared.events import registry
from shared.events.codes import Role
from shared.events.every import SubmissionDecided
from shared.events.kinds.pledge import EXAMPLE_DESCRIPTION, PledgeSubmission
from shared.events.pledges import PledgePublished
from shared.i18n import look_up
from shared.ids import new_id
from shared.parking import StoredRecord
from tests.intake.page import page
from tests.people import ALEX, somebody
from tests.pledges.pledges_app import OWNER, PUBLIC_URL, Register, client_of
from tests.sample_events import record

REVIEW = "/pledges/review/"


def came_in(register: Register, subject: UUID, *, revision: int = 1, **changes: Any) -> StoredRecord:
    """The door's event about a pledge: the form's example, some of its fields changed."""
    told: dict[str, Any] = {name: changes.pop(name) for name in ("answers", "channel", "entered_by", "files", "kind") if name in changes}
    whole: dict[str, Any] = {**PledgeSubmission.example, **changes}
    fields = {name: value for name, value in whole.items() if value is not None}
    parts = PledgeSubmission.model_validate(fields).split()
    data = {
        "kind": "pledge",
        "reference": "PL-2026-7F3K",
        "language": fields["language"],
        "channel": "form",
        "public": parts.public,
        "internal": parts.internal,
        "contact": register.sealed_contact().decode("ascii"),
        **told,
    }
    return record("submission.received.v1", data, subject=str(subject), revision=revision)


async def deliver(register: Register, *records: StoredRecord) -> None:
    """Hand records over as Kafka does."""
    consumer = Consumer("pledges", register.database, listens(PUBLIC_URL), registry.TOPICS_OF)
    outcome = await consumer.take(list(records))
    assert {what for _, what in outcome.taken} <= {"handled", "repeated"}


async def submitted(register: Register, **changes: Any) -> UUID:
    """The id of a submission that has come in."""
    subject = new_id()
    await deliver(register, came_in(register, subject, **changes))
    return subject


async def state_of(register: Register, submission: UUID) -> str:
    [row] = await register.rows("SELECT state FROM submissions WHERE id = :id", id=submission)
    return str(row.state)


async def test_one_event_delivered_ten_times_leads_to_one_submission_and_one_task(register: Register) -> None:
    subject = new_id()
    event = came_in(register, subject)
    for _ in range(5):
        await deliver(register, event, event)
    assert len(await register.rows("SELECT id FROM submissions")) == 1
    [task] = await register.tasks()
    assert (task.kind, task.subject) == ("review-pledge", str(subject))
    assert task.facts["address"] == f"{PUBLIC_URL}{REVIEW}{subject}"
    assert len(await register.rows("SELECT id FROM outbox WHERE type = 'task.opened.v1'")) == 1


async def test_other_kinds_are_others_to_review(register: Register) -> None:
    await deliver(register, came_in(register, new_id(), kind="date"))
    assert await register.rows("SELECT id FROM submissions") == []
    assert await register.tasks() == []


async def test_everything_that_came_in_is_shown_and_the_contact_opened(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register, remarks="The text was cleared on 2 June.")
    shown = page(await staff.get(f"{REVIEW}{submission}")).text
    wanted = ["Ending recruitment fees by 2027", "Example Employers’ Federation", "The text was cleared", OWNER, "PL-2026-7F3K", "Morocco"]
    for words in [*wanted, "independent survey", "41"]:
        assert words in shown, words
    assert "Ending recruitment fees" in page(await staff.get(REVIEW)).text
    [row] = await register.rows("SELECT contact_sealed FROM submissions")
    assert OWNER.encode() not in row.contact_sealed


async def test_who_reviews_a_pledge_can_open_the_file_that_came_with_it(register: Register, staff: httpx.AsyncClient) -> None:
    subject, sha256 = new_id(), "0f" * 32
    file = {"sha256": sha256, "name": "Plan.pdf", "media_type": "application/pdf", "size": 9, "service": "intake"}
    await deliver(register, came_in(register, subject, files=[file]))
    link = page(await staff.get(f"{REVIEW}{subject}")).one("a", href=f"/intake/review/files/{sha256}")
    assert link["href"]


async def test_accepting_publishes_under_a_number_and_tells_door_others_and_trail(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register)
    answer = await staff.post(f"{REVIEW}{submission}/accept")
    assert answer.status_code == 303
    pledge = await register.pledge("P-0001")
    assert pledge.submission_id == submission
    decided, published = await register.told()
    assert (decided.type, decided.subject, decided.revision) == ("submission.decided.v1", str(submission), 1)
    assert decided.data == {
        "verdict": "accepted",
        "language": "en",
        "reason": None,
        "became": str(pledge.id),
        "address": f"{PUBLIC_URL}/pledges/P-0001",
    }
    assert (published.type, published.subject, published.revision, published.historic) == ("pledge.published.v1", str(pledge.id), 1, False)
    event = PledgePublished.model_validate(published.data)
    assert (event.number, event.title["en"], event.text["en"]) == ("P-0001", "Ending recruitment fees by 2027", EXAMPLE_DESCRIPTION)
    assert (event.countries, [region.value for region in event.regions]) == (("MA",), ["africa", "arab-states"])
    [decision] = await register.decisions()
    assert (decision.who, decision.what, decision.about) == (ALEX.id, "accept", "pledge")
    assert await register.tasks() == []
    assert await register.mails() == []
    assert OWNER not in str([row.data for row in await register.told()])


async def test_two_moderators_at_once_publish_one_pledge(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register)
    answers = await asyncio.gather(*(staff.post(f"{REVIEW}{submission}/accept") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert [row.number for row in await register.rows("SELECT number FROM pledges")] == ["P-0001"]


async def test_declining_needs_its_reason_and_tells_the_door(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register)
    page(await staff.post(f"{REVIEW}{submission}/decline", data={"reason": " "}), 422)
    await staff.post(f"{REVIEW}{submission}/decline", data={"reason": "Nobody can measure it.", "language": "fr"})
    assert await state_of(register, submission) == "declined"
    [decided] = await register.told()
    assert (decided.data["verdict"], decided.data["reason"], decided.data["language"]) == ("declined", "Nobody can measure it.", "fr")
    assert await register.tasks() == []
    page(await staff.post(f"{REVIEW}{submission}/accept"), 409)


async def test_a_question_waits_for_its_answer_and_then_for_a_moderator_again(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register)
    await staff.post(f"{REVIEW}{submission}/ask", data={"question": "Who measures it?", "language": "en"})
    assert await state_of(register, submission) == "question"
    assert await register.tasks() == []
    said = {"question": "Who measures it?", "text": "The statistics office.", "answered_at": "2026-06-16T09:00:00Z"}
    again = came_in(register, submission, revision=2, answers=[said])
    await deliver(register, again, again)
    assert await state_of(register, submission) == "received"
    assert [task.kind for task in await register.tasks()] == ["review-pledge"]
    assert "The statistics office." in page(await staff.get(f"{REVIEW}{submission}")).text
    await staff.post(f"{REVIEW}{submission}/accept")
    told = [row for row in await register.told() if row.type == SubmissionDecided.type]
    assert [(row.data["verdict"], row.revision) for row in told] == [("question", 1), ("accepted", 2)]
    # What was decided is not opened again, neither by a newer word nor by an older one.
    await deliver(register, came_in(register, submission, revision=3, answers=[said]), came_in(register, submission, revision=1))
    assert await state_of(register, submission) == "accepted"
    assert await register.tasks() == []


@pytest.mark.parametrize(("verb", "decided_as"), [("accept", "accepted"), ("decline", "declined")])
async def test_what_comes_after_the_decision_changes_nothing_of_it_is_kept_and_seen_by_a_moderator(
    register: Register, staff: httpx.AsyncClient, verb: str, decided_as: str
) -> None:
    submission = await submitted(register)
    await staff.post(f"{REVIEW}{submission}/ask", data={"question": "Who measures it?", "language": "en"})
    await staff.post(f"{REVIEW}{submission}/{verb}", data={"reason": "It is about something else."})
    before = await register.rows("SELECT public, internal, answers, files, event_id, state, reason FROM submissions")
    told = len(await register.told())
    said = {"question": "Who measures it?", "text": "The statistics office.", "answered_at": "2026-06-16T09:00:00Z"}
    file = {"sha256": "0f" * 32, "name": "Plan.pdf", "media_type": "application/pdf", "size": 9, "service": "intake"}
    late = came_in(register, submission, revision=2, answers=[said], files=[file], metric="Share of workers who paid no fee")
    for _ in range(10):
        await deliver(register, late)
    # The same once more under a higher number, and an older word, are nothing new.
    again = came_in(register, submission, revision=3, answers=[said], files=[file], metric="Share of workers who paid no fee")
    await deliver(register, again, came_in(register, submission, revision=1))
    assert await register.rows("SELECT public, internal, answers, files, event_id, state, reason FROM submissions") == before
    assert before[0].state == decided_as
    assert len(await register.told()) == told
    [task] = await register.tasks()
    assert (task.kind, task.facts["role"], task.facts["address"]) == ("look-again-pledge", "moderator", f"{PUBLIC_URL}{REVIEW}{submission}")
    found = page(await staff.get(f"{REVIEW}{submission}?lang=en"))
    for words in (look_up("en", "staff.pledge.later")[0], "The statistics office.", "Share of workers who paid no fee", "Plan.pdf"):
        assert words in found.text, words
    assert PledgeSubmission.example["metric"] in found.text, "what was decided on is shown as it was"
    assert len(found.all("h3")) == 1, "it is kept once"
    assert (await staff.post(f"{REVIEW}{submission}/look-again")).status_code == 303
    assert await register.tasks() == []
    seen = page(await staff.get(f"{REVIEW}{submission}"))
    assert "The statistics office." in seen.text, "it stays to be read"
    assert not seen.all("form", action=f"{REVIEW}{submission}/look-again")
    # Another word after that is looked at again.
    more = {**said, "text": "The statistics office, each spring."}
    await deliver(register, came_in(register, submission, revision=4, answers=[said, more], files=[file]))
    assert [task.kind for task in await register.tasks()] == ["look-again-pledge"]
    assert "each spring" in page(await staff.get(f"{REVIEW}{submission}")).text
    if verb == "accept":
        [pledge] = await register.rows("SELECT number, metric FROM pledges")
        assert pledge.metric == PledgeSubmission.example["metric"]
        assert found.all("a", href=f"/pledges/manage/{pledge.number}/correct")


async def test_who_entered_a_pledge_for_somebody_else_cannot_accept_it(register: Register, staff: httpx.AsyncClient) -> None:
    submission = await submitted(register, channel="staff", entered_by=ALEX.id)
    assert (await register.tasks())[0].facts["not_by"] == ALEX.id
    assert "another moderator must accept it" in page(await staff.get(f"{REVIEW}{submission}")).text
    page(await staff.post(f"{REVIEW}{submission}/accept"), 403)
    assert await state_of(register, submission) == "received"
    async with client_of(register.app, person=somebody(Role.MODERATOR)) as other:
        assert (await other.post(f"{REVIEW}{submission}/accept")).status_code == 303


@pytest.mark.parametrize(
    ("why", "changes", "shown"),
    [
        ("refugees", {"description": {"en": EXAMPLE_DESCRIPTION + " Refugees and asylum seekers too."}}, "Refugees"),
        ("unknown match", {"way": "matching", "participants": None, "matched_id": "P-0099"}, "the register does not know"),
        (
            "other title",
            {"way": "matching", "participants": None, "matched_id": "p 1", "matched_title": "Safe routes"},
            "bears another title",
        ),
        ("same title", {"title": {"en": "A pledge that stands"}}, "recorded once"),
        ("a joint pledge of another party", {"entity": "Example Partner", "title": {"en": "Something else"}}, "recorded once"),
    ],
)
async def test_what_is_doubtful_has_to_be_looked_at_before_it_is_accepted(
    register: Register, staff: httpx.AsyncClient, why: str, changes: dict[str, Any], shown: str
) -> None:
    await register.publish(
        title={"en": "A pledge that stands"}, entity="Example Ministry", participants=("Example Partner",), objectives=(6,)
    )
    submission = await submitted(register, **changes)
    assert shown in page(await staff.get(f"{REVIEW}{submission}")).text, why
    page(await staff.post(f"{REVIEW}{submission}/accept"), 422)
    assert await state_of(register, submission) == "received"
    assert (await staff.post(f"{REVIEW}{submission}/accept", data={"doubts": "seen"})).status_code == 303
    assert await state_of(register, submission) == "accepted"


async def test_a_matching_pledge_is_linked_both_ways(register: Register, staff: httpx.AsyncClient) -> None:
    matched = await register.publish(title={"en": "Safe routes"}, objectives=(5,), entity="Example State B", participants=())
    changes = {"way": "matching", "participants": None, "matched_id": f"{matched.number.lower()} ", "matched_title": "SAFE ROUTES"}
    submission = await submitted(register, **changes)
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    answer = await register.pledge("P-0002")
    assert answer.facts.matched_number == matched.number
    assert f"/pledges/manage/{matched.number}" in (await staff.get(f"/pledges/manage/{answer.number}")).text
    assert f"/pledges/manage/{answer.number}" in (await staff.get(f"/pledges/manage/{matched.number}")).text


@pytest.mark.parametrize("verb", ["accept", "decline", "ask"])
async def test_nothing_is_decided_without_a_moderator_or_from_another_site(
    register: Register, reader: httpx.AsyncClient, staff: httpx.AsyncClient, verb: str
) -> None:
    submission = await submitted(register)
    words = {"reason": "no", "question": "no"}
    assert (await reader.post(f"{REVIEW}{submission}/{verb}", data=words)).status_code == 401
    assert (
        await staff.post(f"{REVIEW}{submission}/{verb}", data=words, headers={"origin": "https://elsewhere.example"})
    ).status_code == 403
    async with client_of(register.app, person=somebody(Role.DRAFTER)) as drafter:
        assert (await drafter.post(f"{REVIEW}{submission}/{verb}", data=words)).status_code == 403
    assert await state_of(register, submission) == "received"


@pytest.mark.parametrize("submission", ["nothing", "01a201de-e267-7642-ae52-efd2c8a660c5", "%00"])
async def test_an_unknown_submission_is_not_found(staff: httpx.AsyncClient, submission: str) -> None:
    assert (await staff.get(f"{REVIEW}{submission}")).status_code == 404
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 404


async def test_a_correction_keeps_number_and_address_and_what_its_owner_said(register: Register, staff: httpx.AsyncClient) -> None:
    pledge = await register.publish(participants=("Example Employers’ Federation",))
    address = f"/pledges/manage/{pledge.number}"
    form = dict(page(await staff.get(f"{address}/correct")).values())
    assert form["entity"] == "Example State A"
    filled = {
        "title.en": "Ending recruitment fees by 2028",
        "description.en": EXAMPLE_DESCRIPTION,
        "entity": "Example State A",
        "entity_type": "state",
        "kinds": ["policy", "process"],
        "way": "partnership",
        "participants": "Example Employers’ Federation\nExample Union",
        "scope": "national",
        "countries": "ma, tn",
        "objectives": ["6", "22"],
        "principles": ["human-rights"],
        "metric": "Workers who paid a recruitment fee, in per cent",
        "baseline": "41",
        "target": "0",
        "due": "2028-12-31",
        "links": "https://example.org/fees",
    }
    wrong = page(await staff.post(f"{address}/correct", data={**filled, "due": "2028-02-31"}), 422)
    assert wrong.one("input", name="due")["value"] == "2028-02-31"
    assert (await staff.post(f"{address}/correct", data=filled)).status_code == 303
    now = await register.pledge(pledge.number)
    assert (now.facts.title["en"], now.facts.objectives, now.facts.countries) == ("Ending recruitment fees by 2028", (6, 22), ("MA", "TN"))
    assert (now.id, now.revision, now.facts.published_on) == (pledge.id, 2, pledge.facts.published_on)
    [told] = await register.told()
    assert (told.type, told.revision, told.data["due"]) == ("pledge.published.v1", 2, "2028-12-31")
    # The same once more is no change.
    await staff.post(f"{address}/correct", data=filled)
    assert (await register.pledge(pledge.number)).revision == 2


async def test_a_correction_leaves_what_it_does_not_touch(register: Register, staff: httpx.AsyncClient) -> None:
    links = ({"address": "https://example.org/fees", "label": "Programme"}, {"address": "https://example.org/law"})
    pledge = await register.publish(links=links)
    address = f"/pledges/manage/{pledge.number}/correct"
    shown = filled_from(pledge.facts)
    answer = await staff.post(address, data={**shown.lines, **shown.boxes, **shown.texts, "title.en": "Ending fees"})
    assert answer.status_code == 303, page(answer, 422).text
    now = await register.pledge(pledge.number)
    assert now.facts.title["en"] == "Ending fees"
    assert now.facts.links == links


async def test_of_two_who_correct_at_once_the_second_undoes_nothing_unseen(register: Register, staff: httpx.AsyncClient) -> None:
    pledge = await register.publish()
    address = f"/pledges/manage/{pledge.number}/correct"
    seen = page(await staff.get(address)).values()["revision"]
    shown = filled_from(pledge.facts)
    first, second = ({**shown.lines, **shown.boxes, **shown.texts, "revision": seen, name: "Another"} for name in ("metric", "target"))
    assert (await staff.post(address, data=first)).status_code == 303
    late = page(await staff.post(address, data=second), 409)
    assert "look at how the pledge stands now" in late.text
    assert late.values()["target"] == "Another"
    now = await register.pledge(pledge.number)
    assert (now.facts.metric, now.facts.target, now.revision) == ("Another", pledge.facts.target, 2)
    # Who has looked since, and sends the form again, goes on from there.
    assert (await staff.post(address, data={**second, "metric": "Another", "revision": late.values()["revision"]})).status_code == 303
    assert (await register.pledge(pledge.number)).facts.target == "Another"


async def test_a_withdrawal_is_told_and_nothing_of_the_pledge_changes_any_more(register: Register, staff: httpx.AsyncClient) -> None:
    pledge = await register.publish()
    address = f"/pledges/manage/{pledge.number}"
    page(await staff.post(f"{address}/withdraw", data={"because": ""}), 422)
    assert (await staff.post(f"{address}/withdraw", data={"because": "Made twice."})).status_code == 303
    [told] = await register.told()
    assert (told.type, told.revision, told.data) == ("pledge.withdrawn.v1", 2, {"number": pledge.number, "reason": "Made twice."})
    page(await staff.post(f"{address}/withdraw", data={"because": "Again."}), 409)
    contact = {"name": "New", "mail": "new@example.org", "reason": "Left."}
    page(await staff.post(f"{address}/contact", data=contact), 409)
    assert "Made twice." in page(await staff.get(address)).text
    assert [decision.what for decision in await register.decisions()] == ["withdraw"]


async def test_a_pledge_is_found_by_its_number_however_it_is_typed(register: Register, staff: httpx.AsyncClient) -> None:
    await register.publish()
    answer = await staff.get("/pledges/manage/", params={"number": " p-1 "})
    assert answer.headers["location"] == "/pledges/manage/P-0001"
    for nonsense in ("P-9", "\0", "x" * 1000, "../../etc"):
        page(await staff.get("/pledges/manage/", params={"number": nonsense}))


# ---- rules without a database ----


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Refugees and refugee camps", ("Refugees", "refugee")),
        ("personnes réfugiées et demandeurs d’asile", ("réfugiées", "demandeurs d’asile")),
        ("solicitantes de asilo y refugiados", ("solicitantes de asilo", "refugiados")),
        ("حماية اللاجئين وحق اللجوء", ("اللاجئين", "اللجوء")),
        ("беженцы и убежище", ("беженцы", "убежище")),
        ("难民", ("难民",)),
        ("migrant workers, their families, refuges in the mountains", ()),
    ],
)
def test_words_about_refugees_are_seen_in_six_languages(text: str, words: tuple[str, ...]) -> None:
    assert words_about_refugees([text]) == words


@pytest.mark.parametrize(
    ("typed", "number"), [("P-0042", "P-0042"), ("p42", "P-0042"), (" P 42 ", "P-0042"), ("P-12345", "P-12345"), ("42", "42")]
)
def test_a_number_is_read_however_it_was_typed(typed: str, number: str) -> None:
    assert number_as_written(typed) == number


def test_a_submission_shows_no_more_of_its_contact_than_it_must() -> None:
    assert "contact" not in PledgeSubmission.model_validate(dict(PledgeSubmission.example)).split().public
