"""The clock in: deadlines that come near are told of; what was asked of people and is done goes when its time is over."""

from services.calendar.deadlines import Nearness
from services.calendar.planning import Planning
from services.calendar.yearly import Years
from shared import tasks
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job

# A new day begins once a day, but a meeting may be moved at any hour, and its deadline with it.
LOOK_EVERY_SECONDS = 300.0

KEPT = (
    tasks.kept("calendar"),
    Kept(what="dates with every move of them (calendar)", days=None, why="a subscriber's copy can be explained however old it is"),
    Kept(what="deadlines that were told of as near (calendar)", days=None, why="each is told once for each threshold"),
    Kept(what="rows of lists as they were last taken in (calendar)", days=None, why="the same row again changes nothing"),
    Kept(what="the newest revision of each thing that has a date (calendar)", days=None, why="an older word never replaces a newer one"),
    Kept(what="dates that were suggested, with their contacts (calendar, contacts encrypted)", days=None, why="the sender can be answered"),
)
"""What the calendar keeps beside what every service keeps."""

JOBS = (Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),)


def jobs_of(planning: Planning) -> tuple[Job, ...]:
    """Return the calendar's work by the clock."""
    return (
        *JOBS,
        Job(name="deadlines that are near", every_seconds=LOOK_EVERY_SECONDS, run=Nearness(planning.tell, planning.zone).run),
        Job(name="named days of the coming year", every_seconds=DAY_SECONDS, run=Years(planning).run),
    )
