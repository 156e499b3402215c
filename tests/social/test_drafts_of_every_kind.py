"""What each kind of source gives to social media, and what becomes of it when the source moves, is corrected or ends."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Row, select

from services.demo.sandbox.server import Sandbox
from services.social.store.drafts import list_drafts
from services.social.store.tables import drafts
from services.social.web.drafts_show import DRAFTS
from shared import clock
from shared.approval.rules import State
from shared.db import Database
from shared.i18n import LANGUAGES
from shared.parking import listing
from tests.desk.wire import System, asker
from tests.sample_events import every_sample, record, sample_of
from tests.shared.web_app import Page
from tests.social.post_pages import ANA, BO, Pages, asked, settled, texts_on

MEETING = sample_of("date.published.v1")
SECRET = "The launch that nobody may know of"
LATER = {"precision": "time", "starts": "2026-10-05T12:30:00Z", "ends": "2026-10-05T15:30:00Z", "zone": "Europe/Zurich"}


async def told(wired: System, event_type: str, subject: str = "it", revision: int = 1, **facts: Any) -> None:
    """Tell social media something, and see that it was taken."""
    data = sample_of(event_type) | facts
    await wired.consumers["social"].take([record(event_type, data, subject=subject, revision=revision)])
    async with wired.databases["social"].transaction() as tx:
        assert await listing(tx) == []


async def drafted(wired: System) -> Sequence[Row[Any]]:
    async with wired.databases["social"].transaction() as tx:
        return await list_drafts(tx)


async def post_of(wired: System, label: str, language: str = "en") -> Pages:
    """Return the post that Ana makes of the draft of a kind, in one language."""
    async with wired.databases["social"].transaction() as tx:
        draft = (await tx.execute(select(drafts).where(drafts.c.label == label))).one()
    async with asker(wired.app, person=ANA) as browser:
        answer = await browser.post(f"{DRAFTS}/{draft.id}/post")
    post = Pages(wired, UUID(answer.headers["location"].rpartition("/")[2]))
    for other in set(draft.texts) - {language}:
        await post.send(ANA, f"/variants/x/{other}/remove", {})
    return post


async def approved(post: Pages, due_in: timedelta = timedelta(hours=1)) -> None:
    assert (await post.plan(clock.now() + due_in)).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303
    assert (await post.act(BO, "approve")).status_code == 303


GIVEN: Mapping[str, tuple[str, str]] = {
    "pledge.published.v1": ("pledge", "Pledge: Ending recruitment fees by 2027\nExample State A\nhttps://"),
    "pledge.fulfilled.v1": ("pledge-fulfilled", "Pledge fulfilled: Ending recruitment fees by 2027\nExample State A\nhttps://"),
    "talk.accepted.v1": (
        "talk",
        "GCM Talk: Fair recruitment across one border\n16 June 2026, 09:00–12:00 (Casablanca) · Example State A\nhttps://",
    ),
    "talk.held.v1": ("talk-held", "GCM Talk: what came of it: Fair recruitment across one border\n"),
    "news.published.v1": ("statement", "Statement: Statement on the International Day of Family Remittances\nExample Regional Network"),
    "date.published.v1": (
        "steering-committee",
        "Steering Committee: Steering Committee of the Migration MPTF, 12th meeting\n23 September 2026, 14:30–17:30 (Zurich)\nhttps://",
    ),
    "deadline.near.v1": ("deadline", "Deadline: Concept notes for the Steering Committee’s 12th meeting\n12 August 2026\nhttps://"),
    "promotion.requested.v1": ("promotion", "How one city took down five doors and put up one: our practice of the month.\nhttps://"),
    "issue.sent.v1": ("issue", "Bulletin: The Network in June\nhttps://tidings.example.org/newsletter/archive/2026-06?lang=en"),
}


@pytest.mark.parametrize("event_type", GIVEN)
async def test_each_kind_of_source_gives_one_draft_with_where_it_came_from(wired: System, event_type: str) -> None:
    await told(wired, event_type, subject="source-1")
    label, words = GIVEN[event_type]
    (draft,) = await drafted(wired)
    assert (draft.label, draft.source_id, draft.state) == (label, "source-1", "drafted")
    assert draft.texts["en"].startswith(words)
    assert draft.source_kind == {"statement": "news", "steering-committee": "date", "deadline": "date"}.get(label, label.split("-")[0])


@pytest.mark.parametrize("kind", ["activity", "pledge-due", "talk", "deadline", "blackout", "embargo"])
async def test_dates_that_are_no_news_by_themselves_give_nothing(wired: System, kind: str) -> None:
    await told(wired, "date.published.v1", kind=kind)
    assert await drafted(wired) == []


async def test_the_date_of_something_that_has_its_own_draft_gives_none(wired: System) -> None:
    await told(wired, "date.published.v1", source={"kind": "talk", "id": "talk-1"})
    assert await drafted(wired) == []


async def test_an_approved_issue_is_told_of_to_nobody_until_it_is_sent(wired: System) -> None:
    await told(wired, "issue.approved.v1")
    assert await drafted(wired) == []


async def test_invented_pledges_are_never_posted(wired: System) -> None:
    await told(wired, "pledge.published.v1", synthetic=True)
    assert await drafted(wired) == []


async def test_a_moved_meeting_moves_its_draft_and_voids_the_approval_of_its_post(
    wired: System, database: Database, network: Sandbox
) -> None:
    await told(wired, "date.published.v1")
    post = await post_of(wired, "steering-committee")
    await approved(post)
    await told(wired, "date.moved.v1", revision=2, **(MEETING | {"when": LATER, "was": MEETING["when"], "sequence": 1}))
    (draft,) = await drafted(wired)
    assert "5 October 2026, 14:30–17:30 (Zurich)" in draft.texts["en"]
    assert (await post.state(), await asked(database, post)) == (State.DRAFT, ["submit-post"])
    assert "5 October 2026" in (await post.get()).text  # nobody had changed the words, so they have moved along
    await settled(post, network)
    assert texts_on(network) == []


@pytest.mark.parametrize("became", ["blackout", "embargo"])
@pytest.mark.parametrize("event_type", ["date.published.v1", "date.moved.v1", "date.cancelled.v1"])
@pytest.mark.parametrize(("told_first", "label"), [("date.published.v1", "steering-committee"), ("deadline.near.v1", "deadline")])
async def test_what_becomes_a_blackout_or_an_embargo_never_leaves_and_its_title_is_nobodys(
    wired: System, network: Sandbox, told_first: str, label: str, event_type: str, became: str
) -> None:
    await told(wired, told_first)
    post = await post_of(wired, label)
    await approved(post)
    (before,) = await drafted(wired)
    secret: dict[str, Any] = {"kind": became, "title": {"en": SECRET, "fr": SECRET}, "summary": {"en": SECRET}, "source": None}
    for _ in range(2):
        await told(wired, event_type, revision=2, **secret)
    await told(wired, "deadline.near.v1", revision=3, title={"en": SECRET})
    (draft,) = await drafted(wired)
    assert (draft.state, draft.title, draft.texts) == ("withdrawn", before.title, before.texts)
    assert SECRET not in (await post.get()).text
    await settled(post, network)
    assert texts_on(network) == []


async def test_own_words_stay_and_say_that_their_source_has_changed_until_they_are_saved_again(wired: System) -> None:
    await told(wired, "talk.accepted.v1")
    post = await post_of(wired, "talk")
    await post.write("Come and talk")
    changed = "The source of this post has changed since these words were written."
    assert changed not in (await post.get()).text
    await told(wired, "talk.moved.v1", revision=2)
    page = Page((await post.get()).text)
    assert (changed in page.text, "Come and talk" in page.text, "1 July 2026" in page.text) == (True, True, True)
    assert page.faults == []
    assert (await post.write("Come and talk")).status_code == 303
    assert changed not in (await post.get()).text


@pytest.mark.parametrize(
    ("told_first", "label", "ends", "because"),
    [
        ("pledge.published.v1", "pledge", "pledge.withdrawn.v1", None),
        ("talk.accepted.v1", "talk", "talk.cancelled.v1", "L’hôte n’a pas pu confirmer le lieu."),
        ("news.published.v1", "statement", "news.withdrawn.v1", None),
        ("promotion.requested.v1", "promotion", "promotion.withdrawn.v1", None),
        ("date.published.v1", "steering-committee", "date.cancelled.v1", "The host could not confirm the venue."),
    ],
)
async def test_what_is_withdrawn_or_cancelled_never_leaves(  # four words for one story
    wired: System, database: Database, network: Sandbox, told_first: str, label: str, ends: str, because: str | None
) -> None:
    await told(wired, told_first)
    post = await post_of(wired, label)
    await approved(post)
    facts = {"kind": MEETING["kind"], "source": None} if ends.startswith("date") else {}
    await told(wired, ends, revision=2, **facts)
    assert await post.state() is State.WITHDRAWN
    await settled(post, network)
    assert texts_on(network) == []
    (draft,) = await drafted(wired)
    assert (draft.state, draft.withdrawn_because) == ("withdrawn", because or sample_of(ends)["reason"])


async def test_a_deadline_is_drafted_once_however_near_it_comes_and_follows_its_meeting(wired: System) -> None:
    await told(wired, "deadline.near.v1", subject="deadline-1", revision=2)
    post = await post_of(wired, "deadline")
    await approved(post)
    await told(wired, "deadline.near.v1", subject="deadline-1", revision=3, days_left=7)
    assert await post.state() is State.APPROVED  # nothing has changed but that it is nearer
    moved = {"kind": "deadline", "when": {"precision": "day", "first": "2026-08-24", "last": "2026-08-24"}}
    await told(wired, "date.moved.v1", subject="deadline-1", revision=4, **moved)
    (draft,) = await drafted(wired)
    assert (draft.label, draft.when["first"]) == ("deadline", "2026-08-24")
    assert await post.state() is State.DRAFT


async def test_fulfilment_is_a_draft_of_its_own_and_is_taken_back_where_it_no_longer_holds(wired: System) -> None:
    await told(wired, "pledge.published.v1")
    await told(wired, "pledge.updated.v1", revision=2)
    assert [draft.label for draft in await drafted(wired)] == ["pledge"]
    for _ in range(2):
        await told(wired, "pledge.fulfilled.v1", revision=3)
    assert sorted(draft.label for draft in await drafted(wired)) == ["pledge", "pledge-fulfilled"]
    await told(wired, "pledge.updated.v1", revision=4)
    states = {draft.label: (draft.state, draft.withdrawn_because) for draft in await drafted(wired)}
    assert states == {"pledge": ("drafted", None), "pledge-fulfilled": ("withdrawn", "The pledge no longer counts as fulfilled.")}


async def test_a_request_shows_what_was_wished_for_with_its_credit(wired: System) -> None:
    await told(wired, "promotion.requested.v1")
    post = await post_of(wired, "promotion")
    async with asker(wired.app, person=ANA) as browser:
        listed = Page((await browser.get(DRAFTS)).text)
    for page in (listed, Page((await post.get()).text)):
        assert page.faults == []
        for words in ("LinkedIn", "18 June 2026, 09:00 (Zurich)", "Photo: Example City", "office.jpg"):
            assert words in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_drafts_of_every_kind_are_sound_and_can_be_seen_by_kind(wired: System, language: str) -> None:
    for one in every_sample():
        await wired.consumers["social"].take([one])
    async with asker(wired.app, person=ANA) as browser:
        whole = Page((await _get(browser, language)).text)
        some = Page((await _get(browser, language, kind="deadline")).text)
        other = Page((await _get(browser, language, kind="no-such")).text)
    assert whole.faults == some.faults == []
    assert len(list(whole.all("article"))) == len(list(other.all("article"))) > 8
    assert len(list(some.all("article"))) == 1


async def _get(browser: httpx.AsyncClient, language: str, **query: str) -> httpx.Response:
    answer = await browser.get(DRAFTS, params={"lang": language, **query})
    assert answer.status_code == 200
    return answer
