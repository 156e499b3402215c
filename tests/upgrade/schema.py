"""A schema in words: whatever a migration can change, as PostgreSQL itself says it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_QUESTIONS: Mapping[str, str] = {
    "columns": """
        SELECT concat_ws(' ', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'NOT NULL' END,
            CASE WHEN d.oid IS NOT NULL AND a.attgenerated = '' THEN 'DEFAULT' WHEN d.oid IS NOT NULL THEN 'GENERATED' END,
            pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN 'IDENTITY ' || a.attidentity::text END)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE n.nspname = :schema AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum""",
    "constraints": """
        SELECT c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = :schema AND k.contype <> 'n' ORDER BY 1""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = :schema ORDER BY 1",
    "triggers": """
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = :schema AND NOT t.tgisinternal ORDER BY 1""",
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = :schema ORDER BY 1""",
    "sequences": """
        SELECT concat_ws(' ', c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement) FROM pg_sequence s
            JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema ORDER BY 1""",
}


async def described(connection: AsyncConnection, schemas: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return every schema in words."""
    await connection.execute(text("SET LOCAL search_path TO ''"))  # names are said with their schema, whoever asks
    found: dict[str, dict[str, list[str]]] = {}
    for schema in schemas:
        said: dict[str, list[str]] = {}
        for what, question in _QUESTIONS.items():
            rows: Sequence[Any] = (await connection.execute(text(question), {"schema": schema})).scalars().all()
            said[what] = [str(row) for row in rows]
        found[schema] = said
    return found
