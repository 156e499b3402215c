"""Migrating by the command from two places at once, while services work, and what a program says of another's schema."""

import ast
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from services.owners import OWNERS
from shared import migrations
from shared.broker import Probe
from shared.db import Database
from shared.migrations import BusyError, migrate, versions_of
from shared.readiness import Grade, summary
from shared.service import Kafka, Running, Service
from shared.testing.databases import ask
from tests.flows.running import ROOT, environment

READ = text("SELECT count(*) FROM outbox")
MIGRATE = [sys.executable, "-m", "services", "migrate", "--json"]


def begun(var: Path, url: str) -> "subprocess.Popen[str]":
    settings = environment(var) | {"TIDINGS_DATABASE": url, "TIDINGS_KAFKA": "127.0.0.1:1"}
    return subprocess.Popen(MIGRATE, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def run_two(var: Path, url: str) -> None:
    both = [begun(var, url), begun(var, url)]
    for process in both:
        _, said = await asyncio.to_thread(process.communicate, None, 120)
        assert process.returncode == 0, said


async def test_two_commands_at_once_make_every_schema_once_from_nothing(database_url: str, var: Path) -> None:
    await run_two(var, database_url)
    for service in OWNERS:
        (row,) = await ask(database_url, f"SELECT version_num FROM {service}.schema_version")
        assert row[0] == versions_of(service)[-1]


async def test_two_commands_at_once_disturb_no_service_that_works(database_url: str, var: Path) -> None:
    """A service writes and reads without a pause while two migrations run and find nothing to do."""
    await migrate(database_url, OWNERS)
    database, done, failed = Database(database_url, "intake"), 0, []
    ending = asyncio.Event()

    async def work() -> None:
        nonlocal done
        while not ending.is_set():
            try:
                async with asyncio.timeout(5), database.transaction() as tx:
                    await tx.execute(READ)
            except Exception as error:
                failed.append(error)
            done += 1
            await asyncio.sleep(0.01)

    working = asyncio.create_task(work())
    await run_two(var, database_url)
    ending.set()
    await working
    await database.close()
    assert failed == []
    assert done > 10


@pytest.fixture(autouse=True)
def _forget_versions() -> Iterator[None]:
    yield
    versions_of.cache_clear()


def become_newer(var: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> str:
    """Give intake one migration more, as a newer program has it, and return its version."""
    copied, own = var / "migrations", migrations._folder_of
    copied.mkdir()
    for path in own("intake").glob("*.py"):
        (copied / path.name).write_bytes(path.read_bytes())
    last = versions_of("intake")[-1]
    version = f"{int(last) + 1:04d}"
    (copied / f"{version}_more.py").write_text(
        f'from alembic import op\n\nrevision, down_revision = "{version}", "{last}"\n\n\ndef upgrade():\n    op.execute("{statement}")\n'
    )
    monkeypatch.setattr(migrations, "_folder_of", lambda service: copied if service == "intake" else own(service))
    versions_of.cache_clear()
    return version


async def test_a_migration_that_waits_for_a_table_never_has_others_wait_behind_it(
    database_url: str, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads for long. Whoever comes after the migration is served all the same; once the reader has gone, it is done."""
    await migrate(database_url, ["intake"])
    version = become_newer(var, monkeypatch, "ALTER TABLE outbox ADD COLUMN note text")
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(migrations, "AGAIN_SECONDS", 0.2)
    reader, others = Database(database_url, "intake"), Database(database_url, "intake")
    waited = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with reader.transaction() as tx:
        await tx.execute(READ)
        migrating = asyncio.create_task(migrate(database_url, ["intake"]))
        for _ in range(3):  # each time it waits anew
            while not await ask(database_url, waited):
                assert not migrating.done()
            async with asyncio.timeout(10), others.transaction() as other:
                await other.execute(READ)
        assert not migrating.done()
    await migrating
    assert await others.schema_version() == version
    await reader.close()
    await others.close()


async def test_a_table_that_stays_in_use_ends_the_command_with_nothing_changed(
    database_url: str, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(database_url, ["intake"])
    before = versions_of("intake")[-1]
    become_newer(var, monkeypatch, "ALTER TABLE outbox ADD COLUMN note text")
    for name, value in (("LOCK_SECONDS", 0.1), ("AGAIN_SECONDS", 0.0), ("TRIES", 2)):
        monkeypatch.setattr(migrations, name, value)
    database = Database(database_url, "intake")
    async with database.transaction() as tx:
        await tx.execute(READ)
        with pytest.raises(BusyError, match="run `tidings migrate` again"):
            await migrate(database_url, ["intake"])
    assert await database.schema_version() == before
    await database.close()


async def readiness(url: str) -> tuple[int, str, str, str]:
    """Return the status of /readyz, and what it says of the database of intake."""
    database = Database(url, "intake")
    kafka = Kafka(address="127.0.0.1:1", embedded=False, probe=Probe("127.0.0.1:1"))
    service = Service(name="intake", routers=(), database=database)
    checks = await Running(service, kafka, lambda _: None).checks()
    await database.close()
    return summary(checks)[0], str(checks[0].grade), checks[0].state, checks[0].reason


async def test_older_program_leaves_a_newer_schema_as_it_is(database_url: str) -> None:
    await migrate(database_url, ["social"])
    newest = versions_of("social")[-1]
    await ask(database_url, "UPDATE social.schema_version SET version_num = '9999'")
    await migrate(database_url, ["social"])
    assert (await ask(database_url, "SELECT version_num FROM social.schema_version"))[0][0] == "9999" > newest


async def test_readiness_tells_an_older_schema_from_a_newer_one(database_url: str, var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(database_url, ["intake"])
    assert (await readiness(database_url))[:3] == (200, Grade.READY, "answers")
    with monkeypatch.context() as newer:
        become_newer(var, newer, "ALTER TABLE outbox ADD COLUMN note text")
        status, grade, state, reason = await readiness(database_url)
        assert (status, grade, state) == (503, Grade.DOWN, "older")
        assert "tidings migrate" in reason
        await migrate(database_url, ["intake"])
        assert (await readiness(database_url))[:3] == (200, Grade.READY, "answers")
    versions_of.cache_clear()
    # The program from before, while the newer one is being started.
    assert (await readiness(database_url))[:3] == (200, Grade.DEGRADED, "newer")


AFTER_A_VERSION: frozenset[str] = frozenset()
"""Migrations that take away what no version in use asks for any more: those of 0.1.0 ran on empty schemas, later ones say why here."""
TAKES_AWAY = re.compile(
    r"\bDROP\s+(?!NOT\b|TRIGGER\b|INDEX\b|FUNCTION\b|DEFAULT\b|CONSTRAINT\b)|\bRENAME\b|\bSET\s+NOT\s+NULL\b"
    r"|(?<!BEFORE )(?<!OR )\bTRUNCATE\b|\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b"
    r"|drop_table|drop_column|rename_table|alter_column",
    re.IGNORECASE,
)
NEEDS_MORE = re.compile(r"\bADD\s+COLUMN\b(?=[^,;]*\bNOT\s+NULL\b)(?![^,;]*\bDEFAULT\b)", re.IGNORECASE)
"""A column that the version before does not fill, and may not leave empty."""


def faults_of(script: str) -> list[str]:
    return [found.group() for rule in (TAKES_AWAY, NEEDS_MORE) for found in rule.finditer(script)]


@pytest.mark.parametrize(
    ("statement", "harms"),
    [
        ("ALTER TABLE a ADD COLUMN b text", False),
        ("ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''", False),
        ("ALTER TABLE a ADD COLUMN b text NOT NULL", True),
        ("ALTER TABLE a DROP COLUMN b", True),
        ("ALTER TABLE a RENAME COLUMN b TO c", True),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", True),
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint", True),
        ("DROP TABLE a", True),
        ("ALTER TABLE a ALTER COLUMN b DROP NOT NULL", False),
        ("CREATE TABLE a (b text NOT NULL)", False),
    ],
)
def test_the_rule_knows_what_would_break_the_version_before(statement: str, harms: bool) -> None:
    assert bool(faults_of(statement)) is harms


def test_migrations_only_ever_add() -> None:
    """What the version before still uses stays; it goes a version later, by a migration that names itself in AFTER_A_VERSION."""
    found = {
        f"{path.parts[-3]}/{path.name}": faults
        for path in sorted((ROOT / "services").glob("*/migrations/[0-9]*.py"))
        if (faults := faults_of(_without_docstring(path)))
    }
    assert {name: faults for name, faults in found.items() if name not in AFTER_A_VERSION} == {}


def _without_docstring(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return ast.unparse(ast.Module(body=tree.body[1:], type_ignores=[]))
