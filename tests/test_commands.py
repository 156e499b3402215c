"""The commands that look at and repair a system, by the command line on a database of their own: their answers to people and programs."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from services.__main__ import app as command_line
from services.owners import OWNERS
from shared import clock, outbox
from shared.auth.tokens import Signer
from shared.consumer import Consumer
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.parking import StoredRecord
from shared.testing import trial
from shared.testing.databases import run_apart
from shared.trace import Cause
from shared.vault import Vault

T = TypeVar("T")
Tidings = Callable[..., Result]
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WRONG_USE = 2


@pytest.fixture
def tidings(database_url: str) -> Tidings:
    """The command line on a database that has its tables."""
    environment = {"TIDINGS_DATABASE": database_url, "TIDINGS_KAFKA": "127.0.0.1:1"}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command_line, arguments, env=environment)

    migrated = run("migrate", "--json")
    assert json.loads(migrated.stdout) == {"migrated": list(OWNERS)}
    return run


@pytest.fixture
def told(tidings: Tidings, database_url: str) -> Sequence[UUID]:
    """Two events that intake has told."""
    del tidings

    async def tell(tx: Transaction) -> list[UUID]:
        told = [await outbox.put(tx, trial.practice(), subject=subject, cause=Cause.start()) for subject in ("a", "b")]
        await tx.execute(outbox.outbox.update().values(sent_at=clock.now()))
        return told

    return within(database_url, "intake", tell)


@pytest.fixture
def dead(tidings: Tidings, database_url: str) -> Sequence[UUID]:
    """Two events that the newsletter could not read."""
    del tidings
    return run_apart(take(database_url, [trial.record("a", 1, offset=offset, replace={"ce_type": b"\xff"}) for offset in (0, 1)]))


async def take(url: str, records: Sequence[StoredRecord]) -> Sequence[UUID]:
    database = Database(url, "newsletter")
    await Consumer("newsletter", database, trial.LISTENS, trial.KNOWN).take(records)
    async with database.transaction() as tx:
        found = (await tx.execute(text("SELECT event_id FROM parked ORDER BY id"))).scalars().all()
    await database.close()
    return found


def within(url: str, service: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
    async def in_transaction() -> T:
        database = Database(url, service)
        try:
            async with database.transaction() as tx:
                return await work(tx)
        finally:
            await database.close()

    return run_apart(in_transaction())


def test_every_time_in_json_is_rfc_3339(tidings: Tidings, told: Sequence[UUID], dead: Sequence[UUID]) -> None:
    listed = json.loads(tidings("events", "list", "--json").stdout)
    assert {row["event_id"] for row in listed} == {str(event_id) for event_id in (*told, *dead)}
    parked = json.loads(tidings("events", "parked", "--json").stdout)
    times = [*(row["time"] for row in listed), *(row["next_at"] for row in parked)]
    assert len(times) == 6
    assert [time for time in times if not RFC_3339.fullmatch(time)] == []
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in times)


@pytest.mark.parametrize("limit", ["-1", "0", "9" * 30])
def test_a_number_of_events_that_cannot_be_listed_is_wrong_use(tidings: Tidings, limit: str) -> None:
    answer = tidings("events", "list", "--limit", limit)
    assert answer.exit_code == WRONG_USE
    assert "--limit" in answer.stderr


def test_redriving_says_how_many_to_people_and_to_programs(tidings: Tidings, dead: Sequence[UUID]) -> None:
    one = tidings("events", "redrive", str(dead[0]))
    assert (one.exit_code, one.stdout, one.stderr.strip()) == (0, "", "1 event is tried again now.")
    assert "0 events are" in tidings("events", "redrive", "--service", "social").stderr
    rest = tidings("events", "redrive", "--json")
    assert json.loads(rest.stdout) == {"redriven": 1, "services": ["newsletter"]}
    assert rest.stderr == ""
    assert json.loads(tidings("events", "redrive", "--json").stdout) == {"redriven": 0, "services": []}


def test_discarding_answers_programs(tidings: Tidings, dead: Sequence[UUID]) -> None:
    answer = tidings("events", "discard", str(dead[0]), "--reason", "a trial", "--json")
    assert json.loads(answer.stdout) == {"discarded": str(dead[0]), "services": ["newsletter"]}
    again = tidings("events", "discard", str(dead[0]), "--reason", "a trial", "--json")
    assert (again.exit_code, again.stdout) == (1, "")


def test_replaying_says_how_many_to_people_and_to_programs(tidings: Tidings, told: Sequence[UUID]) -> None:
    one = tidings("events", "replay", str(told[0]))
    assert (one.exit_code, one.stderr.strip()) == (0, "1 event is offered again.")
    rest = tidings("events", "replay", "--since", "2026-01-01T00:00:00+0000", "--json")
    assert json.loads(rest.stdout) == {"replayed": 1, "services": ["intake"]}
    assert tidings("events", "replay").exit_code == WRONG_USE


def test_replaying_what_nobody_told_fails_and_offers_nothing(tidings: Tidings, told: Sequence[UUID]) -> None:
    unknown = new_id()
    for more in ([], ["--json"]):
        answer = tidings("events", "replay", str(told[0]), str(unknown), *more)
        assert (answer.exit_code, answer.stdout) == (1, "")
        assert str(unknown) in answer.stderr
        assert str(told[0]) not in answer.stderr
    assert json.loads(tidings("events", "replay", *map(str, told), "--json").stdout)["replayed"] == len(told)


def test_a_new_key_is_given_to_programs(tidings: Tidings) -> None:
    key = json.loads(tidings("key", "--json").stdout)["key"]
    assert Vault([key]).open(Vault([key]).seal(b"kept")) == b"kept"
    assert tidings("key").stdout.strip() != key


def test_a_new_pair_for_tokens_is_printed_as_settings(tidings: Tidings) -> None:
    pair = json.loads(tidings("key", "--signing", "--json").stdout)
    assert list(Signer([pair["TIDINGS_SIGNING_KEY"]]).public_keys) == [pair["TIDINGS_VERIFY_KEYS"]]
    lines = tidings("key", "--signing").stdout.splitlines()
    assert [line.partition("=")[0] for line in lines] == ["TIDINGS_SIGNING_KEY", "TIDINGS_VERIFY_KEYS"]
