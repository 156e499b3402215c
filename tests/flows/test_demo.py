"""`tidings demo`: the main job from end to end, by the command that people run, on a fresh system and on one that runs."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.flows.running import ROOT, Running, environment, running

# Only hangs: how long it takes is measured where the machine is quiet.
HANGS_SECONDS = 900


def demo(var: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(var), capture_output=True, text=True, check=False, timeout=HANGS_SECONDS)


def steps_of(done: "subprocess.CompletedProcess[str]") -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    steps: list[dict[str, object]] = json.loads(done.stdout)
    assert all(set(step) == {"step", "ok", "seconds", "address"} for step in steps)
    assert all(step["ok"] for step in steps)
    return steps


@pytest.mark.timeout(HANGS_SECONDS + 20)
def test_the_main_job_is_done_on_a_fresh_system_that_leaves_nothing_behind(var: Path) -> None:
    before = set(var.parent.glob("tidings-demo-*"))
    done = demo(var, "--json")
    steps = steps_of(done)
    assert len({step["step"] for step in steps}) == len(steps)
    assert all(str(step["step"]) in done.stderr and str(step["address"]) in done.stderr for step in steps)
    assert list(var.iterdir()) == [], "a fresh system keeps out of the state directory of the real one"
    assert set(var.parent.glob("tidings-demo-*")) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(str(steps[-1]["address"]))


@pytest.mark.timeout(2 * HANGS_SECONDS + 20)
def test_it_walks_through_a_system_that_runs_and_again_beside_what_it_left_there(var: Path) -> None:
    with running(var) as system:
        first, second = (steps_of(demo(var, "--json", "--against", system.address)) for _ in range(2))
        assert [step["step"] for step in first] == [step["step"] for step in second]
        for step in first:
            assert reached(system, str(step["address"])), step
        stopped = demo(var, "--json", "--against", system.address + "/nowhere")
        assert stopped.returncode == 1
        assert "no demo inbox" in stopped.stderr


def reached(system: Running, address: str) -> bool:
    with system.staff() as browser:
        return browser.get(address).status_code == 200


def test_what_would_reach_people_is_refused(var: Path) -> None:
    for address, words in (
        ("https://tidings.example.org", "no http address of this machine"),
        ("nonsense", "no http address of this machine"),
        ("http://127.0.0.1:1", "does not answer"),
    ):
        done = demo(var, "--against", address)
        assert done.returncode == (1 if "answer" in words else 2), done.stderr
        assert words in " ".join(done.stderr.replace("│", " ").split())
        assert done.stdout == ""
