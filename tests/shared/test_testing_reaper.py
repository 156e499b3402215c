"""What a test run leaves behind when it is killed goes all the same."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shared.testing.ports import reserved_port
from shared.testing.reaper import LABEL, Reaper

KILLED_RUN = """
import os, signal
from shared.embedded.postgres import EmbeddedPostgres
from shared.testing.reaper import Reaper
reaper = Reaper()
server = EmbeddedPostgres(reaper.folder / "postgres", durable=False)
server.start()
print(reaper.folder, server.pid, reaper.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_RUN_WITH_CONTAINER = """
import os, signal
from testcontainers.core.docker_client import DockerClient
from shared.testing.reaper import Reaper
from shared.testing.requirements import POSTGRES_IMAGE
reaper = Reaper()
DockerClient().client.containers.run(POSTGRES_IMAGE, ["sleep", "1000"], detach=True, labels=reaper.labels)
print(reaper.labels[{label!r}], reaper.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def gone(pid: int, seconds: float = 30) -> bool:
    """Wait for the end of a process that is not ours to fetch."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended, _, _ = select.select([descriptor], [], [], seconds)
        return bool(ended)
    finally:
        os.close(descriptor)


def run_to_its_death(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return done.stdout.split()


def test_server_and_folder_of_a_killed_run_go() -> None:
    folder, server, reaper = run_to_its_death(KILLED_RUN)
    assert gone(int(reaper))
    assert gone(int(server), 0)
    assert not Path(folder).exists()


@pytest.mark.docker
def test_container_of_a_killed_run_goes() -> None:
    from testcontainers.core.docker_client import DockerClient

    run, reaper = run_to_its_death(KILLED_RUN_WITH_CONTAINER.format(label=LABEL))
    assert gone(int(reaper))
    client = DockerClient().client
    try:
        assert client.containers.list(all=True, filters={"label": f"{LABEL}={run}"}) == []
    finally:
        client.close()


def test_two_runs_do_not_clean_up_after_each_other() -> None:
    with Reaper() as one, Reaper() as other:
        assert one.labels != other.labels
        one.close()
        assert not one.folder.exists()
        assert other.folder.exists()


def test_a_port_is_given_once_while_it_is_held_and_may_be_listened_on() -> None:
    with reserved_port() as one, reserved_port() as other:
        assert one != other
        with socket.create_server(("127.0.0.1", one)):
            pass
