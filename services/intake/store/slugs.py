"""Addresses that nothing else has."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from shared.db import Transaction


async def insert_under_free_slug(tx: Transaction, table: Table, slugs: Sequence[str], **values: Any) -> str:
    """Return the first of `slugs` that nothing in `table` has, under which the row now stands; the last one is its own alone."""
    for slug in slugs:
        row = insert(table).values(**values, slug=slug)
        done = await tx.execute(row.on_conflict_do_nothing(index_elements=[table.c.slug]).returning(table.c.id))
        if done.first() is not None:
            return slug
    raise LookupError(f"no address is free among {', '.join(slugs)}, though the last is its own")
