"""The clock in: what is over is forgotten, and people are told of again before Kafka forgets them."""

from datetime import timedelta

from services.desk import store
from services.desk.awaiting import store as awaiting
from shared import clock
from shared.db import Database
from shared.retention import CHUNK, MAIL_DAYS, Kept
from shared.service import DAY_SECONDS, Job

OVER_DAYS = 7
TASK_DAYS = 90
"""As long as the services keep theirs, and longer than anything is told again."""
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
    Job(name="people told of again", every_seconds=DAY_SECONDS, run=tell_again),
)
