"""The clock in: what the newsletter keeps, and pauses that end by themselves."""

from services.newsletter.store import SENDER
from shared.pauses.ending import job_of
from shared.retention import Kept

KEPT = (
    Kept(what="items of the pool (newsletter)", days=None, why="an issue can be traced to what it was made from"),
    Kept(what="pauses (newsletter), the last of each scope", days=None, why="why nothing left, and what waited, can be looked up"),
)
"""What the newsletter keeps beside what every service keeps."""

JOBS = (job_of(SENDER),)
