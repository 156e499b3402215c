"""A pledge after it was accepted: its owner reports by a mailed link, and the register shows it."""

from urllib.parse import urlsplit

from services.demo.walk.browser import Browser, WalkError
from services.demo.walk.incoming import task_of
from services.demo.walk.journal import until
from services.demo.walk.walk import Walk

FULFILLED = "fulfilled"


def report(walk: Walk) -> None:
    """Have the owner report that the pledge is fulfilled, and Noor take the report."""
    path, owner = walk.found["pledge"], walk.found["owner"]
    number = path.rpartition("/")[2]
    with walk.journal.step("The pledge's owner asks for a link, and reports by it that the pledge is fulfilled") as made:
        browser, known = Browser(walk.base), walk.mails.known(owner)
        browser.send(browser.open("/pledges/update"), "/pledges/update", number=number, mail=owner)
        link = urlsplit(walk.mails.link(owner, "/pledges/update/", after=known)).path
        sent = browser.send(browser.open(link), link, state=FULFILLED, note="Nobody has paid a fee since the spring.")
        made.address = walk.base + sent.path
    with walk.journal.step("Noor reads the report and takes it; the register says fulfilled") as made:
        task = task_of(walk, walk.noor, "review-report", walk.mark)
        walk.noor.send(walk.noor.open(task), "/accept")

        def look() -> bool:
            pledges = walk.anybody.open("/pledges/api/v1/pledges", q=walk.mark).json["pledges"]
            return any(one["number"] == number and one["claimed"]["state"] == FULFILLED for one in pledges)

        until(look, f"{number} fulfilled in the open data")
        if walk.mark not in walk.anybody.open(path).words:
            raise WalkError(f"{path} does not show it")
        made.address = walk.base + path
