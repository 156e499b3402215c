"""The review of suggested dates: taken in once, decided once, by somebody else than who entered it; the same thing twice is joined."""

from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from services.calendar.domain.suggestions import doubles
from shared.events.codes import DateStatus, Role
from shared.events.kinds import KINDS
from shared.ids import new_id
from shared.parking import StoredRecord
from shared.trace import Cause
from tests.calendar.calendar_app import PUBLIC_URL, Calendar, client_of, record_of
from tests.calendar.made import days, new_date, stored
from tests.intake.page import page
from tests.people import somebody

REVIEW = "/calendar/review/"
TEN = 10


def suggestion(
    calendar: Calendar,
    subject: UUID | None = None,
    *,
    revision: int = 1,
    answers: tuple[Any, ...] = (),
    entered_by: str | None = None,
    **changes: Any,
) -> StoredRecord:
    """A suggestion as intake tells of it: the example of the kind, with some of its fields changed."""
    example = {name: value for name, value in {**KINDS["date"].example, **changes}.items() if value is not None}
    contact = example.pop("contact")
    return record_of(
        "submission.received.v1",
        subject=str(subject),
        revision=revision,
        kind="date",
        reference="DT-2026-7F3K",
        language=example["language"],
        channel="staff" if entered_by else "form",
        partner=None,
        entered_by=entered_by,
        public=example,
        internal={"remarks": "Cleared by our ministry."},
        contact=calendar.vault.seal(orjson.dumps({"contact": contact})).decode(),
        files=[],
        answers=list(answers),
    )


async def suggested(calendar: Calendar, **changes: Any) -> UUID:
    """The id of a suggestion that has come in."""
    id_ = new_id()
    await calendar.hear(suggestion(calendar, id_, **changes), times=TEN)
    return id_


async def state_of(calendar: Calendar, id_: UUID) -> str:
    return str((await calendar.rows("SELECT state FROM suggestions WHERE id = :id", id=id_))[0].state)


async def test_a_suggestion_awaits_a_moderator_once(calendar: Calendar) -> None:
    id_ = await suggested(calendar)
    [task] = await calendar.rows("SELECT kind, subject, facts, closed_at FROM tasks")
    assert (task.kind, task.subject, task.facts["role"], task.closed_at) == ("review-date", str(id_), "moderator", None)
    assert task.facts["address"] == f"{PUBLIC_URL}{REVIEW}{id_}"
    assert [row.type for row in await calendar.told("task.opened.v1")] == ["task.opened.v1"]
    await calendar.hear(record_of("submission.received.v1", subject=str(new_id())))  # a pledge
    assert len(await calendar.rows("SELECT id FROM suggestions")) == 1


