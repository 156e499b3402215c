"""What comes in: a partner's signed webhooks, read by one of the team, asked about once, accepted, and on their public pages."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from services.demo.walk.browser import Browser, WalkError
from services.demo.walk.journal import until
from services.demo.walk.people import ALEX, NOOR, new_partner, sign_in
from services.demo.walk.walk import Walk


def enter(walk: Walk) -> None:
    """Sign in the two who decide."""
    for name, address in (("alex", ALEX), ("noor", NOOR)):
        with walk.journal.step(f"{name.capitalize()} asks for a link and signs in by the mail") as made:
            browser = sign_in(walk.base, walk.mails, address)
            setattr(walk, name, browser)
            made.address = f"{walk.base}/desk/"


def make_partner(walk: Walk) -> None:
    """Let a partner send."""
    with walk.journal.step("An admin makes a partner, who gets an address and a secret") as made:
        walk.partner = new_partner(walk.alex, walk.titled("City of the walk"))
        made.address = walk.partner.page


def send(walk: Walk, kind: str, what: str, **changes: object) -> Mapping[str, Any]:
    """Send one webhook of a kind, and again as a partner does who heard no answer; return what was answered."""
    with walk.journal.step(f"A partner sends {what} by signed webhook, twice; it is taken in once") as made:
        body = walk.example(kind)
        title = {language: walk.titled(text) for language, text in body["data"]["title"].items()}
        body["data"] |= {"title": title} | changes
        answers = [walk.partner.send(walk.anybody, body, f"msg_{walk.mark}_{kind}") for _ in range(2)]
        if answers[0]["receipt"] != answers[1]["receipt"] or not answers[1]["duplicate"]:
            raise WalkError(f"the second sending was taken for another: {answers}")
        made.address = str(answers[0]["status_url"])
        walk.found[f"{kind} title"] = next(iter(title.values()))
    return answers[0]


def task_of(walk: Walk, who: Browser, kind: str, named: str) -> str:
    """Wait until a task of a kind whose title names this awaits somebody, and return where it is done."""

    def look() -> str | None:
        tasks = who.open("/desk/api/v1/tasks").json["tasks"]
        return next(
            (
                urlsplit(task["address"]).path
                for task in tasks
                if task["kind"] == kind and task["awaits_you"] and any(named in title for title in task["titles"].values())
            ),
            None,
        )

    return until(look, f"a task {kind} about {named!r}")


def review(walk: Walk, kind: str, what: str, answer: Mapping[str, Any], *, question: str = "") -> None:
    """Have what was sent read by Noor, asked about where `question` is given, accepted, and found on its public page."""
    mark, tracking = walk.mark, urlsplit(str(answer["status_url"])).path
    task = f"review-{kind}"
    if question:
        with walk.journal.step(f"Noor asks the sender of {what} a question, who answers on the page where it is followed") as made:
            asked = walk.noor.open(task_of(walk, walk.noor, task, mark))
            walk.noor.send(asked, "/ask", question=question, language="en")
            page = until(lambda: _with_form(walk.anybody, tracking, "/answer"), "the question on the tracking page")
            walk.anybody.send(page, "/answer", answer="Since last spring, in all nine languages.")
            made.address = walk.base + tracking
    with walk.journal.step(f"Noor reads {what} and accepts it") as made:
        path = task_of(walk, walk.noor, task, mark)
        page = walk.noor.open(path)
        # What the reviewer is shown to compare, such as a pledge that is like another, is said to have been seen.
        seen = {name: value for name, value in page.form("/accept").boxes.items() if name == "doubts"}
        walk.noor.send(page, "/accept", **seen)
        made.address = walk.base + path
    with walk.journal.step(f"The sender finds where {what} stands, on its public page") as made:
        public = until(lambda: _public_page(walk, tracking), f"the public page of {what}")
        page = walk.anybody.open(public)
        if mark not in page.words:
            raise WalkError(f"{public} does not show it")
        made.address = walk.base + page.path
        walk.found[kind] = page.path


def _with_form(browser: Browser, path: str, action: str) -> Any:
    page = browser.open(path)
    return page if any(form.action.partition("?")[0].endswith(action) for form in page.forms) else None


def _public_page(walk: Walk, tracking: str) -> str | None:
    """Return where the tracking page leads once something is published."""
    places = ("/practices/", "/talks/", "/pledges/", "/news/", "/calendar/")
    page = walk.anybody.open(tracking)
    for link in page.links:
        path = urlsplit(link).path
        if path.startswith(places) and path not in places and f'href="{link}"' in page.main:
            return path
    return None
