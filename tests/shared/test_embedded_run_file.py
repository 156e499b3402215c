"""`run.json`: found while the system runs, whole at every moment, and never believed afterwards."""

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.embedded import run_file
from shared.embedded.errors import AlreadyRunningError
from shared.embedded.run_file import Run

KILLED = """
import os, signal, sys
from pathlib import Path
from shared.embedded import run_file
with run_file.claim(Path(sys.argv[1])) as claimed:
    claimed.write(run_file.Run(web="http://127.0.0.1:1"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_second_command_finds_what_the_running_system_wrote(tmp_path: Path) -> None:
    run = Run(web="http://127.0.0.1:8000", database="postgresql+asyncpg://tidings@/tidings", kafka="127.0.0.1:9092", parts={"postgres": 7})
    with run_file.claim(tmp_path) as claimed:
        assert run_file.read(tmp_path) is None  # it is still starting
        claimed.write(run)
        assert run_file.read(tmp_path) == run
    assert run_file.read(tmp_path) is None
    assert not (tmp_path / "run.json").exists()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with run_file.claim(tmp_path) as claimed:
        claimed.write(Run())
        assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600


def test_a_second_system_on_the_same_folder_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with run_file.claim(tmp_path) as claimed:
        claimed.write(Run(web="http://127.0.0.1:8000"))
        with pytest.raises(AlreadyRunningError, match=r"http://127\.0\.0\.1:8000.*TIDINGS_VAR"), run_file.claim(tmp_path):
            pass
        assert run_file.read(tmp_path) is not None  # the first one's file is still there


def test_what_a_killed_system_left_is_not_believed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert (tmp_path / "run.json").exists()
    assert run_file.read(tmp_path) is None


def test_the_next_start_takes_away_what_a_kill_in_the_middle_of_a_write_has_left(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    (tmp_path / ".run-half.json").write_text("{")
    with run_file.claim(tmp_path):
        assert run_file.read(tmp_path) is None
        assert {path.name for path in tmp_path.iterdir()} == {"run.lock"}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    long = "x" * 200_000
    seen: set[str] = set()

    def read_while(writing: threading.Event) -> None:
        while writing.is_set():
            seen.add(json.loads((tmp_path / "run.json").read_text())["web"])

    with run_file.claim(tmp_path) as claimed:
        claimed.write(Run(web=long))
        writing = threading.Event()
        writing.set()
        reader = threading.Thread(target=read_while, args=(writing,))
        reader.start()
        for number in range(200):
            claimed.write(Run(web=long if number % 2 else "short"))
        writing.clear()
        reader.join()
    assert seen <= {long, "short"}


def test_a_file_of_a_newer_version_is_read(tmp_path: Path) -> None:
    with run_file.claim(tmp_path) as claimed:
        claimed.write(Run(web="http://127.0.0.1:8000"))
        path = tmp_path / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"inbox": "http://127.0.0.1:8025"}))
        found = run_file.read(tmp_path)
    assert found is not None
    assert found.web == "http://127.0.0.1:8000"
