"""The clock in: what the newsletter keeps, and for how long; pauses that end by themselves. Sending is the work of `posting`."""

from datetime import timedelta

from services.newsletter.sending import ledger
from services.newsletter.sending.pausing import SENDER
from shared import clock
from shared.db import Database
from shared.pauses.ending import job_of
from shared.retention import CHUNK, Kept
from shared.service import DAY_SECONDS, Job

ATTEMPT_DAYS = 400
SENDER_DAYS = 7

KEPT = (
    Kept(what="items of the pool (newsletter)", days=None, why="an issue can be traced to what it was made from"),
    Kept(what="subscribers (newsletter, addresses encrypted)", days=None, why="until they ask to be erased; a keyed hash stays"),
    Kept(what="sent issues as they were approved (newsletter)", days=None, why="what went out can be shown, word by word"),
    Kept(what="issues in the public archive (newsletter)", days=None, why="everybody may read again what was sent; nothing personal in it"),
    Kept(what="audiences: who got which issue (newsletter, by id)", days=None, why="an issue never goes to anybody twice"),
    Kept(
        what="attempts to send, with the server's answers (newsletter)",
        days=ATTEMPT_DAYS,
        why="why somebody did not get an issue can be said",
    ),
    Kept(what="pauses (newsletter), the last of each scope", days=None, why="why nothing left, and what waited, can be looked up"),
    Kept(what="senders that ended (newsletter)", days=SENDER_DAYS, why="what happened in the last days can be looked into"),
)
"""What the newsletter keeps beside what every service keeps."""


async def forget(database: Database) -> int:
    """Delete attempts and senders whose days are over, and return how many rows went."""
    async with database.transaction() as tx:
        gone = await ledger.forget_senders(tx, SENDER_DAYS)
    while True:
        async with database.transaction() as tx:
            done = await ledger.forget_attempts(tx, clock.now() - timedelta(days=ATTEMPT_DAYS), CHUNK)
        gone += done
        if done < CHUNK:
            return gone


JOBS = (Job(name="old attempts", every_seconds=DAY_SECONDS, run=forget), job_of(SENDER))
