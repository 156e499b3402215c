"""The register as it stood on a day, and what one pledge has been; only read here."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.pledges.domain.pledges import Standing, Version
from services.pledges.store.pledges import version_in
from services.pledges.store.tables import versions
from shared.db import Transaction


def stood_on(day: date) -> Select[Any]:
    """Return the query for the version of each pledge that stood at the end of a UTC day, withdrawn ones among them.

    Columns are those of `versions`. Filter what it gives, never before: a version that does not fit must not let an older one through.
    """
    return (
        select(*versions.c)
        .ext(distinct_on(versions.c.pledge_id))
        .where(versions.c.stands_from <= day)
        .order_by(versions.c.pledge_id, versions.c.revision.desc())
    )


async def register_as_of(tx: Transaction, day: date) -> Sequence[Version]:
    """Return the pledges that stood on the register at the end of a UTC day, as they were then, in the order of their numbers."""
    then = stood_on(day).subquery()
    query = select(then).where(then.c.standing == Standing.PUBLISHED.value).order_by(then.c.number)
    return [version_in(row) for row in await tx.execute(query)]


async def versions_of(tx: Transaction, pledge_id: UUID) -> Sequence[Version]:
    """Return what a pledge has been, oldest first."""
    query = select(versions).where(versions.c.pledge_id == pledge_id).order_by(versions.c.revision)
    return [version_in(row) for row in await tx.execute(query)]