async def test_accepting_publishes_it_and_tells_its_sender_and_the_trail(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await suggested(calendar)
    found = page(await staff.get(f"{REVIEW}{id_}"))
    assert found.one("a", href=f"/intake/review/{id_}")
    for text in ("Regional meeting on remittances", "Example University", "dana@example.org", "Cleared by our ministry.", "DT-2026-7F3K"):
        assert text in found.text
    answer = await staff.post(f"{REVIEW}{id_}/accept")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{REVIEW}{id_}")
    date = await calendar.one()
    assert (date.submission_id, date.when, date.description.objectives) == (id_, days("2026-06-16", "2026-06-17"), (20,))
    assert page(await staff.get(date.path)).all("h1")
    published, decided = await calendar.told()
    assert (published.type, published.data["title"], published.data["source"]) == ("date.published.v1", dict(date.description.title), None)
    assert (decided.type, decided.subject, decided.revision) == ("submission.decided.v1", str(id_), 1)
    assert (decided.data["verdict"], decided.data["became"], decided.data["address"]) == (
        "accepted",
        str(date.id),
        f"{PUBLIC_URL}{date.path}",
    )
    [made] = await calendar.told("decision.made.v1")
    assert (made.data["what"], made.data["about"], len(made.data["content_hash"])) == ("accept", "date", 64)
    assert [row.closed_at is None for row in await calendar.rows("SELECT closed_at FROM tasks")] == [False]
    assert "dana@example.org" not in str([row.data for row in await calendar.told()])


@pytest.mark.parametrize(("verb", "words", "verdict"), [("decline", "reason", "declined"), ("ask", "question", "question")])
async def test_declining_and_asking_need_words_that_the_sender_reads(
    calendar: Calendar, staff: httpx.AsyncClient, verb: str, words: str, verdict: str
) -> None:
    id_ = await suggested(calendar)
    assert page(await staff.post(f"{REVIEW}{id_}/{verb}", data={words: " "}), 422).all("textarea", **{"aria-invalid": "true"})
    assert await state_of(calendar, id_) == "received"
    answer = await staff.post(f"{REVIEW}{id_}/{verb}", data={words: "À quelle heure ?", "language": "fr"})
    assert answer.status_code == 303
    [decided] = await calendar.told()
    assert (decided.data["verdict"], decided.data["reason"], decided.data["language"]) == (verdict, "À quelle heure ?", "fr")
    assert (await state_of(calendar, id_), await calendar.dates()) == (verdict, [])
    assert "À quelle heure ?" in page(await staff.get(f"{REVIEW}{id_}")).text


async def test_an_answer_brings_it_back_to_the_moderators(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await suggested(calendar)
    await staff.post(f"{REVIEW}{id_}/ask", data={"question": "Where?"})
    answer = {"question": "Where?", "text": "In <Example> City", "answered_at": "2026-11-29T09:00:00Z"}
    await calendar.hear(suggestion(calendar, id_, revision=2, answers=(answer,)), times=TEN)
    await calendar.hear(suggestion(calendar, id_, revision=1), times=TEN)
    assert await state_of(calendar, id_) == "received"
    assert "In <Example> City" in page(await staff.get(f"{REVIEW}{id_}")).text
    assert len(await calendar.rows("SELECT id FROM tasks WHERE closed_at IS NULL")) == 1
    await staff.post(f"{REVIEW}{id_}/accept")
    assert [row.revision for row in await calendar.told("submission.decided.v1")] == [1, 2]


async def test_who_entered_it_cannot_accept_it_and_a_colleague_can(calendar: Calendar) -> None:
    enterer, colleague = somebody(Role.MODERATOR, name="Enterer"), somebody(Role.MODERATOR, name="Colleague")
    id_ = await suggested(calendar, entered_by=enterer.id)
    [task] = await calendar.rows("SELECT facts FROM tasks")
    assert task.facts["not_by"] == enterer.id
    async with client_of(calendar.app, enterer) as own:
        assert "/accept" not in (await own.get(f"{REVIEW}{id_}")).text
        page(await own.post(f"{REVIEW}{id_}/accept"), 409)
        existing = await stored(calendar.database, new_date("Regional meeting on remittances", days("2026-06-16")))
        page(await own.post(f"{REVIEW}{id_}/merge", data={"date": str(existing.id)}), 409)
    assert await state_of(calendar, id_) == "received"
    async with client_of(calendar.app, colleague) as other:
        assert (await other.post(f"{REVIEW}{id_}/accept")).status_code == 303
    assert await state_of(calendar, id_) == "accepted"


async def test_what_is_decided_is_decided(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await suggested(calendar)
    await staff.post(f"{REVIEW}{id_}/decline", data={"reason": "Not ours"})
    for verb in ("accept", "ask", "decline"):
        page(await staff.post(f"{REVIEW}{id_}/{verb}", data={"reason": "x", "question": "x"}), 409)
    assert [row.type for row in await calendar.told()] == ["submission.decided.v1"]
    await calendar.hear(suggestion(calendar, id_, revision=2))
    assert await state_of(calendar, id_) == "declined"


async def test_the_same_thing_twice_is_shown_and_joined(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    async with calendar.database.transaction() as tx:
        there = new_date(
            {"fr": "Réunion régionale", "en": "Remittances: regional meeting"}, days("2026-06-17"), language="en", countries=("PH",)
        )
        existing = await calendar.planning.add(tx, there, cause=Cause.start())
        await calendar.planning.add(tx, new_date("Another thing altogether", days("2026-06-17")), cause=Cause.start())
        await calendar.planning.add(tx, new_date("Regional meeting on remittances", days("2026-07-17")), cause=Cause.start())
    id_ = await suggested(calendar)
    found = page(await staff.get(f"{REVIEW}{id_}"))
    assert [one["value"] for one in found.all("input", name="date")] == [str(existing.id)]
    before = len(await calendar.told())
    assert (await staff.post(f"{REVIEW}{id_}/merge", data={"date": str(existing.id)})).status_code == 303
    joined = await calendar.again(existing)
    assert (joined.when, joined.sequence, joined.slug) == (existing.when, 0, existing.slug)
    words = joined.description
    assert words.title == {"en": "Remittances: regional meeting", "fr": "Réunion régionale"}
    assert (words.countries, words.entity, words.place) == (("PH", "NP"), "Example University", "Example City, Town Hall")
    again, decided = (await calendar.told())[before:]
    assert (again.type, again.subject, again.revision) == ("date.published.v1", str(existing.id), 2)
    assert (decided.data["verdict"], decided.data["became"]) == ("accepted", str(existing.id))
    assert len(await calendar.dates()) == 3
    assert "Remittances: regional meeting" in page(await staff.get(f"{REVIEW}{id_}")).text


async def test_nothing_is_joined_to_what_does_not_stand(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await suggested(calendar)
    gone = await stored(calendar.database, new_date(status=DateStatus.CANCELLED))
    hidden = await stored(calendar.database, new_date(public=False))
    for date in (gone.id, hidden.id, new_id()):
        page(await staff.post(f"{REVIEW}{id_}/merge", data={"date": str(date)}), 409)
    assert (await staff.post(f"{REVIEW}{id_}/merge", data={"date": "x"})).status_code == 404
    assert await state_of(calendar, id_) == "received"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("Regional meeting on remittances", "Regional meeting on remittances", True, id="the same"),
        pytest.param("Regional meeting on remittances", "Remittances: the regional meeting", True, id="in other order"),
        pytest.param("International Migrants Day", "Migrants Day", True, id="shorter"),
        pytest.param("Journée des migrants", "Journee des Migrants", True, id="without accents"),
        pytest.param("International Migrants Day", "Training for consular staff", False, id="another thing"),
        pytest.param("Meeting", "Meeting of ministers on skills in Manila", False, id="one word in common"),
    ],
)
async def test_titles_that_look_alike(calendar: Calendar, one: str, other: str, same: bool) -> None:
    found = await stored(calendar.database, new_date(other))
    assert bool(doubles({"en": one}, [found])) is same


async def test_suggestions_are_listed_by_state_and_are_the_moderators(
    calendar: Calendar, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    id_ = await suggested(calendar)
    assert str(id_) in (await staff.get(REVIEW)).text
    for query in ("?state=declined", "?state=accepted"):
        assert str(id_) not in (await staff.get(REVIEW + query)).text
    assert str(id_) in (await staff.get(f"{REVIEW}?state=all&page=1")).text
    for nonsense in ("?state=%00", "?page=99999", "?page=-1"):
        page(await staff.get(REVIEW + nonsense))
    assert (await reader.get(f"{REVIEW}{id_}")).status_code == 401
    async with client_of(calendar.app, somebody(Role.AUDITOR)) as auditor:
        assert "/accept" not in (await auditor.get(f"{REVIEW}{id_}")).text
        assert (await auditor.post(f"{REVIEW}{id_}/accept")).status_code == 403
    async with client_of(calendar.app, somebody(Role.DRAFTER)) as drafter:
        assert (await drafter.get(REVIEW)).status_code == 403
