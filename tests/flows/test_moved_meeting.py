"""A meeting that is moved takes along all that hangs on it, in every service: its deadline, the items and drafts, and what was approved."""

import re
import signal
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from shared import clock, i18n
from tests.browser.things import _decide as decide
from tests.flows.running import Running, running, until

MEETING = "Steering Committee of the Fund, a meeting that moves"
# Its deadline, six weeks before, is then near: told of by the first look of the clock after a start.
AHEAD = timedelta(days=50)
SIX_WEEKS = timedelta(days=42)
BY = timedelta(days=21)


def in_words(day: date) -> str:
    return i18n.day(day, "en")


def article(page: str, title: str) -> str:
    """The part of the pool or of the drafts that is about one thing; empty while there is none."""
    return "".join(part for part in re.findall(r"<article.*?</article>", page, re.DOTALL) if title in part)


def until_shown(staff: httpx.Client, page: str, day: date, title: str = "") -> None:
    """Wait until a page names a day, with the thing of this title where one is given."""
    until(lambda: in_words(day) in article(staff.get(page).text, title))


def enter(staff: httpx.Client, day: date) -> str:
    """The path of the meeting's page for the team."""
    fields = {"kind": "steering-committee", "language": "en", "title.en": MEETING, "public": "yes"}
    entered = staff.post("/calendar/manage/new", data={**fields, "precision": "day", "first-1": day.isoformat(), "last-1": day.isoformat()})
    assert entered.status_code == 200, entered.text
    return entered.url.path


def approved_post(system: Running, staff: httpx.Client) -> str:
    """The path of a post about the meeting that one person has submitted and another has approved."""
    draft = until(lambda: article(staff.get("/social/drafts").text, MEETING))
    take_up = re.search(r'action="(/social/drafts/[0-9a-f-]+/post)"', draft)
    assert take_up
    post = staff.post(take_up.group(1)).url.path
    decide(staff, post, "submit")
    with system.staff("Noor") as noor:
        decide(noor, post, "approve")
    return str(post)


def standing(staff: httpx.Client, post: str) -> str:
    """Where the approval of a post stands."""
    shown = re.findall(r'<span class="status[^"]*">(.*?)</span>', staff.get(post).text)
    words = {i18n.look_up("en", f"staff.approval.state.{state}")[0]: state for state in ("draft", "submitted", "approved")}
    return next((words[one] for one in shown if one in words), "")


def deadline_in(system: Running, day: date) -> bool:
    """Whether the feed holds a deadline that ends on a day."""
    feed: Mapping[str, list[Mapping[str, object]]] = httpx.get(f"{system.address}/calendar/feed.json", params={"kind": "deadline"}).json()
    return any(str(entry.get("start", "")).startswith(day.isoformat()) for entry in feed["entries"])


@pytest.mark.timeout(600)
def test_a_moved_meeting_moves_its_deadline_draft_and_item_and_voids_what_was_approved(var: Path) -> None:
    before = clock.now().date() + AHEAD
    after = before + BY
    with running(var) as system, system.staff() as staff:
        meeting = enter(staff, before)
        assert deadline_in(system, before - SIX_WEEKS)
        assert system.end(signal.SIGINT) == 0
    with running(var) as system, system.staff() as staff:
        pool, drafts = "/newsletter/pool", "/social/drafts"
        for page in (pool, drafts):
            until_shown(staff, page, before, MEETING)
            # The deadline's own title is the machine's, in the words of the calendar.
            until_shown(staff, page, before - SIX_WEEKS)
        post = approved_post(system, staff)
        assert standing(staff, post) == "approved"
        moved = staff.post(
            f"{meeting}/move",
            data={"precision": "day", "first-1": after.isoformat(), "last-1": after.isoformat(), "because.en": "The room is taken."},
        )
        assert moved.status_code == 200, moved.text
        assert deadline_in(system, after - SIX_WEEKS)
        assert not deadline_in(system, before - SIX_WEEKS)
        for page in (pool, drafts):
            until_shown(staff, page, after, MEETING)
            until_shown(staff, page, after - SIX_WEEKS)
            assert in_words(before - SIX_WEEKS) not in staff.get(page).text
        # It awaits a person again, with the new day in its text.
        until(lambda: standing(staff, post) == "draft")
        assert in_words(after) in staff.get(post).text
