"""What is kept for how long; `python -m shared.retention` writes the table for operators, and a job keeps to it."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from sqlalchemy import delete, select, update

from shared import clock
from shared.broker import TOPIC_DAYS
from shared.db import Database, Transaction
from shared.inbox import inbox
from shared.outbox import outbox
from shared.parking import ParkedState, parked

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "retention.md"
# One statement deletes no more than this, so that it never holds locks for long.
CHUNK = 5_000


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One kind of data and its days."""

    what: str
    days: int | None  # None: no limit; `why` says what ends it
    why: str


OUTBOX_DAYS = 35
INBOX_DAYS = 90
MAIL_DAYS = 90

TABLE = (
    Kept(what="outbox (events told, every service)", days=OUTBOX_DAYS, why="a restored neighbour can be told again what it missed"),
    Kept(what="Kafka topics", days=TOPIC_DAYS, why="a service that was away for a fortnight still finds everything"),
    Kept(what="inbox (events taken, every service)", days=INBOX_DAYS, why="longer than outbox and topics, so that no repeat acts twice"),
    Kept(what="parked events that wait or are dead", days=None, why="nothing that came in is lost without a person's word"),
    Kept(what="parked events that were discarded", days=INBOX_DAYS, why="who gave an event up, and why, can be looked up"),
    Kept(
        what="recipient and text of one-off mails (encrypted)",
        days=0,
        why="erased as soon as a mail was accepted, refused or came too late",
    ),
    Kept(
        what="one-off mails that have ended, without recipient and text",
        days=MAIL_DAYS,
        why="it can be said whether a mail left, and what was answered",
    ),
)


async def tidy(database: Database) -> int:
    """Delete what has been kept long enough and return how many rows went; what was not sent is never old enough."""
    now = clock.now()
    told, taken = now - timedelta(days=OUTBOX_DAYS), now - timedelta(days=INBOX_DAYS)
    gone = 0
    for table, key, old in (
        (outbox, outbox.c.seq, (outbox.c.sent_at < told) & (outbox.c.time < told)),
        (inbox, inbox.c.event_id, (inbox.c.outcome_at < taken) & (inbox.c.outcome != "parked")),
        (parked, parked.c.id, (parked.c.last_at < taken) & (parked.c.state == ParkedState.DISCARDED.value)),
    ):
        while True:
            async with database.transaction() as tx:
                done = await tx.execute(delete(table).where(key.in_(select(key).where(old).limit(CHUNK))))
            gone += done.rowcount
            if done.rowcount < CHUNK:
                break
    if gone:
        log.info("%s let %d rows go whose time was over", database.service, gone)
    return gone


async def remember_taken(tx: Transaction) -> None:
    """Keep what the inbox knows for as long as what is told anew from now on may be told once more, and lie in Kafka.

    For a restore: an archive may be old, and its outboxes get all their days again. What was taken lately keeps the hour that pages show.
    """
    kept = clock.now() - timedelta(days=INBOX_DAYS - 2 * OUTBOX_DAYS)
    await tx.execute(update(inbox).where(inbox.c.outcome_at < kept, inbox.c.outcome != "parked").values(outcome_at=kept))


def everything_kept() -> Sequence[Kept]:
    """Return what every service keeps, then what single services add in the `KEPT` of their jobs."""
    # Found by looking into the folder: nothing shared names a service.
    jobs = [import_module(f"services.{found.parent.name}.jobs") for found in sorted((ROOT / "services").glob("*/jobs.py"))]
    return (*TABLE, *(kept for module in jobs for kept in getattr(module, "KEPT", ())))


def page() -> str:
    """Return docs/retention.md."""
    rows = "\n".join(f"| {kept.what} | {'no limit' if kept.days is None else kept.days} | {kept.why} |" for kept in everything_kept())
    return (
        "# What is kept, and for how long\n\n"
        "Made by `make docs` from `shared/retention.py` and what each service adds; do not edit it here.\n"
        "A job in each service deletes once a day what is over its days. "
        "Topics get their days when Tidings makes them; Kafka keeps to them.\n\n"
        f"| what | days | why |\n|---|---|---|\n{rows}\n"
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stderr.write(f"docs/{PAGE.name} written\n")


if __name__ == "__main__":
    main()
