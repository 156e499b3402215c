"""A date that a colleague enters, the deadlines that move with it, and the feed that calendars read."""

from datetime import timedelta

from services.demo.walk.browser import WalkError
from services.demo.walk.journal import until_all
from services.demo.walk.walk import Walk
from shared import clock, i18n

KIND = "steering-committee"
AHEAD = timedelta(days=60)
DAYS_BEFORE = 14  # papers: two weeks before the meeting


def days_ahead(days: int) -> dict[str, str]:
    """Return a day so many days from now, as webhooks say it."""
    day = (clock.now() + timedelta(days=days)).date().isoformat()
    return {"precision": "day", "first": day, "last": day}


def enter(walk: Walk) -> None:
    """Enter a meeting of the Steering Committee, which brings its deadline for concept notes, and give it another one for papers."""
    meeting, deadline = walk.titled("Steering Committee of the Fund"), walk.titled("Papers for the Steering Committee")
    day = (clock.now() + AHEAD).date()
    with walk.journal.step("Alex enters a meeting of the Steering Committee in the calendar") as made:
        form = walk.alex.open("/calendar/manage/new", kind=KIND)
        entered = walk.alex.send(
            form,
            "/calendar/manage/new",
            precision="day",
            first_1=day.isoformat(),
            last_1=day.isoformat(),
            language="en",
            title__en=meeting,
        )
        if i18n.look_up("en", "calendar.deadline.concept-notes")[0] not in entered.words:
            raise WalkError("the meeting came without its deadline for concept notes")
        made.address = walk.base + entered.path
    with walk.journal.step("Its deadline for concept notes is there; Alex adds one for papers, which will move with it too") as made:
        form = walk.alex.open(f"{entered.path}/deadline")
        followed = walk.alex.send(form, "/deadline", days_before=str(DAYS_BEFORE), language="en", title__en=deadline)
        made.address = walk.base + followed.path
    walk.found |= {"meeting title": meeting, "deadline title": deadline, "meeting day": day.isoformat()}


def find_in_feed(walk: Walk) -> None:
    """Find the meeting, its deadline, the Talk and the pledge's due day in the feed."""
    with walk.journal.step("The calendar's feed holds the meeting and its deadline, and the Talk") as made:
        wanted = [walk.found["meeting title"], walk.found["deadline title"], walk.found["talk.requested title"]]

        feed = until_all(lambda: summaries(walk.anybody.open("/calendar/feed.ics").body), wanted, "/calendar/feed.ics")
        if walk.found["meeting day"].replace("-", "") not in feed:
            raise WalkError("the meeting stands in the feed on another day")
        made.address = f"{walk.base}/calendar/feed.ics"


def summaries(feed: str) -> str:
    """Return the text of an iCalendar with its lines whole and its commas plain (RFC 5545, sections 3.1 and 3.3.11)."""
    return feed.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\\,", ",")
