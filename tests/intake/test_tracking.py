"""The page on which a sender follows a submission: every state of every kind, answers, what followed, and one mail a decision."""

import re
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest

from services.intake.domain import DECIDED_HERE
from services.intake.handlers import note_date, note_decision, note_issue, note_post, note_withdrawal
from shared import clock, i18n
from shared.events.base import EventData
from shared.events.calendar import DateCancelled, DateMoved, DatePublished
from shared.events.kinds import KINDS
from shared.events.newsletter import IssueSent
from shared.events.pledges import PledgeWithdrawn
from shared.events.social import PostPublished
from shared.i18n import LANGUAGES, look_up
from shared.ids import new_id
from shared.listening import Received
from tests.intake.intake_app import Intake
from tests.intake.page import page
from tests.intake.test_decisions import decided
from tests.intake.test_review import REVIEW, submitted
from tests.sample_events import sample_of

E = TypeVar("E", bound=EventData)
ELSEWHERE = sorted(set(KINDS) - DECIDED_HERE - {"enquiry"})
MAILS = "mails to senders"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


async def track_of(intake: Intake, submission: UUID) -> str:
    [row] = await intake.rows("SELECT token FROM submissions WHERE id = :id", id=submission)
    return f"/intake/track/{row.token}"


async def decide(
    intake: Intake, staff: httpx.AsyncClient, kind: str, submission: UUID, verdict: str, words: str = "Because.", revision: int = 1
) -> None:
    """Decide as the service that reviews the kind does."""
    if kind in DECIDED_HERE or kind == "enquiry":
        paths = {"accepted": "accept", "declined": "decline", "question": "ask"}
        page_of, verb = REVIEW, paths[verdict]
        if kind == "enquiry":
            page_of, verb = "/intake/enquiries/", {"accepted": "answer", "declined": "close"}[verdict]
        answer = await staff.post(f"{page_of}{submission}/{verb}", data={"reason": words, "question": words, "answer": words})
        assert answer.status_code == 303, answer.text
        return
    reason = None if verdict == "accepted" else words
    address = "https://tidings.example.org/there" if verdict == "accepted" else None
    async with intake.database.transaction() as tx:
        told = decided(
            submission, revision=revision, verdict=verdict, language="en", reason=reason, address=address, became=f"became-{kind}"
        )
        await note_decision(tx, told)


def said_of(event_type: type[E], **changes: Any) -> E:
    """An event as its sample says, with some of it changed."""
    return event_type.model_validate(sample_of(event_type.type) | changes)


def heard(data: E, subject: str, *, revision: int = 1) -> Received[E]:
    return Received(
        id=new_id(),
        type=data.type,
        subject=subject,
        time=clock.now(),
        cause="x",
        trace_id="0" * 32,
        revision=revision,
        historic=False,
        data=data,
    )


@EVERY_KIND
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_received_is_shown_as_received(intake: Intake, reader: httpx.AsyncClient, kind: str, language: str) -> None:
    submission = await submitted(intake, kind)
    found = page(await reader.get(f"{await track_of(intake, submission)}?lang={language}"))
    assert look_up(language, "track.state.received")[0] in found.text
    assert look_up(language, f"kind.{kind}")[0] in found.text


