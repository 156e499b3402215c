"""What a sweep costs once a minute, for years: no query of one reads the whole of a table that grows."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from services.owners import OWNERS
from shared.db import Database
from tests.sweeps.swept import ask, run, sweeps_of
from tests.watched import Watched

ROWS = 5_000
"""Of each table; from some thousands on PostgreSQL chooses an index where one serves."""
_OF_TYPE: Mapping[str, str] = {
    "uuid": "gen_random_uuid()",
    "text": "i::text",
    "timestamptz": "now() - interval '30 days'",
    "jsonb": "'{}'",
    "int2": "0",
    "int4": "1",
    "int8": "i",
    "float8": "0",
    "numeric": "0",
    "bool": "false",
    "bytea": "i::text::bytea",
    "date": "current_date - 30",
    "timestamp": "now() - interval '30 days'",
}
_NUMBER = "lpad(to_hex(i), 32, '0')::uuid"
_NUMBERED = {"id": _NUMBER}
_OVER = "now() - interval '30 days'"
_HANDLED = {"outcome": "'handled'"}
_SENT = {"sent_at": _OVER}
_DECIDED = {"state": "'accepted'", "decided_at": _OVER}
_ENDED = {"state": "'accepted'", "ended_at": _OVER}
_CLOSED = {"closed_at": _OVER, '"end"': "'done'"}
_BACKBONE = {"outbox": _SENT, "inbox": _HANDLED, "parked": {"state": "'discarded'"}}
_APPROVED = {
    "approvals": {"about": "'post'", "state": "'approved'", "variants": '\'{"x/en": "x"}\'', "item": _NUMBER, "steps": "1"},
    "approval_steps": {"about": "'post'", "state": "'approved'", "item": _NUMBER, "number": "1"},
}
_PARTNER = f"INSERT INTO partners VALUES ('{UUID(int=1)}', 'Example City', '', 10, false, now())"
_PARTNER_KEY = "INSERT INTO partner_keys (id, partner_id, kind, sealed, created_at) SELECT id, id, 'secret', '', now() FROM partners"
_RECEIVED = dict.fromkeys(("partner_id", "key_id"), f"'{UUID(int=1)}'") | {"id": _NUMBER}
# Every table that grows and that a sweep asks, with rows as the product leaves them once all is well.
GROWING: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "desk": {**_BACKBONE, "mails": _ENDED, "mails_wanted": {"done_at": _OVER}, "awaited": {"closed_at": _OVER}},
    "intake": {
        **_BACKBONE,
        "mails": _ENDED,
        "tasks": _CLOSED,
        "submissions": {**_DECIDED, "event_id": "gen_random_uuid()", "kind": "'practice'", "id": _NUMBER},
        "receipts": _RECEIVED,
        "practices": {"submission_id": _NUMBER, "state": "'published'"},
        "notices": {"submission_id": _NUMBER, "ended_at": _OVER},
    },
    "pledges": {
        **_BACKBONE,
        "mails": _ENDED,
        "tasks": _CLOSED,
        "submissions": {**_DECIDED, **_NUMBERED},
        "pledges": {"id": _NUMBER},
        "reports": {**_NUMBERED, "pledge_id": _NUMBER, "verdict": "'accepted'"},
    },
    "calendar": {
        **_BACKBONE,
        "mails": _ENDED,
        "tasks": _CLOSED,
        "dates": {"kind": "'deadline'", "last_day": "current_date - 30"},
        "suggestions": {**_DECIDED, **_NUMBERED},
    },
    "newsletter": {
        **_BACKBONE,
        "mails": _ENDED,
        "tasks": _CLOSED,
        "wishes": {"state": "'answered'"},
        "audience": _ENDED,
    },
    "social": {
        **_BACKBONE,
        **_APPROVED,
        "tasks": _CLOSED,
        "posts": {"id": _NUMBER, "local_time": "now() - interval '100 days'"},
        "post_variants": {"post_id": _NUMBER, "network": "'x'", "language": "'en'"},
        "deliveries": {"post_id": _NUMBER, "network": "'x'", "language": "'en'", "state": "'published'"},
    },
}

# By the kind of its task, what makes the first row of a table one that awaits somebody, so that a query has something to compare.
IN_HAND: Mapping[str, Mapping[str, str]] = {
    "intake": {"publish-practice": f"UPDATE submissions SET draft = '{{}}' WHERE id = '{UUID(int=1)}'"},
    "pledges": {
        "review-report": f"UPDATE reports SET verdict = NULL WHERE id = '{UUID(int=1)}'",
        "review-pledge": f"UPDATE submissions SET state = 'received' WHERE id = '{UUID(int=1)}'",
    },
    "calendar": {"review-date": f"UPDATE suggestions SET state = 'received' WHERE id = '{UUID(int=1)}'"},
    "social": {"approve-post": f"UPDATE approvals SET state = 'submitted' WHERE item = '{UUID(int=1)}'"},
}


@pytest.mark.parametrize("service", OWNERS)
async def test_no_sweep_reads_the_whole_of_a_table_that_grows(system: Watched, service: str) -> None:
    if service == "intake":
        await run(system, service, _PARTNER)
        await run(system, service, _PARTNER_KEY)
    for table, values in GROWING[service].items():
        await _fill(system, service, table, values)
    for kind, made in IN_HAND.get(service, {}).items():
        await ask(system, service, kind, str(UUID(int=1)))
        await run(system, service, made)
    await run(system, service, "ANALYZE")
    database, whole = system.database(service), []
    for number, sweep in enumerate(sweeps_of(system, service)):
        with _asked(database) as asked:
            async with database.transaction() as tx:
                assert await sweep.find(tx) == [], (number, sweep)
        for statement, parameters in asked:
            async with database.transaction() as tx:
                plan = (await tx.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)).scalar_one()
            [plan] = json.loads(plan) if isinstance(plan, str) else plan
            whole += [(number, sweep.promise.value, table) for table in _whole(plan["Plan"])]
    assert whole == []


async def _fill(system: Watched, service: str, table: str, values: Mapping[str, str]) -> None:
    """Put rows into a table: with these values, and anything in what else must be there."""
    columns = await run(
        system,
        service,
        """
        SELECT column_name AS name, udt_name AS type FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = :table AND is_nullable = 'NO' AND column_default IS NULL
            AND is_identity = 'NO'
        """,
        table=table,
    )
    made = {f'"{one.name}"': _OF_TYPE.get(one.type, "'{}'") for one in columns} | {
        f'"{name.strip(chr(34))}"': value for name, value in values.items()
    }
    sql = f"INSERT INTO {table} ({', '.join(made)}) SELECT {', '.join(made.values())} FROM generate_series(1, {ROWS}) AS i"
    async with system.database(service).transaction() as tx:
        await tx.exec_driver_sql(sql)


@contextmanager
def _asked(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Give every query that a block asks, with its parameters."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from _nodes(one)


def _whole(plan: Mapping[str, Any]) -> list[str]:
    """Return the tables of which a plan reads a large part."""
    return [one["Relation Name"] for one in _nodes(plan) if "Relation Name" in one and _rows(one) > ROWS / 10]


def _rows(node: Mapping[str, Any]) -> float:
    passed = (node["Actual Rows"] or 0) + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(passed * node["Actual Loops"])
