"""The clock in: what the newsletter keeps, and for how long; pauses that end by themselves. Sending is the work of `posting`."""

from datetime import timedelta

from services.newsletter.sending import ledger
from services.newsletter.sending.pausing import SENDER
from services.newsletter.subscribing import subscribers, wishes
from services.newsletter.subscribing.rules import CONFIRM_FOR
from services.newsletter.subscribing.wishes import Answering
from shared import clock
from shared.db import Database
from shared.pauses.ending import job_of
from shared.retention import CHUNK, Kept
from shared.service import DAY_SECONDS, Job

ATTEMPT_DAYS = 400
SENDER_DAYS = 7
WISH_DAYS = 90
HOUR_SECONDS = 3600.0
# A wish is answered right after the page that took it; this finds those whose process ended in between.
ANSWER_SECONDS = 30.0

KEPT = (
    Kept(what="items of the pool (newsletter)", days=None, why="an issue can be traced to what it was made from"),
    Kept(what="subscribers (newsletter, addresses encrypted)", days=None, why="until they ask to be erased; a keyed hash stays"),
    Kept(
        what="addresses that were signed up and never confirmed (newsletter, encrypted)",
        days=CONFIRM_FOR.days,
        why="the link in the mail can be used for so long; then nothing of the address stays",
    ),
    Kept(
        what="what was asked for by mailed link, without the address once it has ended (newsletter)",
        days=WISH_DAYS,
        why="it can be said whether somebody was mailed",
    ),
    Kept(
        what="receipts of consent (newsletter, by id, without any address)",
        days=None,
        why="who agreed to what, in which words, and when they took it back, can be shown; they outlive the address",
    ),
    Kept(what="sent issues as they were approved (newsletter)", days=None, why="what went out can be shown, word by word"),
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


async def forget_wishes(database: Database) -> int:
    """Erase addresses that nobody confirmed in time, and what is left of old wishes; returns how many rows were touched."""
    async with database.transaction() as tx:
        touched = await wishes.expire(tx)
    for forget_some in (
        subscribers.forget_unconfirmed,
        lambda tx, most: wishes.forget(tx, clock.now() - timedelta(days=WISH_DAYS), most),
    ):
        while True:
            async with database.transaction() as tx:
                gone = await forget_some(tx, CHUNK)
            touched += gone
            if gone < CHUNK:
                break
    return touched


def answer_by(answering: Answering) -> Job:
    """Return the job that answers wishes."""
    return Job(name="wishes", every_seconds=ANSWER_SECONDS, run=answering.run)


JOBS = (
    Job(name="old attempts", every_seconds=DAY_SECONDS, run=forget),
    Job(name="old wishes", every_seconds=HOUR_SECONDS, run=forget_wishes),
    job_of(SENDER),
)
