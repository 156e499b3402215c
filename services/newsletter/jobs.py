"""The clock in: issues open, close and remind; what is kept goes when its time is over; pauses end. Sending is the work of `posting`."""

import logging
from datetime import timedelta

from sqlalchemy import text

from services.newsletter.issues import cutting, opening
from services.newsletter.issues.asking import ask_about_held
from services.newsletter.issues.matter import thing_of
from services.newsletter.issues.rules import IssueError
from services.newsletter.sending import ledger
from services.newsletter.sending.pausing import SENDER
from services.newsletter.subscribing import subscribers, wishes
from services.newsletter.subscribing.rules import CONFIRM_FOR
from services.newsletter.subscribing.wishes import Answering
from shared import clock, heard, tasks
from shared.approval import store as approvals
from shared.db import Database, is_away
from shared.pauses.ending import job_of
from shared.retention import CHUNK, Kept
from shared.service import DAY_SECONDS, Job
from shared.trace import Cause

log = logging.getLogger(__name__)

ISSUES_EVERY_SECONDS = 60.0
HELD_SECONDS = 10.0
# Any number that no other lock of ours uses: of several processes one opens issues at a time.
_ISSUES_LOCK = 7_310_008

ATTEMPT_DAYS = 400
SENDER_DAYS = 7
WISH_DAYS = 90
HOUR_SECONDS = 3600.0
# A wish is answered right after the page that took it; this finds those whose process ended in between.
ANSWER_SECONDS = 30.0

KEPT = (
    Kept(what="items of the pool (newsletter)", days=None, why="an issue can be traced to what it was made from"),
    Kept(what="issues with their blocks, dropped ones too (newsletter)", days=None, why="what an issue was made from can be shown"),
    approvals.kept("newsletter"),
    tasks.kept("newsletter"),
    heard.kept("newsletter"),
    Kept(what="blackouts and embargoes (newsletter), each as it stood last", days=None, why="why something waited can be looked up"),
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


async def open_and_cut(database: Database, zone: str, public_url: str) -> None:
    """Do what the calendar asks for: cut what has closed, open what is to gather now, remind of what will close.

    However often, late or many at once this runs, an issue opens once a month and is cut once.
    """
    thing = thing_of(public_url)
    async with database.transaction() as tx:
        closed = await cutting.due(tx, clock.now(), zone)
    for issue_id in closed:
        try:
            async with database.transaction() as tx:
                await cutting.cut(tx, thing, issue_id, by=None, cause=Cause.start(issue_id))
        except IssueError as error:  # somebody was quicker
            log.info("issue %s was not cut by the clock: %s", issue_id, error)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("issue %s could not be cut; the others go on", issue_id)
    async with database.transaction() as tx:
        alone = await tx.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _ISSUES_LOCK})
        if alone.scalar_one():
            await opening.open_due(tx, clock.now(), zone)
            await opening.remind(tx, clock.now(), zone, public_url)


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
    Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),
    Job(name="old wishes", every_seconds=HOUR_SECONDS, run=forget_wishes),
    job_of(SENDER),
)
"""What needs to know of no setting."""


def of(zone: str, public_url: str) -> tuple[Job, ...]:
    """Return all work by the clock but the answers to wishes; `zone` is the one in which days begin and end."""

    async def run(database: Database) -> None:
        await open_and_cut(database, zone, public_url)

    async def ask(database: Database) -> None:
        await ask_about_held(database, thing_of(public_url))

    return (
        Job(name="issues", every_seconds=ISSUES_EVERY_SECONDS, run=run),
        Job(name="held issues", every_seconds=HELD_SECONDS, run=ask),
        *JOBS,
    )
