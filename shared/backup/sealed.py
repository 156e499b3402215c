"""Whether TIDINGS_DATA_KEYS open what is kept encrypted: looked for in every column that may hold it, whatever service owns it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.vault import SealError, Vault

# How each thing that a Vault seals begins: version 128 and a time before the year 2106, in the letters of base64.
_BEGINS = b"gAAAAA"
# Raw requests and files may be large; the keys show themselves on the small ones.
_LONGEST_BYTES = 512 * 1024

_COLUMNS = """
    SELECT c.relname AS table, a.attname AS column
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype
    ORDER BY c.relname, a.attnum
"""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """One column with things sealed."""

    column: str  # schema, table and column: newsletter.subscribers.address
    looked_at: int
    closed: int  # what no key of ours opens


async def look(connection: Any, schemas: Iterable[str], vault: Vault, *, most: int | None = None) -> Sequence[Sealed]:
    """Return the columns that hold something sealed, with how much of it does not open; `most` values of each, all where None.

    Wants an open transaction on the asyncpg connection.
    """
    found = []
    for schema in schemas:
        for row in await connection.fetch(_COLUMNS, schema):
            column = f'"{row["table"]}"."{row["column"]}"'
            # Names from the catalogue. Both ends of the table: what an old key sealed, and what the newest did.
            query = (
                f'SELECT "{row["column"]}" FROM "{schema}"."{row["table"]}" WHERE substring({column} from 1 for 6) = $1'  # noqa: S608
                f" AND octet_length({column}) <= $2"
            )
            if most is not None:
                query = f"({query} ORDER BY ctid LIMIT {most // 2}) UNION ({query} ORDER BY ctid DESC LIMIT {most // 2})"
            looked_at = closed = 0
            async for kept in connection.cursor(query, _BEGINS, _LONGEST_BYTES):
                looked_at += 1
                closed += not _opens(vault, kept[0])
            if looked_at:
                name = f"{schema}.{row['table']}.{row['column']}"
                found.append(Sealed(column=name, looked_at=looked_at, closed=closed))
    return found


def _opens(vault: Vault, sealed: bytes) -> bool:
    try:
        vault.open(sealed)
    except SealError:
        return False
    return True
