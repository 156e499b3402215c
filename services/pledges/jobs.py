"""The clock in: owners of whom nothing was heard are asked; what was asked of people and is done goes when its time is over."""

from datetime import timedelta

from services.pledges.letters import Letters
from services.pledges.reminding import remind
from services.pledges.store import reports
from shared import clock, tasks
from shared.db import Database
from shared.retention import Kept
from shared.service import DAY_SECONDS, Job

LINK_KEPT_DAYS = 90
REMIND_EVERY_SECONDS = 3600.0

KEPT = (
    tasks.kept("pledges"),
    Kept(what="pledges with every version of them (pledges)", days=None, why="the register can be shown as it stood on any day"),
    Kept(
        what="pledges that came in (pledges, contacts encrypted)",
        days=None,
        why="why one was declined can be looked up",
    ),
    Kept(what="reports of owners (pledges)", days=None, why="what was said, and what shows it, can be looked up"),
    Kept(what="contacts of pledges (pledges, encrypted)", days=None, why="owners are asked how far they have come"),
    Kept(what="mailed links for reports, by their hash (pledges)", days=LINK_KEPT_DAYS, why="a link that is over says so"),
    Kept(what="champion countries with their sources (pledges)", days=None, why="who was one, and since when, stays known"),
)
"""What the register keeps beside what every service keeps."""


async def forget_links(database: Database) -> int:
    """Delete links whose time was over long ago, and return how many went."""
    async with database.transaction() as tx:
        return await reports.forget_links(tx, clock.now() - timedelta(days=LINK_KEPT_DAYS))


def jobs_of(letters: Letters) -> tuple[Job, ...]:
    """Return the jobs of the register."""

    async def ask_owners(database: Database) -> int:
        return await remind(database, letters)

    return (
        # By the hour, so that a process that starts anew each night still asks.
        Job(name="reminders to owners", every_seconds=REMIND_EVERY_SECONDS, run=ask_owners),
        Job(name="old links for reports", every_seconds=DAY_SECONDS, run=forget_links),
        Job(name="closed tasks", every_seconds=DAY_SECONDS, run=tasks.tidy),
    )
