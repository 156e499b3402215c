"""The clock in: what is due goes out, what may have gone out is looked up, and pauses end by themselves."""

from collections.abc import Sequence

from services.social.sender import Sender
from services.social.store.pausing import SENDER
from shared.pauses.ending import job_of
from shared.retention import Kept
from shared.service import Job

SEND_EVERY_SECONDS = 1.0

KEPT = (
    Kept(what="drafts of posts (social)", days=None, why="a post can be traced to what it was made from"),
    Kept(
        what="posts with every attempt to send them and what the network said (social)",
        days=None,
        why="what stood in public, and why, can be shown; it holds no subscriber and no contact",
    ),
    Kept(what="pauses (social), the last of each scope", days=None, why="why nothing left, and what waited, can be looked up"),
    Kept(what="pictures of posts (social)", days=None, why="an approval names them by their hash"),
)
"""What social media keep beside what every service keeps."""


JOBS = (job_of(SENDER),)


def of(sender: Sender) -> Sequence[Job]:
    """Return the work by the clock of this sender."""
    return (Job(name="posts", every_seconds=SEND_EVERY_SECONDS, run=sender.run), *JOBS)
