"""Reminders: owners of pledges of whom nothing was heard are asked, once on each occasion, with a fresh link."""

import logging
from datetime import UTC, datetime, time
from uuid import UUID

from services.pledges.domain.reports import Reason, is_to_remind
from services.pledges.letters import Letters, Mail
from services.pledges.store import pledges
from shared import clock
from shared.db import Database, Transaction
from shared.vault import SealError

log = logging.getLogger(__name__)

_MAILS = {Reason.SILENT: Mail.SILENT, Reason.DUE: Mail.DUE}


async def remind(database: Database, letters: Letters) -> int:
    """Write to every owner whose word is awaited, each in a transaction of its own, and return how many were written to.

    However often, late or many at once this runs, an owner is written to once on each occasion.
    """
    async with database.transaction() as tx:
        silent = await pledges.silent(tx, clock.now().date())
    written = 0
    for pledge_id in silent:
        async with database.transaction() as tx:
            written += await _remind_one(tx, letters, pledge_id)
    return written


async def _remind_one(tx: Transaction, letters: Letters, pledge_id: UUID) -> bool:
    pledge = await pledges.lock(tx, pledge_id)
    if pledge is None:
        return False
    now = clock.now()
    occasion = is_to_remind(pledge.facts, pledge.reminded_at.date() if pledge.reminded_at else None, now.date())
    if occasion is None:
        return False
    try:
        since = max(datetime.combine(occasion.since, time(), UTC), pledge.created_at)  # of an import, days may be long past
        written = await letters.write(tx, pledge, _MAILS[occasion.reason], decided_at=since)
    except SealError:
        log.error("the contact of %s cannot be opened: %s", pledge.number, SealError.__doc__)  # noqa: TRY400  # says all there is
        return False
    if written:
        await pledges.note_reminded(tx, pledge.id, now)
    return written
