"""The clock in: raw requests are erased when their time is over, and what nobody confirmed ends."""

from datetime import timedelta

from services.intake.domain import CONFIRM_DAYS
from services.intake.letters.notices import Notices
from services.intake.publishing.arriving import Arrivals
from services.intake.store import files, submissions
from shared import clock, tasks
from shared.db import Database
from shared.retention import CHUNK, Kept
from shared.service import DAY_SECONDS, Job

RAW_DAYS = 90
UNCONFIRMED_DAYS = 90
HOUR_SECONDS = 3600.0
NOTICE_SECONDS = 5.0  # a person who has just decided may tell the sender on the telephone; the mail should be there
_FILES = 20  # at most 25 MB each

KEPT = (
    Kept(what="raw webhook requests (intake, encrypted)", days=RAW_DAYS, why="a partner's question about what it sent can be answered"),
    Kept(what="receipts (intake)", days=None, why="a repeat gets the same receipt however late it comes"),
    Kept(what="partners and their keys (intake, keys encrypted)", days=None, why="who sent something can be named later"),
    Kept(what="practices, news (intake)", days=None, why="they stay public until a person withdraws them"),
    Kept(what="GCM Talks with their outcomes (intake)", days=None, why="what was held, moved or cancelled stays to be seen"),
    Kept(
        what="contributions and requests for promotion (intake)",
        days=None,
        why="what became of them can be told, and they can be corrected",
    ),
    Kept(
        what="submissions by form that nobody confirmed (intake, contact erased after 7 days)",
        days=UNCONFIRMED_DAYS,
        why="their tracking page can say why they were not read",
    ),
    tasks.kept("intake"),
    Kept(what="files that came with submissions (intake)", days=None, why="what was decided on can be looked at again"),
    Kept(what="what followed from submissions (intake)", days=None, why="their tracking pages say where they were printed and posted"),
    Kept(what="mailboxes of initiatives (intake, encrypted)", days=None, why="enquiries reach those who answer them"),
    Kept(what="submissions with their contacts (intake, contacts encrypted)", days=None, why="the sender can be answered and asked"),
)
"""What intake keeps beside what every service keeps."""


async def forget_raw_requests(database: Database) -> int:
    """Erase raw requests older than 90 days and return how many went; receipts and submissions stay."""
    gone = 0
    while True:
        async with database.transaction() as tx:
            done = await submissions.forget_raw(tx, clock.now() - timedelta(days=RAW_DAYS), CHUNK)
        gone += done
        if done < CHUNK:
            return gone


async def end_unconfirmed(database: Database) -> int:
    """End what nobody confirmed within seven days, delete what ended so long ago that nobody asks, and return how many were touched."""
    now = clock.now()
    async with database.transaction() as tx:
        ended = await submissions.expire_unconfirmed(tx, now - timedelta(days=CONFIRM_DAYS))
    while True:
        async with database.transaction() as tx:
            gone = await submissions.forget_expired(tx, now - timedelta(days=UNCONFIRMED_DAYS), CHUNK)
        ended += gone
        if gone < CHUNK:
            return ended


async def forget_unused_files(database: Database) -> int:
    """Delete the files of submissions that are gone, and return how many went."""
    gone = 0
    while True:
        async with database.transaction() as tx:
            done = await files.forget_unused(tx, clock.now() - timedelta(days=1), _FILES)
        gone += done
        if done < _FILES:
            return gone


JOBS = (
    Job(name="raw requests", every_seconds=DAY_SECONDS, run=forget_raw_requests),
    Job(name="unconfirmed submissions", every_seconds=HOUR_SECONDS, run=end_unconfirmed),
    Job(name="files of nothing", every_seconds=DAY_SECONDS, run=forget_unused_files),
    Job(name="tasks long closed", every_seconds=DAY_SECONDS, run=tasks.tidy),
)


def jobs_of(notices: Notices, arrivals: Arrivals) -> tuple[Job, ...]:
    """Return the jobs."""
    return (
        *JOBS,
        Job(name="mails to senders", every_seconds=NOTICE_SECONDS, run=notices.write),
        Job(name="enquiries that no mailbox took", every_seconds=HOUR_SECONDS, run=arrivals.take_back_lost),
    )
