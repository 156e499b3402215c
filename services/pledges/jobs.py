"""The clock in: what was asked of people and is done goes when its time is over."""

from shared import tasks
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job

KEPT = (
    tasks.kept("pledges"),
    Kept(what="pledges with every version of them (pledges)", days=None, why="the register can be shown as it stood on any day"),
    Kept(what="reports of owners (pledges)", days=None, why="what was said, and what shows it, can be looked up"),
    Kept(what="contacts of pledges (pledges, encrypted)", days=None, why="owners are asked how far they have come"),
)
"""What the register keeps beside what every service keeps."""

JOBS = (Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),)
