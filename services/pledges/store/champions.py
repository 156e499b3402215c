"""Champion countries: dated, sourced records; never a list that claims to be whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from services.pledges.store.tables import champions
from shared import clock
from shared.db import Transaction


@dataclass(frozen=True, kw_only=True)
class Champion:
    """A country that a source names as a champion of the Compact."""

    country: str  # ISO 3166-1 alpha-2
    since: str | None  # as exactly as it is known: 2021, 2021-02 or 2021-02-14
    seen: str | None  # when the source names it as one, written likewise
    until: str | None  # likewise; empty while it is one
    source: str
    verified: str  # yes, partly, second-hand, no
    note: str


async def listing(tx: Transaction) -> Sequence[Champion]:
    """Return every champion that is known here, by code; those that are none any more among them."""
    columns = [champions.c[name] for name in Champion.__dataclass_fields__]
    return [Champion(**dict(row)) for row in (await tx.execute(select(*columns).order_by(champions.c.country))).mappings()]


async def changed_at(tx: Transaction) -> datetime | None:
    """Return when a record was last written, or None where there is none."""
    moment: datetime | None = (await tx.execute(select(func.max(champions.c.updated_at)))).scalar_one()
    return moment


async def remove(tx: Transaction, country: str) -> bool:
    """Remove the record of a country, and say whether there was one."""
    return (await tx.execute(delete(champions).where(champions.c.country == country).returning(champions.c.country))).first() is not None


async def keep(tx: Transaction, several: Sequence[Champion], *, by: str | None = None) -> None:
    """Keep these as they are given, in place of what was known of the same countries; `by` is the id of the person, if one did it."""
    now = clock.now()
    rows: list[dict[str, Any]] = [{**vars(one), "updated_at": now, "updated_by": by} for one in several]
    if rows:
        new = insert(champions)
        values = {name: new.excluded[name] for name in rows[0] if name != "country"}
        await tx.execute(new.on_conflict_do_update(index_elements=[champions.c.country], set_=values), rows)
