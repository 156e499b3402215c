"""One process at a time on a folder, for as long as it lives and no longer."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.embedded.errors import AlreadyRunningError
from shared.embedded.lock import is_held, only_here

HOLDER = """
import sys
from pathlib import Path
from shared.embedded.lock import only_here
with only_here(Path(sys.argv[1]), "The folder"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_second_holder_is_refused_with_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as holder:
        with pytest.raises(AlreadyRunningError) as refused, only_here(tmp_path / "lock", "The folder"):
            pass
        message = str(refused.value)
        assert f"as process {holder.pid}." in message
        assert str(tmp_path) in message
        assert "TIDINGS_VAR" in message
        holder.communicate()


def test_lock_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as holder:
        assert is_held(tmp_path / "lock")
        holder.kill()
        holder.communicate()
    assert not is_held(tmp_path / "lock")
    with only_here(tmp_path / "lock", "The folder"):
        assert is_held(tmp_path / "lock")


def test_looking_does_not_make_a_lock(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()