@EVERY_KIND
async def test_what_is_accepted_is_shown_with_where_it_stands(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    await decide(intake, staff, kind, submission, "accepted")
    found = page(await reader.get(await track_of(intake, submission)))
    if kind == "enquiry":
        assert look_up("en", "track.enquiry.answered")[0] in found.text
        assert "Because." in found.text
        return
    assert look_up("en", "track.state.accepted")[0] in found.text
    [row] = await intake.rows("SELECT address FROM submissions")
    shown = [one["href"] for one in found.all("a", **{"class": "button"})]
    assert shown == ([row.address] if row.address else [])
    assert bool(row.address) is (kind not in {"contribution", "promotion"})


@EVERY_KIND
async def test_what_is_declined_is_shown_with_the_reason(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    await decide(intake, staff, kind, submission, "declined", "It is not about migration.")
    found = page(await reader.get(await track_of(intake, submission)))
    assert look_up("en", "submission.state.declined")[0] in found.text
    assert "It is not about migration." in found.text


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"enquiry"}))
async def test_a_question_is_answered_on_the_page_and_told_again_and_nothing_of_it_is_lost(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    submission = await submitted(intake, kind)
    await decide(intake, staff, kind, submission, "question", "Who measures it?")
    track = await track_of(intake, submission)
    asked = page(await reader.get(track))
    assert "Who measures it?" in asked.text
    assert asked.all("form", action=f"{track}/answer")
    empty = page(await reader.post(f"{track}/answer", data={"answer": "  "}), 422)
    assert empty.all("a", href="#answer")
    answered = await reader.post(f"{track}/answer", data={"answer": "The inspectorate,\r\nonce a year."})
    assert (answered.status_code, answered.headers["location"]) == (303, track)
    again = await reader.post(f"{track}/answer", data={"answer": "The inspectorate,\r\nonce a year."})
    assert again.status_code == 303
    shown = page(await reader.get(track))
    assert look_up("en", "track.state.received")[0] in shown.text
    assert "Who measures it?" in shown.text
    assert all(words in shown.text for words in ("The inspectorate,", "once a year."))
    told = [row for row in await intake.told() if row.type == "submission.received.v1"]
    assert [row.revision for row in told] == [1, 2]
    [answer] = told[1].data["answers"]
    assert (answer["question"], answer["text"]) == ("Who measures it?", "The inspectorate,\nonce a year.")
    assert (told[1].subject, told[1].data["public"]) == (str(submission), told[0].data["public"])
    if kind in DECIDED_HERE:
        tasks = await intake.rows("SELECT kind FROM tasks WHERE closed_at IS NULL AND subject = :id", id=str(submission))
        assert [row.kind for row in tasks] == [f"review-{kind}"]
        assert "The inspectorate," in page(await staff.get(f"{REVIEW}{submission}")).text


async def test_an_answer_that_comes_too_late_is_shown_to_who_wrote_it(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission = await submitted(intake)
    await decide(intake, staff, "practice", submission, "question", "Who?")
    await decide(intake, staff, "practice", submission, "declined", "No answer came.")
    found = page(await reader.post(f"{await track_of(intake, submission)}/answer", data={"answer": "We did."}), 409)
    assert look_up("en", "track.answer.too-late")[0] in found.text
    assert "We did." in found.text
    assert [row.type for row in await intake.told()] == ["submission.received.v1"]


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_a_question_told_again_does_not_undo_its_answer(intake: Intake, reader: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    told = decided(submission, verdict="question", language="en", reason="Who?")
    async with intake.database.transaction() as tx:
        await note_decision(tx, told)
    track = await track_of(intake, submission)
    await reader.post(f"{track}/answer", data={"answer": "We."})
    async with intake.database.transaction() as tx:
        await note_decision(tx, told)
    assert look_up("en", "track.state.received")[0] in page(await reader.get(track)).text
    async with intake.database.transaction() as tx:
        await note_decision(tx, decided(submission, revision=2, verdict="question", language="en", reason="Since when?"))
    await reader.post(f"{track}/answer", data={"answer": "Since May."})
    last = (await intake.told())[-1]
    assert [one["text"] for one in last.data["answers"]] == ["We.", "Since May."]
    assert last.revision == 3


@pytest.mark.parametrize("verdict", ["accepted", "declined", "question"])
@EVERY_KIND
async def test_a_sender_is_mailed_once_for_each_decision(intake: Intake, staff: httpx.AsyncClient, kind: str, verdict: str) -> None:
    if (kind, verdict) == ("enquiry", "question"):
        return
    submission = await submitted(intake, kind)
    for _ in range(2):
        if kind in ELSEWHERE or not await intake.rows("SELECT 1 FROM notices"):
            await decide(intake, staff, kind, submission, verdict, "These are the words.")
        await intake.run(MAILS)
    [mail] = await intake.mails()
    example = KINDS[kind].example
    assert mail["to"]["address"] == example["contact"]["mail"]
    title = example["title"]["en"] if "title" in example else example["subject"]
    text = mail["content"]["text"]
    assert title in text
    assert ("These are the words." in text) is (verdict != "accepted" or kind == "enquiry")
    assert await track_of(intake, submission) in text
    [row] = await intake.rows("SELECT reference FROM submissions")
    assert row.reference in mail["content"]["subject"]


async def test_the_mail_is_in_the_language_of_the_submission(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission = await submitted(intake, language="fr")
    await decide(intake, staff, "practice", submission, "declined", "Non.")
    await intake.run(MAILS)
    [mail] = await intake.mails()
    assert mail["content"]["language"] == "fr"
    assert look_up("fr", "notice.declined.what")[0] in mail["content"]["text"]


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_a_decision_of_the_past_is_shown_and_mails_nobody(intake: Intake, reader: httpx.AsyncClient, kind: str) -> None:
    submission = await submitted(intake, kind)
    told = decided(submission, verdict="declined", language="en", reason="Long ago.")
    async with intake.database.transaction() as tx:
        await note_decision(tx, Received(**{name: getattr(told, name) for name in told.__slots__} | {"historic": True}))
    await intake.run(MAILS)
    assert await intake.mails() == []
    assert "Long ago." in page(await reader.get(await track_of(intake, submission))).text


async def test_what_followed_elsewhere_is_shown_by_the_id_of_what_it_became(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    talk = await submitted(intake, "talk")
    await decide(intake, staff, "talk", talk, "accepted")
    [row] = await intake.rows("SELECT id FROM talks")
    source = {"kind": "talk", "id": str(row.id)}
    issue = said_of(IssueSent, sources=[source], number="2026-06")
    post, date = said_of(PostPublished, source=source), said_of(DatePublished, source=source)
    for _ in range(2):
        async with intake.database.transaction() as tx:
            await note_issue(tx, heard(issue, "issue-1"))
            await note_post(tx, heard(post, "post-1"))
            await note_date(tx, heard(date, "date-1"))
    found = page(await reader.get(await track_of(intake, talk)))
    assert look_up("en", "track.followed.issue")[0].format(number="2026-06") in found.text
    assert all(found.all("a", href=place.address) for place in post.places)
    assert look_up("en", "track.followed.date")[0] in found.text
    assert len(re.findall(re.escape(date.address), " ".join(one.get("href", "") for one in found.all("a")))) == 1
    gone = said_of(DateCancelled, source=source)
    async with intake.database.transaction() as tx:
        await note_date(tx, heard(gone, "date-1", revision=2))
        await note_date(tx, heard(date, "date-1"))
    assert look_up("en", "track.followed.cancelled")[0] in page(await reader.get(await track_of(intake, talk))).text


async def test_what_followed_from_a_pledge_is_shown_by_the_id_that_its_service_told(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    pledge = await submitted(intake, "pledge")
    issue = said_of(IssueSent, sources=[{"kind": "pledge", "id": "became-pledge"}])
    async with intake.database.transaction() as tx:
        await note_issue(tx, heard(issue, "issue-1"))
    await decide(intake, staff, "pledge", pledge, "accepted")
    assert look_up("en", "track.followed")[0] in page(await reader.get(await track_of(intake, pledge))).text


@pytest.mark.parametrize("kind", ["embargo", "blackout"])
async def test_what_the_calendar_forbids_is_nothing_that_a_sender_sees(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, kind: str
) -> None:
    talk = await submitted(intake, "talk")
    await decide(intake, staff, "talk", talk, "accepted")
    [row] = await intake.rows("SELECT id FROM talks")
    source = {"kind": "talk", "id": str(row.id)}
    secret = said_of(DatePublished, source=source, kind=kind, address="https://tidings.example.org/calendar/not-for-you")
    async with intake.database.transaction() as tx:
        await note_date(tx, heard(secret, "date-1"))
        await note_date(tx, heard(said_of(DatePublished, source=source), "date-2"))
        await note_date(tx, heard(said_of(DateMoved, source=source, kind=kind, address=secret.address), "date-2", revision=2))
    found = await reader.get(await track_of(intake, talk))
    assert "not-for-you" not in found.text
    assert look_up("en", "track.followed.date")[0] not in page(found).text


# ---- pledges that are withdrawn ----


def letters_of(text: str) -> str:
    """A text without spaces and the marks that keep writing directions apart."""
    return re.sub("[\\s\u2066-\u2069]", "", text)


def withdrawn(subject: str = "became-pledge", revision: int = 2) -> Received[PledgeWithdrawn]:
    return heard(PledgeWithdrawn(number="P-0042", reason="Made twice."), subject, revision=revision)


@pytest.mark.parametrize("order", ["accepted first", "withdrawn first"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_pledge_that_is_withdrawn_is_shown_as_published_and_withdrawn_with_its_page_and_the_reason(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, language: str, order: str
) -> None:
    pledge = await submitted(intake, "pledge")
    if order == "accepted first":
        await decide(intake, staff, "pledge", pledge, "accepted")
    for _ in range(10):
        async with intake.database.transaction() as tx:
            await note_withdrawal(tx, withdrawn())
    if order == "withdrawn first":
        await decide(intake, staff, "pledge", pledge, "accepted")
    found = page(await reader.get(f"{await track_of(intake, pledge)}?lang={language}"))
    assert look_up(language, "track.state.withdrawn")[0] in found.text
    assert look_up(language, "submission.state.withdrawn")[0] in found.text
    assert look_up(language, "track.state.accepted")[0] not in found.text
    [row] = await intake.rows("SELECT decided_at, at FROM submissions JOIN followed ON followed.kind = 'withdrawal'")
    accepted, ended = (i18n.moment(at, language, "Europe/Zurich") for at in row)
    when = look_up(language, "track.withdrawn.when")[0].format(accepted=accepted, withdrawn=ended)
    assert letters_of(when) in letters_of(found.text)
    assert "Made twice." in found.text
    [link] = [one for one in found.all("a") if one.get("href") == "https://tidings.example.org/there"]
    assert link.get("class") is None, "nothing says any more that it is published"
    assert look_up(language, "track.withdrawn.page")[0] in found.text
    shown = page(await staff.get(f"{REVIEW}{pledge}?lang=en"))
    assert "Made twice." in shown.text
    assert look_up("en", "track.withdrawn.page")[0] in shown.text


async def test_a_pledge_that_is_withdrawn_touches_no_other_and_mails_nobody(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    pledge = await submitted(intake, "pledge")
    await decide(intake, staff, "pledge", pledge, "accepted")
    assert await intake.run(MAILS) == 1
    async with intake.database.transaction() as tx:
        await note_withdrawal(tx, withdrawn("another-pledge"))
    assert look_up("en", "track.state.accepted")[0] in page(await reader.get(await track_of(intake, pledge))).text
    async with intake.database.transaction() as tx:
        await note_withdrawal(tx, withdrawn())
    assert look_up("en", "track.state.withdrawn")[0] in page(await reader.get(await track_of(intake, pledge))).text
    assert await intake.run(MAILS) == 0
