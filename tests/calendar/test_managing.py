"""The team's pages: dates entered, corrected, moved, cancelled and done by hand, with the reason where others have copies."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.calendar.domain.dates import StoredDate
from services.calendar.store import dates
from services.calendar.web.when_form import filled, read
from shared.events.codes import DateKind, Role
from shared.events.times import TimeWithZone, When
from shared.trace import Cause
from tests.calendar.calendar_app import Calendar, client_of
from tests.calendar.made import days, new_date, rough, stored
from tests.intake.page import page
from tests.people import ALEX, somebody

MANAGE = "/calendar/manage/"
FORM = {
    "kind": "meeting",
    "language": "en",
    "title.en": "Steering Committee, 12th meeting",
    "title.ar": "اجتماع اللجنة",
    "summary.en": "What is funded next.",
    "precision": "day",
    "first-1": "2097-06-16",
    "last-1": "2097-06-17",
    "place": "New York",
    "entity": "Example Fund",
    "lead": "IOM; OHCHR",
    "participants": "ILO",
    "countries": "np, PH",
    "regions": ["asia-pacific"],
    "objectives": ["20", "5"],
    "principles": ["human-rights"],
    "theme": "3",
    "priority": "core-1",
    "links.0.address": "https://example.org/papers",
    "links.0.label": "Papers",
    "public": "yes",
}
BECAUSE = {"because.en": "The room", "because.fr": "La salle"}


async def entered(staff: httpx.AsyncClient, **changes: Any) -> UUID:
    """The id of a date that was entered."""
    answer = await staff.post(f"{MANAGE}new", data={name: value for name, value in {**FORM, **changes}.items() if value is not None})
    assert answer.status_code == 303, page(answer, 422).text
    return UUID(answer.headers["location"].removeprefix(MANAGE))


async def wrong(staff: httpx.AsyncClient, **changes: Any) -> list[str]:
    """The fields that are marked as wrong."""
    answer = await staff.post(f"{MANAGE}new", data={name: value for name, value in {**FORM, **changes}.items() if value is not None})
    found = page(answer, 422)
    return [one["href"][1:] for one in found.all("a") if one.get("href", "").startswith("#") and one["href"] != "#main"]


async def test_a_date_is_entered_with_all_that_is_known(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    page(await staff.get(f"{MANAGE}new"))
    id_ = await entered(staff)
    found = await calendar.one()
    words = found.description
    assert (found.id, found.kind, found.when) == (id_, DateKind.MEETING, days("2097-06-16", "2097-06-17"))
    assert words.title == {"en": "Steering Committee, 12th meeting", "ar": "اجتماع اللجنة"}
    assert (words.summary, words.place, words.entity) == ({"en": "What is funded next."}, "New York", "Example Fund")
    assert (words.lead, words.participants, words.countries, words.objectives) == (("IOM", "OHCHR"), ("ILO",), ("NP", "PH"), (5, 20))
    assert (words.regions, words.principles, words.theme, words.priority) == (("asia-pacific",), ("human-rights",), "3", "core-1")
    assert words.links == ({"address": "https://example.org/papers", "label": "Papers"},)
    [told] = await calendar.told()
    assert (told.type, told.data["title"]) == ("date.published.v1", dict(words.title))
    [made] = await calendar.told("decision.made.v1")
    assert (made.data["what"], made.data["about"], made.data["who"]) == ("add", "date", ALEX.id)
    shown = page(await staff.get(f"{MANAGE}{id_}"))
    assert found.uid in shown.text
    assert page(await staff.get(found.path)).text


WHENS = [
    pytest.param(
        {"precision": "time", "first-1": "2097-06-16", "last-1": "", "starts": "09:00", "ends": "11:30", "zone": "Asia/Kathmandu"},
        TimeWithZone(
            precision="time",
            starts=datetime(2097, 6, 16, 3, 15, tzinfo=UTC),
            ends=datetime(2097, 6, 16, 5, 45, tzinfo=UTC),
            zone="Asia/Kathmandu",
        ),
        id="an hour in Kathmandu",
    ),
    pytest.param({"precision": "day", "first-1": "2097-06-16", "last-1": ""}, days("2097-06-16"), id="one day"),
    pytest.param({"precision": "month", "first-1": "2097-06-16", "last-1": ""}, rough("month", ("2097-06-01", "2097-06-30")), id="a month"),
    pytest.param(
        {"precision": "quarter", "first-1": "2097-02-03", "last-1": "2097-05-01", "first-2": "2098-12-31"},
        rough("quarter", ("2097-01-01", "2097-06-30"), ("2098-10-01", "2098-12-31")),
        id="quarters that lie apart",
    ),
    pytest.param(
        {"precision": "half", "first-1": "2097-09-01", "last-1": ""}, rough("half", ("2097-07-01", "2097-12-31")), id="half a year"
    ),
    pytest.param(
        {"precision": "year", "first-1": "2097-09-01", "last-1": "2098-01-01"}, rough("year", ("2097-01-01", "2098-12-31")), id="years"
    ),
    pytest.param({"precision": "ongoing", "first-1": "2097-09-01", "last-1": ""}, rough("ongoing", ("2097-09-01", None)), id="without end"),
]


@pytest.mark.parametrize(("fields", "when"), WHENS)
async def test_every_way_of_knowing_when(calendar: Calendar, staff: httpx.AsyncClient, fields: dict[str, str], when: When) -> None:
    await entered(staff, **fields)
    assert (await calendar.one()).when == when


@pytest.mark.parametrize(("fields", "when"), WHENS)
def test_the_form_holds_what_is_known(fields: dict[str, str], when: When) -> None:
    del fields
    assert read(filled(when, zone="Europe/Zurich")) == (when, ())


@pytest.mark.parametrize("kind", ["steering-committee", "blackout", "deadline", "activity", "other"])
async def test_every_kind_may_be_entered(calendar: Calendar, staff: httpx.AsyncClient, kind: str) -> None:
    await entered(staff, kind=kind)
    found = (await calendar.dates())[0]
    assert (found.kind, found.shown) == (kind, kind != "blackout")
    types = [(row.type, row.data["kind"]) for row in await calendar.told()]
    assert types == [("date.published.v1", kind), *([("date.published.v1", "deadline")] if kind == "steering-committee" else [])]
    if kind == "blackout":
        assert (await staff.get(f"/calendar/{found.slug}")).status_code == 404


async def test_an_embargo_names_what_it_is_on(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    assert (await staff.post(f"{MANAGE}new", data={**FORM, "kind": "embargo"})).status_code == 422
    await entered(staff, kind="embargo", source_kind="news", source_id="0197a0c4")
    [told] = await calendar.told()
    assert (told.data["kind"], told.data["source"]) == ("embargo", {"kind": "news", "id": "0197a0c4"})


async def test_a_second_embargo_on_the_same_thing_stands_beside_the_first(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    for first_day in ("2097-06-16", "2097-08-01"):
        await entered(staff, kind="embargo", source_kind="news", source_id="0197a0c4", **{"first-1": first_day, "last-1": ""})
    assert [one.when.first_day.isoformat() for one in await calendar.dates()] == ["2097-06-16", "2097-08-01"]
    assert len({row.subject for row in await calendar.told()}) == 2


async def test_correcting_a_date_with_many_links_keeps_them_all(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    links = tuple({"address": f"https://example.org/{number}", "label": f"Paper {number}"} for number in range(10))
    one = await stored(calendar.database, new_date(links=links))
    form = page(await staff.get(f"{MANAGE}{one.id}/words")).values()
    chosen = {name: value for name, value in form.items() if name.startswith("links.")}
    data = {"language": "en", "title.en": "Another title", **chosen}
    assert (await staff.post(f"{MANAGE}{one.id}/words", data=data)).status_code == 303
    words = (await calendar.one()).description
    assert (words.title["en"], words.links) == ("Another title", links)


async def test_of_two_who_correct_at_once_the_second_undoes_nothing_unseen(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    address = f"{MANAGE}{await entered(staff)}/words"
    seen = page(await staff.get(address)).values()["seen"]
    assert (await staff.post(address, data={**FORM, "place": "Geneva", "seen": seen})).status_code == 303
    late = page(await staff.post(address, data={**FORM, "entity": "Another Fund", "seen": seen}), 409)
    assert "look at it again" in late.text
    assert late.values()["entity"] == "Another Fund"
    words = (await calendar.one()).description
    assert (words.place, words.entity) == ("Geneva", "Example Fund")
    again = {**FORM, "place": "Geneva", "entity": "Another Fund", "seen": late.values()["seen"]}
    assert (await staff.post(address, data=again)).status_code == 303
    assert (await calendar.one()).description.entity == "Another Fund"


async def test_what_the_team_keeps_to_itself_is_told_to_nobody_until_it_is_public(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await entered(staff, public=None)
    found = await calendar.one()
    assert await calendar.told() == []
    assert (await staff.get(f"/calendar/{found.slug}")).status_code == 404
    await staff.post(f"{MANAGE}{id_}/words", data=FORM)
    assert [row.type for row in await calendar.told()] == ["date.published.v1"]
    await staff.post(f"{MANAGE}{id_}/words", data={**FORM, "public": ""})
    assert (await calendar.one()).shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"title.en": "", "title.ar": ""}, "title", id="no title"),
        pytest.param({"language": "fr"}, "title", id="no title in its language"),
        pytest.param({"kind": "talk"}, "kind", id="what follows from a Talk"),
        pytest.param({"precision": "week"}, "precision", id="no precision"),
        pytest.param({"first-1": ""}, "first-1", id="no first day"),
        pytest.param({"first-1": "2097-02-30"}, "first-1", id="no day"),
        pytest.param({"first-1": "9999-02-01"}, "first-1", id="a year beyond"),
        pytest.param({"last-1": "2097-06-01"}, "last-1", id="ends before it begins"),
        pytest.param({"precision": "time", "zone": "Mars/Base"}, "zone", id="no zone"),
        pytest.param({"precision": "time", "starts": "25:00", "zone": "UTC"}, "starts", id="no hour"),
        pytest.param({"precision": "month", "first-2": "2097-06-02"}, "first-1", id="periods that overlap"),
        pytest.param({"countries": "QM"}, "countries", id="no country"),
        pytest.param({"objectives": ["24"]}, "objectives", id="objective 24"),
        pytest.param({"theme": "9"}, "theme", id="no theme"),
        pytest.param({"links.0.address": "javascript:alert(1)"}, "links", id="no web address"),
        pytest.param({"kind": "steering-committee", "precision": "ongoing"}, "precision", id="a committee without end"),
    ],
)
async def test_what_cannot_be_taken_is_said_at_its_field(
    calendar: Calendar, staff: httpx.AsyncClient, changes: dict[str, str], field: str
) -> None:
    assert field in await wrong(staff, **changes)
    assert await calendar.dates() == []


async def test_words_are_corrected_and_address_uid_and_sequence_stay(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    id_ = await entered(staff)
    before = await calendar.one()
    held = page(await staff.get(f"{MANAGE}{id_}/words")).values()
    assert held["title.en"] == "Steering Committee, 12th meeting"
    assert held["lead"] == "IOM; OHCHR"
    await staff.post(f"{MANAGE}{id_}/words", data={**FORM, "title.en": "Committee"})
    after = await calendar.one()
    assert (after.description.title["en"], after.slug, after.uid, after.sequence) == ("Committee", before.slug, before.uid, 0)
    assert [(row.type, row.revision) for row in await calendar.told()] == [("date.published.v1", 1), ("date.published.v1", 2)]
    await staff.post(f"{MANAGE}{id_}/words", data={**FORM, "title.en": "Committee"})
    assert len(await calendar.told()) == 2
    page(await staff.post(f"{MANAGE}{id_}/words", data={**FORM, "title.en": ""}), 422)


async def committee(calendar: Calendar) -> tuple[StoredDate, StoredDate]:
    async with calendar.database.transaction() as tx:
        new = new_date("Committee", days("2097-06-16"), kind=DateKind.STEERING_COMMITTEE)
        meeting = await calendar.planning.add(tx, new, cause=Cause.start())
        [deadline] = await dates.following(tx, meeting.id)
    return meeting, deadline


async def test_moving_shows_what_moves_with_it_and_asks_for_a_reason(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    meeting, deadline = await committee(calendar)
    form = page(await staff.get(f"{MANAGE}{meeting.id}/move"))
    assert form.all("a", href=f"{MANAGE}{deadline.id}")
    assert form.values()["first-1"] == "2097-06-16"
    to = {"precision": "day", "first-1": "2097-07-07", "last-1": ""}
    page(await staff.post(f"{MANAGE}{meeting.id}/move", data=to), 422)
    same = {"precision": "day", "first-1": "2097-06-16", "last-1": "2097-06-16"}
    page(await staff.post(f"{MANAGE}{meeting.id}/move", data={**same, **BECAUSE}), 422)
    assert (await calendar.again(meeting)).sequence == 0
    answer = await staff.post(f"{MANAGE}{meeting.id}/move", data={**to, **BECAUSE})
    assert answer.status_code == 303
    assert (await calendar.again(meeting)).when == days("2097-07-07")
    assert (await calendar.again(deadline)).when == days("2097-05-26")
    [made] = await calendar.told("decision.made.v1")
    assert (made.data["what"], made.data["reason"]) == ("move", "The room")
    for where in (f"{MANAGE}{meeting.id}", meeting.path):
        assert "The room" in page(await staff.get(where)).text
        assert "16 June 2097" in page(await staff.get(where)).text


async def test_cancelling_asks_for_a_reason_and_leaves_it_visible(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    meeting, deadline = await committee(calendar)
    assert page(await staff.get(f"{MANAGE}{meeting.id}/cancel")).all("a", href=f"{MANAGE}{deadline.id}")
    page(await staff.post(f"{MANAGE}{meeting.id}/cancel", data={}), 422)
    assert (await staff.post(f"{MANAGE}{meeting.id}/cancel", data=BECAUSE)).status_code == 303
    after = await calendar.again(meeting)
    assert (after.is_cancelled, after.cancelled_because, after.sequence) == (True, {"en": "The room", "fr": "La salle"}, 1)
    assert (await calendar.again(deadline)).is_cancelled
    assert "The room" in page(await staff.get(meeting.path)).text
    to = {"precision": "day", "first-1": "2097-07-07", "last-1": ""}
    for what, data in (
        ("cancel", BECAUSE),
        ("move", {**to, **BECAUSE}),
        ("deadline", {"days_before": "7", "language": "en", "title.en": "x"}),
    ):
        page(await staff.post(f"{MANAGE}{meeting.id}/{what}", data=data), 409)


async def test_what_is_done_is_marked_and_unmarked(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    _, deadline = await committee(calendar)
    page(await staff.get(f"{MANAGE}{deadline.id}/done"))
    page(await staff.post(f"{MANAGE}{deadline.id}/done", data={"done_on": "yesterday"}), 422)
    told = len(await calendar.told())
    answer = await staff.post(f"{MANAGE}{deadline.id}/done", data={"done_on": "2097-05-01", "because.en": "All in."})
    assert answer.status_code == 303
    after = await calendar.again(deadline)
    assert (after.done_on, after.done_note, after.sequence) == (date(2097, 5, 1), {"en": "All in."}, 0)
    assert len(await calendar.told()) == told
    assert (await staff.post(f"{MANAGE}{deadline.id}/not-done")).status_code == 303
    assert (await calendar.again(deadline)).done_on is None


async def test_a_meeting_is_not_done_by_hand(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    meeting, _ = await committee(calendar)
    page(await staff.post(f"{MANAGE}{meeting.id}/done", data={"done_on": "2097-05-01"}), 409)


async def test_a_further_deadline_follows_the_meeting(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    meeting, _ = await committee(calendar)
    page(await staff.get(f"{MANAGE}{meeting.id}/deadline"))
    page(await staff.post(f"{MANAGE}{meeting.id}/deadline", data={"days_before": "-1", "language": "en", "title.en": "Papers"}), 422)
    answer = await staff.post(f"{MANAGE}{meeting.id}/deadline", data={"days_before": "7", "language": "en", "title.en": "Papers"})
    assert answer.status_code == 303
    papers = next(one for one in await calendar.dates() if one.days_before == 7)
    assert (papers.when, papers.follows, papers.kind) == (days("2097-06-09"), meeting.id, DateKind.DEADLINE)
    assert "Papers" in page(await staff.get(f"{MANAGE}{meeting.id}")).text


async def test_the_list_shows_what_is_asked_for(calendar: Calendar, staff: httpx.AsyncClient) -> None:
    await stored(calendar.database, new_date("Ahead of us", days("2097-06-16")))
    await stored(calendar.database, new_date("Behind us", days("2020-06-16")))
    await stored(calendar.database, new_date("Never done", rough("month", ("2020-06-01", "2020-06-30")), kind=DateKind.ACTIVITY))
    await stored(calendar.database, new_date("Quiet days", days("2097-01-01"), kind=DateKind.BLACKOUT))

    async def titles(query: str) -> set[str]:
        text = page(await staff.get(MANAGE + query)).text
        return {title for title in ("Ahead of us", "Behind us", "Never done", "Quiet days") if title in text}

    assert await titles("") == {"Ahead of us", "Quiet days"}
    assert await titles("?show=past") == {"Behind us", "Never done"}
    assert await titles("?show=open") == {"Never done"}
    assert await titles("?show=cancelled") == set()
    assert await titles("?show=all&kind=blackout") == {"Quiet days"}
    assert await titles("?show=all&q=US") == {"Ahead of us", "Behind us"}
    for nonsense in ("?show=%00", "?kind=party", "?q=%00", "?q=%25_", "?page=99999", "?page=x"):
        page(await staff.get(MANAGE + nonsense))


@pytest.mark.parametrize("path", ["", "new", "{id}", "{id}/words", "{id}/move", "{id}/cancel", "{id}/done", "{id}/deadline"])
async def test_the_pages_are_the_moderators_and_auditors_only_read(calendar: Calendar, reader: httpx.AsyncClient, path: str) -> None:
    found = await stored(calendar.database, new_date(kind=DateKind.ACTIVITY))
    address = MANAGE + path.format(id=found.id)
    assert (await reader.get(address)).status_code == 401
    async with client_of(calendar.app, somebody(Role.DRAFTER)) as drafter:
        assert (await drafter.get(address)).status_code == 403
    async with client_of(calendar.app, somebody(Role.AUDITOR)) as auditor:
        page(await auditor.get(address))
        if "/" in path or path == "new":
            assert (await auditor.post(address, data=FORM)).status_code == 403


@pytest.mark.parametrize("path", ["x", "00000000-0000-0000-0000-000000000000", "x/move", "00000000-0000-0000-0000-000000000000/words"])
async def test_what_is_not_there_is_not_there(staff: httpx.AsyncClient, path: str) -> None:
    assert (await staff.get(MANAGE + path)).status_code == 404


@pytest.mark.parametrize("language", ["fr", "es", "ar"])
async def test_every_page_speaks_the_readers_language(calendar: Calendar, staff: httpx.AsyncClient, language: str) -> None:
    meeting, deadline = await committee(calendar)
    paths = ("", "new", f"{meeting.id}", f"{meeting.id}/move", f"{meeting.id}/words", f"{deadline.id}/done", f"{meeting.id}/deadline")
    for path in paths:
        answer = await staff.get(f"{MANAGE}{path}?lang={language}")
        assert f'<html lang="{language}"' in answer.text
