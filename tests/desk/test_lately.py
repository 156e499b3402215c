"""What the team should know and what is nobody's task: near deadlines, posts that failed, what came in and was approved lately."""

from datetime import timedelta

import pytest

from services.desk.domain import StoredPerson
from services.desk.jobs import HAPPENED_DAYS, forget_public
from shared.events.codes import Role
from shared.i18n import LANGUAGES, look_up
from tests.desk.desk_app import Desk
from tests.desk.test_front import SOON, carry, days, said, titled
from tests.sample_events import record
from tests.shared.web_app import Page

DEADLINE = "Concept notes for the Steering Committee"
REASON = "X refused the post because the same text stands there already."


async def start(desk: Desk, person: StoredPerson, language: str = "en") -> str:
    """The words of a person's start page."""
    async with desk.browser(person) as browser:
        page = Page((await browser.get("/desk/", params={"lang": language})).text)
    assert page.faults == []
    return page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_team_sees_what_came_in_what_was_approved_and_what_is_near(desk: Desk, language: str) -> None:
    ada = await desk.add(Role.DRAFTER)
    near = said("deadline.near.v1", due=days(SOON))
    told = [record(kind) for kind in ("submission.received.v1", "issue.approved.v1", "post.approved.v1", "post.failed.v1")]
    for _ in range(3):
        await carry(desk, *told, record("deadline.near.v1", near, subject="deadline"))
    text = await start(desk, ada, language)
    for key in ("staff.lately.title", "staff.lately.deadlines", "staff.lately.failed"):
        assert text.count(look_up(language, key)[0]) == 1
    assert text.count(DEADLINE) == 1
    assert text.count(REASON) == 2, "each variant of a post fails on its own"


async def test_nothing_of_it_is_for_the_public(desk: Desk) -> None:
    await carry(desk, *(record(kind) for kind in ("submission.received.v1", "issue.approved.v1", "post.failed.v1")))
    async with desk.browser() as anybody:
        text = Page((await anybody.get("/")).text).text
    assert REASON not in text
    assert look_up("en", "front.bulletin.none")[0] in text


async def test_a_deadline_moves_with_its_date_and_goes_with_it(desk: Desk) -> None:
    ada = await desk.add(Role.DRAFTER)
    await carry(desk, record("deadline.near.v1", said("deadline.near.v1", due=days(SOON)), subject="one", revision=2))
    assert DEADLINE in await start(desk, ada)
    later = SOON + timedelta(days=45)
    moved = titled("date.moved.v1", "Concept notes", when=days(later), kind="deadline")
    await carry(desk, record("date.moved.v1", moved, subject="one", revision=1))
    assert await dues(desk) == [SOON.isoformat()], "an older word moves nothing"
    await carry(desk, record("date.moved.v1", moved, subject="one", revision=3))
    assert await dues(desk) == [later.isoformat()]
    cancelled = titled("date.cancelled.v1", "Concept notes", when=days(later), kind="deadline", source=None)
    await carry(desk, record("date.cancelled.v1", cancelled, subject="one", revision=4))
    assert DEADLINE not in await start(desk, ada)


async def dues(desk: Desk) -> list[str]:
    return [row.due.isoformat() for row in await desk.rows("SELECT due FROM happenings WHERE due IS NOT NULL")]


async def test_what_went_out_after_all_is_no_failure_any_more(desk: Desk) -> None:
    ada = await desk.add(Role.DRAFTER)
    failed = said("post.failed.v1", languages=["en"])
    await carry(desk, record("post.failed.v1", failed, subject="post"), record("post.approved.v1", subject="post"))
    assert REASON in await start(desk, ada)
    await carry(desk, record("post.published.v1", subject="post"))
    text = await start(desk, ada)
    assert REASON not in text
    assert look_up("en", "staff.lately.title")[0] not in text


async def test_what_came_in_for_the_past_is_no_news_and_all_of_it_is_forgotten(desk: Desk) -> None:
    await carry(desk, record("submission.received.v1"), record("deadline.near.v1", said("deadline.near.v1", due=days(SOON))))
    await desk.rows(f"UPDATE happenings SET happened_at = happened_at - interval '{HAPPENED_DAYS + 1} days' RETURNING id")
    assert await forget_public(desk.database) == 1
    assert await dues(desk) == [SOON.isoformat()]
