"""What goes out: a reader's subscription, the issue that two persons let go, the posts, the mail in the inbox, the feed."""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from services.demo.walk.browser import Browser, Page, WalkError
from services.demo.walk.journal import until, until_all
from services.demo.walk.walk import Walk
from shared import clock

_ISSUE = re.compile(r"/newsletter/issues/[0-9a-f-]{36}")
_TAKE_UP = re.compile(r"/social/drafts/[0-9a-f-]+/post")


def subscribe(walk: Walk) -> None:
    """Let a reader subscribe, and confirm by the mail."""
    reader = walk.found["reader"] = f"reader-{walk.mark}@example.org"
    with walk.journal.step("A reader subscribes to the bulletin and confirms by the mail") as made:
        browser = Browser(walk.base)
        browser.send(browser.open("/newsletter/subscribe"), "/newsletter/subscribe", address=reader)
        link = urlsplit(walk.mails.link(reader, "/newsletter/confirm/")).path
        browser.send(browser.open(link), link)
        made.address = f"{walk.base}/newsletter/subscribe"


def cut_issue(walk: Walk, wanted: list[str]) -> None:
    """Close the issue that gathers once all that is wanted waits in the pool, and write its subject."""
    with walk.journal.step("What was published waits in the newsletter's pool") as made:
        pool = "/newsletter/pool"
        until_all(lambda: walk.alex.open(pool).words, wanted, pool)
        made.address = walk.base + pool
    with walk.journal.step("Alex closes the issue that gathers and writes its subject") as made:
        # The next one opens within the minute after another was closed.
        issue, page = until(lambda: _gathering(walk.alex), "an issue that gathers items")
        cut = walk.alex.send(page, "/cut")
        if missing := [title for title in wanted if title not in cut.words]:
            raise WalkError(f"the issue lacks {', '.join(missing)}")
        texts = walk.alex.open(f"{issue}/texts")
        subjects = [name for name, _ in texts.form("/texts").fields if name.startswith("subject.")]
        walk.alex.send(texts, "/texts", **{name.replace(".", "__"): walk.titled("What came in") for name in subjects})
        walk.found["issue"] = issue
        made.address = walk.base + issue


def _gathering(who: Browser) -> tuple[str, Page] | None:
    """Return the issue that still takes items; None while there is none."""
    for path in dict.fromkeys(_ISSUE.findall(who.open("/newsletter/issues/").body)):
        page = who.open(path)
        if any(form.action.endswith("/cut") for form in page.forms):
            return path, page
    return None


def release_issue(walk: Walk) -> None:
    """Have the issue submitted by one, approved by another, given its hour and sent."""
    issue = walk.found["issue"]
    with walk.journal.step("Alex submits the issue; Noor, and not Alex, approves it") as made:
        _submit_and_approve(walk, issue)
        made.address = walk.base + issue
    with walk.journal.step("Noor gives the issue its hour") as made:
        hour = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
        walk.noor.send(walk.noor.open(issue), "/schedule", sends_at=hour, zone="UTC", valid_hours="48")
        made.address = f"{walk.base}{issue}/sending"


def _submit_and_approve(walk: Walk, path: str) -> None:
    walk.alex.send(walk.alex.open(path), "/decisions", action="submit")
    own = walk.alex.open(path)
    if 'value="approve"' in own.body:
        raise WalkError("Alex is offered to approve Alex's own work")
    page = until(lambda: _if_approvable(walk.noor, path), f"{path} awaiting approval")
    walk.noor.send(page, "/decisions", action="approve")


def _if_approvable(who: Browser, path: str) -> Page | None:
    page = who.open(path)
    return page if 'value="approve"' in page.body else None


def read_mail(walk: Walk, wanted: list[str]) -> None:
    """Find the issue in the reader's inbox, whole, and in the archive."""
    reader = walk.found["reader"]
    with walk.journal.step("The mail reaches the reader's inbox, with what was published and a way to leave") as made:

        def look() -> Mapping[str, Any] | None:
            return next((mail for mail in walk.mails.to(reader) if walk.mark in mail["subject"] and "/newsletter/u/" in mail["text"]), None)

        mail = until(look, f"the issue in the inbox of {reader}")
        if missing := [title for title in wanted if title not in mail["text"]]:
            raise WalkError(f"the mail lacks {', '.join(missing)}")
        made.address = walk.base + mail["address"]
    with walk.journal.step("The issue stands in the public archive") as made:
        archive = "/newsletter/archive/"
        until(lambda: walk.mark in walk.anybody.open(archive).words, "the issue in the archive")
        made.address = walk.base + archive


def post(walk: Walk, what: str, title: str) -> None:
    """Take a draft up, submit and approve it, and find it on the sandbox's timeline."""
    with walk.journal.step(f"Alex takes up the draft about {what} and submits it; Noor approves it") as made:
        made.address = walk.base + schedule_post(walk, title)
    with walk.journal.step(f"The post about {what} is out, once, on the sandbox of X") as made:
        place = walk.system.networks["x"]
        until(lambda: posts_with(place, title), f"a post about {title!r} on {place}")
        if (count := posts_with(place, title)) != 1:
            raise WalkError(f"it stands there {count} times")
        made.address = f"{place}/"


def schedule_post(walk: Walk, title: str) -> str:
    """Have the draft about a title taken up, submitted and approved by two, to leave at once; return the post's path."""
    draft = until(lambda: _draft_of(walk.alex, title), f"a draft about {title!r}")
    opened = walk.alex.post(draft)
    zone = next((value for name, value in opened.form("/schedule").fields if name == "zone"), "UTC")
    local = clock.now().astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
    walk.alex.send(opened, "/schedule", local=local, zone=zone)
    _submit_and_approve(walk, opened.path)
    return opened.path


def _draft_of(who: Browser, title: str) -> str | None:
    page = who.open("/social/drafts").body
    for article in page.split("<article")[1:]:
        taken = _TAKE_UP.search(article)
        if title in article and taken:
            return taken.group()
    return None


def posts_with(place: str, title: str) -> int:
    """Return how often a title stands on the timeline of a sandbox."""
    return Browser(place).open("/").words.count(title)


def find_on_front(walk: Walk, wanted: list[str]) -> None:
    """Find what was published on the public front page; of dates it shows only those that come next."""
    with walk.journal.step("The public front page shows what was published, and the bulletin") as made:
        until_all(lambda: walk.anybody.open("/").words, [*wanted, walk.titled("What came in")], "the front page")
        made.address = f"{walk.base}/"
