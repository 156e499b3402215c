"""The clock in: what was asked of people and is done goes when its time is over."""

from shared import tasks
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job

KEPT = (
    tasks.kept("calendar"),
    Kept(what="dates with every move of them (calendar)", days=None, why="a subscriber's copy can be explained however old it is"),
    Kept(what="dates that were suggested, with their contacts (calendar, contacts encrypted)", days=None, why="the sender can be answered"),
)
"""What the calendar keeps beside what every service keeps."""

JOBS = (Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),)
