"""GCM Talks: announced, found, moved, cancelled, held; and what is told of each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared import clock
from shared.events.intake import TalkAccepted, TalkCancelled, TalkHeld, TalkMoved
from shared.i18n import look_up
from tests.intake.intake_app import PUBLIC_URL, Intake
from tests.intake.page import Page, page
from tests.intake.test_review import REVIEW, submitted

TODAY = clock.now().date()


def days_from_now(days: int, length: int = 1) -> dict[str, str]:
    """Whole days so many days from today."""
    first = TODAY + timedelta(days=days)
    return {"precision": "day", "first": first.isoformat(), "last": (first + timedelta(days=length - 1)).isoformat()}


COMING = {
    "precision": "time",
    "starts": "2099-06-16T09:00:00+01:00",
    "ends": "2099-06-16T12:00:00+01:00",
    "zone": "Africa/Casablanca",
}


async def announced(intake: Intake, staff: httpx.AsyncClient, number: int = 1, **changes: Any) -> tuple[UUID, str]:
    """The submission and the path of a Talk that was asked for and accepted."""
    submission: UUID = await submitted(intake, "talk", f"msg_{number}", **{"when": COMING, **changes})
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    [found] = await intake.rows("SELECT slug FROM talks WHERE submission_id = :id", id=submission)
    return submission, f"/talks/{found.slug}"


def linked(found: Page) -> list[str]:
    """The Talks that a list leads to, in its order."""
    return [
        one["href"]
        for one in found.all("a")
        if one.get("href", "").startswith("/talks/") and "?" not in one["href"] and len(one["href"]) > 7
    ]


async def test_the_page_says_who_when_where_and_how(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    _, path = await announced(intake, staff, registration="https://example.org/register")
    assert path == "/talks/fair-recruitment-across-one-border"
    found = page(await reader.get(path))
    for said in ("16 June 2099", "Casablanca", "Example State A", "Example Employers’ Federation", "Rabat, Example Hall", "Arabic"):
        assert said in found.text, said
    assert found.one("a", href="https://example.org/register")
    assert "concept-note" not in found.text, "it is for the reviewers until somebody shows it"
    assert found.one("link", rel="canonical")["href"] == f"{PUBLIC_URL}{path}?lang=en"
    assert {one["hreflang"] for one in found.all("link", rel="alternate")} >= {"en", "fr", "es", "ar", "x-default"}
    [event] = found.data
    assert (event["@type"], event["startDate"]) == ("Event", "2099-06-16T09:00:00+01:00")
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert [one["name"] for one in event["organizer"]] == ["Example State A", "Example Employers’ Federation"]
    assert event["inLanguage"] == ["en", "fr", "ar"]


async def test_talks_to_come_stand_apart_from_those_that_were(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    _, later = await announced(intake, staff, 1, title={"en": "Later"}, summary={"en": "x"}, when=days_from_now(40))
    _, next_one = await announced(intake, staff, 2, title={"en": "Next"}, summary={"en": "x"}, when=days_from_now(0))
    _, last = await announced(intake, staff, 3, title={"en": "Last"}, summary={"en": "x"}, when=days_from_now(-1))
    _, before = await announced(intake, staff, 4, title={"en": "Before"}, summary={"en": "x"}, when=days_from_now(-90, 3))
    assert linked(page(await reader.get("/talks/"))) == [next_one, later]
    assert linked(page(await reader.get("/talks/?when=past"))) == [last, before]


async def test_a_talk_of_yesterday_is_over_by_the_clock_of_the_desk(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = await announced(intake, staff, when={"precision": "day", "first": "2099-06-15", "last": "2099-06-15"})
    for hour, is_over in ((21, False), (23, True)):
        # Half past eleven in the evening by UTC is half past one of the next day in Zurich.
        monkeypatch.setattr(clock, "now", lambda hour=hour: datetime(2099, 6, 15, hour, 30, tzinfo=UTC))
        assert linked(page(await reader.get("/talks/?when=past"))) == ([path] if is_over else [])


async def test_talks_are_filtered_and_nonsense_is_passed_over(intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    _, one = await announced(intake, staff, 1, title={"en": "One"}, summary={"en": "x"}, objectives=[6], format="online", place=None)
    _, two = await announced(
        intake,
        staff,
        2,
        title={"en": "Two"},
        summary={"en": "x"},
        objectives=[6, 9],
        level="national",
        countries=["NP"],
        regions=["asia-pacific"],
    )

    async def found(query: str) -> set[str]:
        return set(linked(page(await reader.get(f"/talks/?{query}"))))

    assert await found("objective=6") == {one, two}
    assert await found("objective=9") == {two}
    assert await found("level=national") == {two}
    assert await found("region=africa") == {one}
    assert await found("country=NP") == {two}
    assert await found("format=online") == {one}
    assert await found("format=online&level=national") == set()
    for nonsense in ("objective=99", "objective=x", "country=%00", "level=%00", "region=mars", "format=x", "page=-3", "when=x"):
        assert await found(nonsense) == {one, two}, nonsense


async def test_a_talk_that_is_moved_says_so_everywhere_and_keeps_its_address(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission, path = await announced(intake, staff)
    form = page(await staff.get(f"{REVIEW}{submission}/move")).values()
    assert (form["first"], form["hour"], form["until"], form["zone"]) == ("2099-06-16", "09:00", "12:00", "Africa/Casablanca")
    wrong = await staff.post(f"{REVIEW}{submission}/move", data={"first": "2099-07-01", "hour": "14:00", "zone": "Nowhere"})
    assert look_up("en", "fault.unknown-zone")[0] in page(wrong, 422).text
    page(await staff.post(f"{REVIEW}{submission}/move", data={"first": "", "hour": ""}), 422)
    long_ago = {"first": "0001-01-01", "hour": "00:00", "zone": "Asia/Tokyo"}
    page(await staff.post(f"{REVIEW}{submission}/move", data=long_ago), 422)
    data = {"first": "2099-07-01", "hour": "14:00", "until": "16:00", "zone": "Europe/Zurich"}
    assert (await staff.post(f"{REVIEW}{submission}/move", data=data)).status_code == 303
    page(await staff.post(f"{REVIEW}{submission}/move", data=data), 409)
    _, accepted, moved = await intake.told()
    told = TalkMoved.model_validate(moved.data)
    assert (moved.type, moved.subject, moved.revision) == ("talk.moved.v1", accepted.subject, 2)
    assert told.was == TalkAccepted.model_validate(accepted.data).when
    assert moved.data["when"]["starts"] == "2099-07-01T12:00:00Z"
    found = page(await reader.get(path))
    assert "16 June 2099" in found.text
    assert "1 July 2099" in found.text
    [event] = found.data
    assert event["eventStatus"] == "https://schema.org/EventRescheduled"
    assert event["previousStartDate"] == ["2099-06-16T09:00:00+01:00"]
    assert look_up("en", "talk.moved")[0] in page(await reader.get("/talks/")).text
    assert [one.what for one in await intake.decisions()] == ["accept", "move"]


async def test_a_talk_that_is_cancelled_stays_visible_with_its_reason(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission, path = await announced(intake, staff)
    page(await staff.get(f"{REVIEW}{submission}/cancel"))
    page(await staff.post(f"{REVIEW}{submission}/cancel", data={"because": ""}), 422)
    data = {"because": "La salle n’est pas libre.", "language": "fr"}
    assert (await staff.post(f"{REVIEW}{submission}/cancel", data=data)).status_code == 303
    cancelled = (await intake.told())[-1]
    assert (cancelled.type, cancelled.revision) == ("talk.cancelled.v1", 2)
    assert dict(TalkCancelled.model_validate(cancelled.data).reason or {}) == {"fr": "La salle n’est pas libre."}
    answer = await reader.get(path)
    assert "La salle n’est pas libre." in page(answer).text
    assert page(answer).data[0]["eventStatus"] == "https://schema.org/EventCancelled"
    assert path in linked(page(await reader.get("/talks/")))
    for verb, words in (("cancel", data), ("move", {"first": "2099-08-01"}), ("outcome", {"summary.en": "Nothing."})):
        refused = await staff.post(f"{REVIEW}{submission}/{verb}", data=words)
        assert look_up("en", "staff.talk.refused.cancelled")[0] in page(refused, 409).text
    assert len(await intake.told()) == 3


async def test_what_came_of_a_talk_stands_on_its_page_with_what_was_born_there(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    practice = await submitted(intake, "practice", "msg_0")
    await staff.post(f"{REVIEW}{practice}/accept")
    [kept] = await intake.rows("SELECT id, slug FROM practices")
    pledge = await submitted(intake, "pledge", "msg_00")
    pledge_id = "0197a2b7-0a4f-7c11-8e2d-3b4c5d6e7f80"
    address = f"{PUBLIC_URL}/pledges/P-0042"
    await intake.rows(
        "UPDATE submissions SET became = :became, address = :at WHERE id = :id RETURNING id", became=pledge_id, at=address, id=pledge
    )
    submission, path = await announced(intake, staff, when=days_from_now(-2))
    page(await staff.get(f"{REVIEW}{submission}/outcome"))
    data = {
        "summary.en": "Three federations agreed.",
        "summary.fr": "Trois fédérations s’entendent.",
        "pledges": "P-0042\n",
        "practices": f"{PUBLIC_URL}/practices/{kept.slug}?lang=en",
        "links": "https://example.org/recording Recording of the day",
    }
    for wrong in ({"pledges": "P-9999"}, {"practices": "nothing"}, {"links": "nowhere"}, {"summary.en": "", "summary.fr": ""}):
        page(await staff.post(f"{REVIEW}{submission}/outcome", data=data | wrong), 422)
    assert (await staff.post(f"{REVIEW}{submission}/outcome", data=data)).status_code == 303
    held = (await intake.told())[-1]
    outcome = TalkHeld.model_validate(held.data).outcome
    assert (held.type, held.revision) == ("talk.held.v1", 2)
    assert (outcome.pledges, outcome.practices) == ((pledge_id,), (str(kept.id),))
    assert outcome.links[0].label == "Recording of the day"
    found = page(await reader.get(path))
    assert "Three federations agreed." in found.text
    assert found.one("a", href="/pledges/P-0042")
    assert found.one("a", href=f"/practices/{kept.slug}")
    assert found.one("a", href="https://example.org/recording")
    again = page(await staff.get(f"{REVIEW}{submission}/outcome"))
    assert "P-0042" in again.text
    assert (await staff.post(f"{REVIEW}{submission}/outcome", data=data | {"summary.en": "Four agreed."})).status_code == 303
    assert ((await intake.told())[-1].type, (await intake.told())[-1].revision) == ("talk.held.v1", 3)
    await staff.post(f"{REVIEW}{practice}/withdraw", data={"because": "Its sender asked for it."})
    assert page(await reader.get(path)).all("a", href=f"/practices/{kept.slug}") == [], "what is withdrawn is named no more"
    page(await staff.post(f"{REVIEW}{submission}/outcome", data=data), 422)


async def test_a_talk_that_has_not_begun_was_not_held(intake: Intake, staff: httpx.AsyncClient) -> None:
    submission, _ = await announced(intake, staff)
    refused = await staff.post(f"{REVIEW}{submission}/outcome", data={"summary.en": "Too early."})
    assert look_up("en", "staff.talk.refused.not-yet")[0] in page(refused, 409).text
    assert len(await intake.told()) == 2


async def test_the_concept_note_is_shown_once_a_colleague_says_so(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    submission, path = await announced(intake, staff)
    note = "https://example.org/concept-note.pdf"
    for shown, expected in (("yes", 1), ("", 0)):
        assert (await staff.post(f"{REVIEW}{submission}/note", data={"shown": shown})).status_code == 303
        assert len(page(await reader.get(path)).all("a", href=note)) == expected
    assert len(await intake.told()) == 2, "the events do not carry it"


@pytest.mark.parametrize("slug", ["nothing", "%00", "%ff", "a" * 5000, "%3Cscript%3E"])
async def test_an_unknown_talk_is_not_found(reader: httpx.AsyncClient, slug: str) -> None:
    page(await reader.get(f"/talks/{slug}"), 404)


async def test_markup_in_every_field_of_a_talk_is_shown_as_text(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    nasty = "</script><script>alert(1)</script>"
    texts: dict[str, Any] = {"title": {"en": nasty}, "summary": {"en": nasty}, "entity": nasty, "place": nasty, "partners": [nasty]}
    submission, path = await announced(intake, staff, when=days_from_now(-1), **texts)
    await staff.post(f"{REVIEW}{submission}/outcome", data={"summary.en": nasty, "links": f"https://example.org/ {nasty}"})
    for answer in (await reader.get(path), await reader.get("/talks/?when=past"), await staff.get(f"{REVIEW}{submission}")):
        assert "alert(1)" in page(answer).text
