"""The clock in: links and sessions that are over are forgotten."""

from datetime import timedelta

from services.desk import store
from shared import clock
from shared.db import Database
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job

OVER_DAYS = 7

KEPT = (
    Kept(what="people who work here (desk)", days=None, why="who decided something can be named later; a disabled person stays listed"),
    Kept(what="sign-in links and sessions that are over (desk, hashed)", days=OVER_DAYS, why="what went wrong with one can be looked into"),
    Kept(what="audit trail (desk)", days=None, why="a chain of hashes stands or falls as a whole"),
    Kept(
        what="kill switch (desk), the last word on each scope and each sender's answer", days=None, why="as many rows as scopes and senders"
    ),
    Kept(what="names and roles of people (every service)", days=None, why="tokens made before a cut-off stay void"),
)
"""What the desk keeps beside what every service keeps."""


async def forget_over(database: Database) -> int:
    """Delete links and sessions that have been over for a week, and return how many."""
    async with database.transaction() as tx:
        return await store.forget_over(tx, clock.now() - timedelta(days=OVER_DAYS))


JOBS = (Job(name="sign-in links and sessions", every_seconds=DAY_SECONDS, run=forget_over),)
