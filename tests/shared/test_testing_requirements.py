"""Where a machine lacks what a test needs, the run says so; where it was demanded, the run fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MARKED = """
import pytest

@pytest.mark.docker
def test_in_a_container():
    pass

@pytest.mark.chromium
def test_in_a_browser():
    pass

def test_anywhere():
    pass
"""
SETTINGS = """
[pytest]
markers =
    docker: needs Docker
    chromium: needs Chromium
"""


@pytest.fixture
def run(tmp_path: Path) -> "Run":
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["shared.testing.plugin"]\n')
    (tmp_path / "test_marked.py").write_text(MARKED)
    return Run(tmp_path)


class Run:
    """Runs pytest on a machine that has neither Docker nor Chromium."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, require: str, *options: str) -> tuple[int, str]:
        (self._folder / "empty").mkdir(exist_ok=True)
        bare = {"PATH": str(self._folder / "empty"), "DOCKER_HOST": f"unix://{self._folder}/docker.sock", "TIDINGS_REQUIRE": require}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-ra", *options],
            cwd=self._folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))} | bare,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "with a worker"])
def test_what_is_missing_is_skipped_and_named_with_what_to_do(run: Run, workers: tuple[str, ...]) -> None:
    code, said = run("", *workers)
    assert code == 0
    assert "1 passed, 2 skipped" in said
    assert "no Docker engine answers" in said
    assert "DOCKER_HOST" in said
    assert "install the package chromium" in said


@pytest.mark.parametrize(("require", "summary"), [("docker", "1 passed, 1 skipped, 1 error"), ("docker, chromium", "1 passed, 2 errors")])
def test_what_is_missing_fails_where_it_was_demanded(run: Run, require: str, summary: str) -> None:
    code, said = run(require)
    assert code == 1
    assert summary in said
    assert "TIDINGS_REQUIRE demands docker, but no Docker engine answers" in said


def test_a_word_that_is_unknown_stops_the_run(run: Run) -> None:
    code, said = run("docker,podman")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "podman" in said
    assert "For example: TIDINGS_REQUIRE=docker,chromium" in said


def test_a_test_that_forgot_its_mark_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["shared.testing.plugin", "shared.testing.fixtures"]\n')
    (tmp_path / "test_marked.py").write_text("def test_unmarked(chromium_path):\n    pass\n")
    code, said = run("")
    assert code == 1
    assert "mark it with pytest.mark.chromium" in said
