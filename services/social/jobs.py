"""The clock in: what social media keep, and pauses that end by themselves."""

from services.social.store import SENDER
from shared.pauses.ending import job_of
from shared.retention import Kept

KEPT = (
    Kept(what="drafts of posts (social)", days=None, why="a post can be traced to what it was made from"),
    Kept(what="pauses (social), the last of each scope", days=None, why="why nothing left, and what waited, can be looked up"),
)
"""What social media keep beside what every service keeps."""

JOBS = (job_of(SENDER),)
