"""The database out of a wheel: it keeps what was committed, whatever happens to the process that started it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.embedded.account import account_for
from shared.embedded.cluster import programs
from shared.embedded.errors import AlreadyRunningError, StartError
from shared.embedded.postgres import EmbeddedPostgres, stop_left_behind

HOLDER = """
import signal, sys
from pathlib import Path
from shared.embedded.postgres import EmbeddedPostgres
def end(*_):
    raise SystemExit(0)
signal.signal(signal.SIGTERM, end)
try:
    with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as server:
        print(server.pid, server.url, flush=True)
        signal.pause()
except KeyboardInterrupt:
    print("ended by Ctrl-C", flush=True)
"""


@contextmanager
def holder_of(data: Path) -> Iterator[tuple["subprocess.Popen[str]", int, str]]:
    """Run another process that holds a server on `data`; gives it, the server's process number and its URL."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(data)], stdout=subprocess.PIPE, text=True, start_new_session=True) as holder:
        assert holder.stdout is not None
        try:
            pid, url = holder.stdout.readline().split()
            yield holder, int(pid), url
        finally:
            holder.kill()


async def rows(url: str, statement: str) -> list[Any]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as tx:
            result = await tx.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


async def write_a_row(url: str) -> None:
    await rows(url, "CREATE TABLE kept (word text)")
    await rows(url, "INSERT INTO kept VALUES ('here')")


