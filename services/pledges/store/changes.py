"""The feed of changes: every version in the order in which it was written down, each once, however often and late one asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, literal, select, text, tuple_

from services.pledges.domain.filters import Filters
from services.pledges.store.register import conditions
from services.pledges.store.tables import versions
from shared.db import Transaction

# A door reads the clock before it opens its transaction, and the clocks of server and database are not quite the same.
SETTLE_SECONDS = 5.0
FIRST = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the feed: behind this version, or before all of its moment."""

    recorded_at: datetime
    pledge_id: UUID = FIRST
    revision: int = 0


async def settled_until(tx: Transaction) -> datetime:
    """Return the moment before which no further change can be written down.

    A version bears the hour at which its transaction began to decide, and is seen when that one commits: one that began earlier may
    commit later. Who has read beyond its hour would never see it, so the feed ends where the oldest transaction that is still open began.
    """
    oldest = text(
        "SELECT least(now(), min(xact_start)) - make_interval(secs => :settle) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = current_setting('application_name')"
        " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    moment: datetime = (await tx.execute(oldest, {"settle": SETTLE_SECONDS})).scalar_one()
    return moment


async def since(tx: Transaction, place: Place | None, filters: Filters, today: date, *, limit: int) -> Sequence[Row[Any]]:
    """Return the versions behind a place, oldest first."""
    order = (versions.c.recorded_at, versions.c.pledge_id, versions.c.revision)
    wanted: list[ColumnElement[bool]] = [versions.c.recorded_at < await settled_until(tx)]
    if place is not None:
        wanted.append(tuple_(*order) > tuple_(literal(place.recorded_at), literal(place.pledge_id), literal(place.revision)))
    if filters.as_of is not None:
        wanted.append(versions.c.stands_from <= filters.as_of)
    query = select(versions).where(and_(*wanted, *conditions(versions, filters, filters.as_of or today))).order_by(*order).limit(limit)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows
