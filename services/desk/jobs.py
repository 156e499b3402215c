"""The clock in: what is over is forgotten, and people are told of again before Kafka forgets them."""

from datetime import timedelta

from services.desk import store
from services.desk.awaiting import store as awaiting
from services.desk.public import store as public
from services.desk.public.rules import Kind
from shared import clock
from shared.db import Database
from shared.retention import CHUNK, INBOX_DAYS, MAIL_DAYS, Kept
from shared.service import DAY_SECONDS, Job

OVER_DAYS = 7
TASK_DAYS = 90
"""As long as the services keep theirs, and longer than anything is told again."""
THINGS_MOST = 100
"""Of each kind; many more than the front page shows, so that what was withdrawn leaves no gap."""
HAPPENED_DAYS = 14
TELL_AGAIN_DAYS = 6
"""With the day between two looks, half of what a topic keeps."""

KEPT = (
    Kept(what="people who work here (desk)", days=None, why="who decided something can be named later; a disabled person stays listed"),
    Kept(what="sign-in links and sessions that are over (desk, hashed)", days=OVER_DAYS, why="what went wrong with one can be looked into"),
    Kept(what="audit trail (desk)", days=None, why="a chain of hashes stands or falls as a whole"),
    Kept(
        what="kill switch (desk), the last word on each scope and each sender's answer", days=None, why="as many rows as scopes and senders"
    ),
    Kept(
        what="what awaited people, once it is closed, and who was mailed of it (desk)",
        days=TASK_DAYS,
        why="a repeat of what was told, however late, mails nobody again",
    ),
    Kept(what="how each person wants to be mailed (desk)", days=None, why="until they choose otherwise"),
    Kept(
        what="mails that other services wanted (desk, without their texts)",
        days=MAIL_DAYS,
        why="it can be said that a mail was asked for",
    ),
    Kept(
        what="what the front page shows (desk)",
        days=None,
        why="the newest hundred of each kind, and what is still to come; the services keep the things themselves",
    ),
    Kept(
        what="what was withdrawn from the front page (desk, its id alone)",
        days=INBOX_DAYS,
        why="no older word, however late, brings it back",
    ),
    Kept(what="what happened lately (desk)", days=HAPPENED_DAYS, why="the team hears of it on its start page"),
    Kept(what="names and roles of people (every service)", days=None, why="tokens made before a cut-off stay void"),
)
"""What the desk keeps beside what every service keeps."""


async def forget_over(database: Database) -> int:
    """Delete links and sessions that have been over for a week, and return how many."""
    async with database.transaction() as tx:
        return await store.forget_over(tx, clock.now() - timedelta(days=OVER_DAYS))


async def forget_tasks(database: Database) -> int:
    """Delete tasks that were closed long enough ago, and what is left of mails that were wanted; return how many rows went."""
    now, gone = clock.now(), 0
    while True:
        async with database.transaction() as tx:
            done = await awaiting.forget_closed(tx, now - timedelta(days=TASK_DAYS), CHUNK)
        gone += done
        if done < CHUNK:
            break
    async with database.transaction() as tx:
        return gone + await awaiting.forget_wanted(tx, now - timedelta(days=MAIL_DAYS))


async def forget_public(database: Database) -> int:
    """Delete what the front page does not reach any more, and what happened long enough ago; returns how many rows went."""
    now = clock.now()
    before, today = now - timedelta(days=INBOX_DAYS), now.date()
    gone = 0
    for kind in Kind:
        async with database.transaction() as tx:
            gone += await public.forget_beyond(tx, kind, most=THINGS_MOST, before=before, today=today)
    async with database.transaction() as tx:
        return gone + await public.forget_happened(tx, now - timedelta(days=HAPPENED_DAYS), today)


async def tell_again(database: Database) -> int:
    """Tell again of everybody who was last told of a week ago, and return how many.

    A topic forgets after a fortnight. A service that is new, or begins anew on an empty database, thus finds everybody in it; to the
    others it is an old word.
    """
    async with database.transaction() as tx:
        return await store.tell_again(tx, clock.now() - timedelta(days=TELL_AGAIN_DAYS))


JOBS = (
    Job(name="sign-in links and sessions", every_seconds=DAY_SECONDS, run=forget_over),
    Job(name="tasks long closed", every_seconds=DAY_SECONDS, run=forget_tasks),
    Job(name="things of the front page", every_seconds=DAY_SECONDS, run=forget_public),
    Job(name="people told of again", every_seconds=DAY_SECONDS, run=tell_again),
)
