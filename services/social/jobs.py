"""The clock in: what is due goes out, what may have gone out is looked up, and pauses end by themselves."""

from collections.abc import Sequence

from services.social.posting import planning
from services.social.posting.asking import Asking
from services.social.sender import Sender
from services.social.store.pausing import SENDER
from shared import heard, tasks
from shared.approval import editing
from shared.approval import store as approvals
from shared.approval.things import Thing
from shared.db import Database
from shared.pauses.ending import job_of
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job
from shared.trace import Cause

SEND_EVERY_SECONDS = 1.0
# The sender looks at the end of an approval itself; the job tells people of it.
EXPIRE_EVERY_SECONDS = 20.0
ASK_EVERY_SECONDS = 10.0

KEPT = (
    approvals.kept("social"),
    tasks.kept("social"),
    heard.kept("social"),
    Kept(what="blackouts and embargoes (social), each as it stood last", days=None, why="why something waited can be looked up"),
    Kept(
        what="posts as people wrote them (social)",
        days=None,
        why="what was written can be looked up beside what was approved",
    ),
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


class Expiry:
    """Ends what must not leave any more."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing

    async def run(self, database: Database) -> None:
        """Expire what is due, and take back what was planned of it."""
        while True:
            async with database.transaction() as tx:
                gone = await editing.expire_due(tx, self._thing, cause=(cause := Cause.start()))
                for post_id in gone:
                    await planning.follow(tx, post_id, cause=cause)
            if len(gone) < editing.CHUNK:
                return


def of(sender: Sender, thing: Thing) -> Sequence[Job]:
    """Return the work by the clock of this sender."""
    return (
        Job(name="posts", every_seconds=SEND_EVERY_SECONDS, run=sender.run),
        Job(name="expiry", every_seconds=EXPIRE_EVERY_SECONDS, run=Expiry(thing).run),
        Job(name="what posts ask", every_seconds=ASK_EVERY_SECONDS, run=Asking(thing).run),
        Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),
        *JOBS,
    )