def alive(pid: int) -> bool:
    """Say whether a process lives; one that only waits to be fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_rows_are_there_after_a_stop_and_a_start_at_the_same_address(var: Path) -> None:
    server = EmbeddedPostgres(var / "postgres", durable=False)
    with server:
        address = server.url
        await write_a_row(address)
    with pytest.raises(OSError, match=r"No such file|refused"):
        await rows(address, "SELECT 1")
    with server:
        assert server.url == address
        assert await rows(address, "SELECT word FROM kept") == [("here",)]


async def test_our_role_owns_its_database_and_is_no_superuser(database_url: str) -> None:
    assert await rows(database_url, "SELECT current_user, usesuper FROM pg_user WHERE usename = current_user") == [("tidings", False)]
    await rows(database_url, "CREATE SCHEMA intake")


async def test_commits_wait_for_the_disk_unless_the_data_is_thrown_away(var: Path, embedded_postgres: EmbeddedPostgres) -> None:
    statement = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
    assert await rows(embedded_postgres.url, statement) == [("off", "on")]
    with EmbeddedPostgres(var / "postgres") as server:
        assert await rows(server.url, statement) == [("on", "on")]


async def test_server_of_a_killed_process_is_stopped_and_its_rows_are_kept(var: Path) -> None:
    with holder_of(var / "postgres") as (holder, orphan, address):
        await write_a_row(address)
        holder.kill()
        holder.wait()
        assert alive(orphan)
        with EmbeddedPostgres(var / "postgres", durable=False) as server:
            assert server.pid != orphan
            assert not alive(orphan)
            assert await rows(server.url, "SELECT word FROM kept") == [("here",)]


async def test_rows_are_kept_when_the_server_was_killed_too(var: Path) -> None:
    with holder_of(var / "postgres") as (holder, orphan, address):
        await write_a_row(address)
        holder.kill()
        holder.wait()
        os.kill(orphan, signal.SIGKILL)
        with EmbeddedPostgres(var / "postgres", durable=False) as server:
            assert await rows(server.url, "SELECT word FROM kept") == [("here",)]


async def test_number_of_a_dead_server_that_another_process_has_now_does_not_fool_the_start(var: Path) -> None:
    data = var / "postgres"
    with EmbeddedPostgres(data, durable=False) as server:
        await write_a_row(server.url)
        left = {path: path.read_text().splitlines() for path in (data / "postmaster.pid", data / ".s.PGSQL.5432.lock")}
    # The server's own account must be able to see the other process, or it would not be fooled.
    with (var / "other.log").open("wb") as log:
        other = account_for(data, programs()).popen(Path("/"), ["sleep", "1000"], log)
    try:
        for path, lines in left.items():
            path.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with server:
            assert await rows(server.url, "SELECT word FROM kept") == [("here",)]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


async def test_what_was_committed_outlasts_a_crash(var: Path) -> None:
    server = EmbeddedPostgres(var / "postgres", durable=False)
    server.start()
    await write_a_row(server.url)
    server.crash()
    assert server.pid is None
    with server:
        assert await rows(server.url, "SELECT word FROM kept") == [("here",)]


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM], ids=lambda way: way.name)
async def test_a_signal_to_its_process_group_ends_the_server_cleanly_and_last(var: Path, way: signal.Signals) -> None:
    with holder_of(var / "postgres") as (holder, pid, address):
        await write_a_row(address)
        os.killpg(holder.pid, way)  # as the terminal does
        assert holder.wait() == 0
        assert not alive(pid)
    said = (var / "postgres.log").read_text()
    assert "received fast shutdown request" in said
    assert said.rstrip().endswith("database system is shut down")


async def test_server_does_not_hear_ctrl_c_itself(var: Path) -> None:
    with holder_of(var / "postgres") as (holder, pid, _):
        assert os.getpgid(pid) != os.getpgid(holder.pid)
        assert os.getsid(pid) != os.getsid(holder.pid)


def test_a_second_start_on_the_same_folder_is_refused_and_harms_nothing(var: Path) -> None:
    with holder_of(var / "postgres") as (holder, pid, _):
        with pytest.raises(AlreadyRunningError) as refused:
            EmbeddedPostgres(var / "postgres", durable=False).start()
        with pytest.raises(AlreadyRunningError):
            stop_left_behind(var / "postgres")
        assert f"process {holder.pid}." in str(refused.value)
        assert "TIDINGS_VAR" in str(refused.value)
        assert alive(pid)


def test_first_start_that_was_killed_half_way_is_begun_anew(var: Path) -> None:
    half = var / "postgres.new-killed"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(var / "postgres", durable=False) as server:
        assert server.pid
    assert not half.exists()


def test_files_that_are_no_database_are_left_alone(var: Path) -> None:
    (var / "postgres").mkdir()
    (var / "postgres" / "letter").write_text("dear")
    with pytest.raises(StartError, match="no database"):
        EmbeddedPostgres(var / "postgres", durable=False).start()
    assert (var / "postgres" / "letter").read_text() == "dear"


def test_what_the_server_says_when_it_cannot_start_is_passed_on_and_the_folder_is_free_again(var: Path) -> None:
    server = EmbeddedPostgres(var / "postgres", durable=False)
    with server:
        pass
    version = var / "postgres" / "PG_VERSION"
    version.write_text("11\n")
    with pytest.raises(StartError, match="initialized by PostgreSQL version 11"):
        server.start()
    version.write_text("18\n")
    with server:
        assert server.pid


@pytest.mark.parametrize("name", ["long" * 30, "a, b:c"], ids=["too long", "means something in a URL"])
async def test_a_path_that_will_not_do_for_a_socket_does_for_data(var: Path, name: str) -> None:
    with EmbeddedPostgres(var / name / "postgres", durable=False) as server:
        assert await rows(server.url, "SELECT 1") == [(1,)]
        folder = Path(server.url.partition("host=")[2].partition("&")[0])
        assert folder.is_dir()
    assert not folder.exists()


async def test_our_environment_neither_steers_the_server_nor_reaches_it(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGDATA": "/nowhere", "TIDINGS_DATA_KEYS": "secret"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(var / "postgres", durable=False) as server:
        assert await rows(server.url, "SELECT 1") == [(1,)]
        assert b"TIDINGS" not in Path(f"/proc/{server.pid}/environ").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has an account to change from: run the tests as root to see this")
@pytest.mark.parametrize("what", ["data", "programs"])
async def test_root_runs_it_as_another_account_behind_closed_folders(var: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    closed = var / "closed"
    closed.mkdir(mode=0o700)
    if what == "programs":  # as where the whole project is in root's home
        package = programs().parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include"))
        monkeypatch.syspath_prepend(closed)
    with EmbeddedPostgres((closed if what == "data" else var) / "postgres", durable=False) as server:
        assert await rows(server.url, "SELECT 1") == [(1,)]
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert closed.stat().st_mode & 0o777 == 0o700
