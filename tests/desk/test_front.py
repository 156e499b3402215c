"""The public front page: what the services told of stands there once, its newest word alone, and nothing that is not for the public."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.desk.handlers import LISTENS
from services.desk.jobs import THINGS_MOST, forget_public
from shared import clock
from shared.consumer import Consumer
from shared.events.codes import DateKind
from shared.events.registry import TOPICS_OF
from shared.i18n import LANGUAGES, look_up
from shared.parking import StoredRecord
from tests.desk.desk_app import Desk
from tests.sample_events import record, sample_of
from tests.shared.web_app import Page

SOON = clock.now().date() + timedelta(days=9)


def days(first: date, last: date | None = None) -> dict[str, str]:
    return {"precision": "day", "first": first.isoformat(), "last": (last or first).isoformat()}


def said(event_type: str, **changes: object) -> dict[str, Any]:
    """The sample of a type, with other words in some places."""
    return deepcopy(sample_of(event_type)) | changes


async def carry(desk: Desk, *records: StoredRecord) -> None:
    """Hand records to desk as Kafka would."""
    outcome = await Consumer("desk", desk.database, LISTENS, TOPICS_OF).take(records)
    assert {what for _, what in outcome.taken} <= {"handled", "repeated", "duplicate"}, outcome


async def front(desk: Desk, language: str = "en") -> Page:
    async with desk.browser() as anybody:
        answer = await anybody.get("/", params={"lang": language})
    assert answer.status_code == 200
    found = Page(answer.text)
    assert found.faults == []
    return found


def titled(event_type: str, text: str, **changes: object) -> dict[str, Any]:
    return said(event_type, title={"en": text}, **changes)


EVERYTHING: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("practice.published.v1", titled("practice.published.v1", "A practice")),
    ("pledge.published.v1", titled("pledge.published.v1", "A pledge")),
    ("talk.accepted.v1", titled("talk.accepted.v1", "A Talk", when=days(SOON))),
    ("news.published.v1", titled("news.published.v1", "A statement")),
    ("date.published.v1", titled("date.published.v1", "A date", when=days(SOON))),
    ("issue.sent.v1", titled("issue.sent.v1", "An issue")),
)


async def test_everything_that_was_told_stands_there_once_though_each_event_comes_ten_times(desk: Desk) -> None:
    records = [record(event_type, data, subject=event_type) for event_type, data in EVERYTHING]
    records += [record(event_type, data, subject=event_type) for event_type, data in EVERYTHING]  # told again, with other ids
    for _ in range(10):
        await carry(desk, *records)
    page = await front(desk)
    for event_type, data in EVERYTHING:
        assert page.text.count(data["title"]["en"]) == 1, event_type
    posted = said("post.published.v1", source={"kind": "practice", "id": "practice.published.v1"})
    for _ in range(10):
        await carry(desk, record("post.published.v1", posted, subject="post-1"))
    page = await front(desk)
    assert page.text.count("A practice") == 2, "once as itself, once as what a post is about"
    places = [link["href"] for link in page.all("a") if link.get("href", "").startswith("https://")]
    assert sorted(places) == sorted(place["address"] for place in posted["places"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_whole_in_every_language_with_something_on_it_and_with_nothing(desk: Desk, language: str) -> None:
    assert look_up(language, "front.practices.none")[0] in (await front(desk, language)).text
    await carry(desk, *(record(event_type, data) for event_type, data in EVERYTHING))
    page = await front(desk, language)
    assert look_up(language, "front.practices.none")[0] not in page.text
    assert look_up(language, "front.date.steering-committee")[0] in page.text


async def test_a_title_is_given_in_the_readers_language_where_it_has_it(desk: Desk) -> None:
    await carry(desk, record("pledge.published.v1"))
    assert "Mettre fin aux frais de recrutement" in (await front(desk, "fr")).text
    assert "Ending recruitment fees" in (await front(desk, "ar")).text


async def test_an_older_word_replaces_no_newer_one_and_brings_nothing_back(desk: Desk) -> None:
    await carry(
        desk,
        record("practice.published.v1", titled("practice.published.v1", "As corrected"), subject="one", revision=2),
        record("practice.published.v1", titled("practice.published.v1", "As first told"), subject="one", revision=1),
        record("news.withdrawn.v1", subject="gone", revision=2),
        record("news.published.v1", titled("news.published.v1", "Taken back"), subject="gone", revision=1),
    )
    page = await front(desk)
    assert "As corrected" in page.text
    assert "As first told" not in page.text
    assert "Taken back" not in page.text
    await carry(desk, record("practice.withdrawn.v1", subject="one", revision=3))
    assert "As corrected" not in (await front(desk)).text
    (kept,) = await desk.rows("SELECT title, address FROM public_things WHERE id = 'one'")
    assert (kept.title, kept.address) == (None, "")


@pytest.mark.parametrize("kind", [DateKind.BLACKOUT, DateKind.EMBARGO])
async def test_what_is_not_for_the_public_is_neither_shown_nor_kept(desk: Desk, kind: DateKind) -> None:
    secret = titled("date.published.v1", "Quiet days", kind=kind.value, when=days(SOON))
    await carry(desk, record("date.published.v1", secret, subject="quiet"))
    assert "Quiet days" not in (await front(desk)).text
    assert await desk.rows("SELECT id FROM public_things WHERE title IS NOT NULL") == []
    # A date that becomes one is gone.
    await carry(desk, record("date.published.v1", titled("date.published.v1", "Open day", when=days(SOON)), subject="open"))
    assert "Open day" in (await front(desk)).text
    await carry(
        desk, record("date.moved.v1", titled("date.moved.v1", "Open day", kind=kind.value, when=days(SOON)), subject="open", revision=2)
    )
    assert "Open day" not in (await front(desk)).text


async def test_dates_come_in_their_order_moved_and_cancelled_ones_marked_and_past_ones_not_at_all(desk: Desk) -> None:
    def on(title: str, first: date, last: date | None = None) -> dict[str, Any]:
        return titled("date.published.v1", title, when=days(first, last), kind="meeting")

    today = clock.now().date()
    await carry(
        desk,
        record("date.published.v1", on("Later", SOON + timedelta(days=1)), subject="later"),
        record("date.published.v1", on("Over", today - timedelta(days=2)), subject="over"),
        record("date.published.v1", on("Going on", today - timedelta(days=5), today + timedelta(days=1)), subject="going-on"),
        record("date.published.v1", on("Soon", SOON), subject="soon"),
        record("date.published.v1", titled("date.published.v1", "Some quarter", when=sample_of("date.moved.v1")["when"]), subject="rough"),
        record("date.published.v1", titled("date.published.v1", "Of a Talk", when=days(SOON), source={"kind": "talk", "id": "t"})),
    )
    await carry(
        desk,
        record("date.moved.v1", titled("date.moved.v1", "Later", when=days(SOON - timedelta(days=1))), subject="later", revision=2),
        record("date.cancelled.v1", titled("date.cancelled.v1", "Soon", when=days(SOON), source=None), subject="soon", revision=2),
    )
    text = (await front(desk)).text
    places = [text.index(title) for title in ("Going on", "Later", "Soon")]
    assert places == sorted(places)
    assert look_up("en", "front.moved")[0] in text[places[1] : places[2]]
    assert look_up("en", "front.cancelled")[0] in text[places[2] :]
    for gone in ("Over", "Some quarter", "Of a Talk"):
        assert gone not in text


async def test_a_pledge_shows_what_it_has_come_to_and_invented_ones_say_so(desk: Desk) -> None:
    await carry(desk, record("pledge.published.v1", titled("pledge.published.v1", "Promised"), subject="one"))
    assert look_up("en", "front.invented.what")[0] not in (await front(desk)).text
    done = titled("pledge.fulfilled.v1", "Promised", state="fulfilled", synthetic=True)
    await carry(desk, record("pledge.fulfilled.v1", done, subject="one", revision=2))
    text = (await front(desk)).text
    assert look_up("en", "front.fulfilled")[0] in text
    assert look_up("en", "front.invented.what")[0] in text
    await carry(desk, record("pledge.updated.v1", titled("pledge.updated.v1", "Promised", state="superseded"), subject="one", revision=3))
    assert "Promised" not in (await front(desk)).text


async def test_what_was_imported_as_the_past_comes_after_what_is_news(desk: Desk) -> None:
    news = record("pledge.published.v1", titled("pledge.published.v1", "Of today"))
    past = record("pledge.published.v1", titled("pledge.published.v1", "Of the past"))
    await carry(desk, news, replace(past, headers=[*past.headers, ("ce_historic", b"true")]))
    text = (await front(desk)).text
    assert text.index("Of today") < text.index("Of the past")


async def test_a_told_address_leads_to_no_other_site(desk: Desk) -> None:
    await carry(
        desk, record("practice.published.v1", said("practice.published.v1", address="https://elsewhere.example.org//evil.example.org/"))
    )
    assert "evil" not in str([link.get("href") for link in (await front(desk)).all("a")])


async def test_what_is_kept_stays_bounded_and_what_is_to_come_stays(desk: Desk) -> None:
    many = [record("practice.published.v1", titled("practice.published.v1", f"No {number}")) for number in range(THINGS_MOST + 20)]
    await carry(desk, *many)
    await carry(desk, *(record(event_type, data) for event_type, data in EVERYTHING if event_type.startswith("date")))
    await carry(desk, record("news.withdrawn.v1", subject="gone"))
    assert await forget_public(desk.database) == 20
    assert f"No {THINGS_MOST + 19}" in (await front(desk)).text
    await desk.rows("UPDATE public_things SET told_at = told_at - interval '91 days' WHERE id = 'gone' RETURNING id")
    assert await forget_public(desk.database) == 1
    assert "A date" in (await front(desk)).text


@pytest.mark.parametrize("became", ["blackout", "embargo"])
@pytest.mark.parametrize("event_type", ["date.published.v1", "date.moved.v1", "date.cancelled.v1"])
async def test_what_becomes_a_blackout_or_an_embargo_is_gone_and_its_title_is_nobodys(desk: Desk, event_type: str, became: str) -> None:
    await carry(desk, record("date.published.v1", titled("date.published.v1", "A date", when=days(SOON)), subject="one"))
    assert "A date" in (await front(desk)).text
    secret = titled(event_type, "What nobody may know of", when=days(SOON), kind=became, source=None)
    await carry(desk, record(event_type, secret, subject="one", revision=2))
    near = said("deadline.near.v1", title={"en": "What nobody may know of"}, due=days(SOON))
    await carry(desk, record("deadline.near.v1", near, subject="one", revision=3))
    text = (await front(desk)).text
    assert "A date" not in text
    assert "What nobody may know of" not in text
