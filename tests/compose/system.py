"""The whole system as an operator starts it: a clean copy of the source, `make secrets`, `docker compose up --build --wait`."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from shared.testing.ports import reserved_port
from shared.testing.requirements import PROMETHEUS_IMAGE

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WAIT_SECONDS = 420
PATIENCE_SECONDS = 420.0
LOOK_SECONDS = 0.5

# In the place of the world's mail servers: it keeps who got what, durably and before it says so, and takes its time for it.
SINK = """
services:
  sink:
    image: {image}
    entrypoint: [python, /sink.py, /out/mails, "{seconds}", "0.0.0.0", "2525"]
    stdin_open: true
    user: "{user}"
    read_only: true
    volumes: ["{sink}:/sink.py:ro", "{out}:/out"]
    networks: [outside]
  newsletter: &to-the-sink
    environment:
      TIDINGS_SMTP: smtp://sink:2525?starttls=no&connections=4
  sender: *to-the-sink
"""

# A build of Prometheus on Debian leaves its folder to root.
PROMETHEUS = """
services:
  prometheus:
    user: "0:0"
"""


@dataclass(frozen=True, kw_only=True)
class State:
    """How a container stands."""

    started_at: str
    running: bool
    healthy: bool


@dataclass(kw_only=True)
class Compose:
    """A system of containers, and the source it was started from."""

    folder: Path
    address: str
    prometheus: str  # where it answers once it was started
    files: list[str] = field(default_factory=lambda: ["docker-compose.yml"])

    def run(self, *words: str, seconds: float = WAIT_SECONDS, given: str | None = None, check: bool = True) -> str:
        """Return what a `docker compose` command prints; fails with everything it said."""
        files = [part for name in self.files for part in ("-f", name)]
        command = ["docker", "compose", "--profile", "demo", *files, *words]
        ended = subprocess.run(
            command, cwd=self.folder, env=_bare(), input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
        if check and ended.returncode:
            said = f"{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
            raise AssertionError(f"{' '.join(words)} ended with {ended.returncode}:\n{said}\n{self.logs()}")
        return ended.stdout

    def logs(self, *services: str, lines: int = 15) -> str:
        """Return the last words of the containers."""
        return self.run("logs", "--no-color", "--tail", str(lines), *services, check=False)[-12_000:]

    def ask(self, statement: str) -> list[list[str]]:
        """Return the rows of a statement, as text."""
        (postgres,) = self.containers("postgres")
        said = _docker("exec", postgres, "psql", "-U", "tidings", "-d", "tidings", "-At", "-F", "\t", "-c", statement)
        return [line.split("\t") for line in said.splitlines() if line]

    def count(self, statement: str) -> int:
        """Return the one number that a statement gives."""
        return int(self.ask(statement)[0][0])

    def containers(self, service: str) -> Sequence[str]:
        """Return the ids of a service's containers, of all its replicas, running or not."""
        project = _env(self.folder)["TIDINGS_PROJECT"]
        labels = [f"label=com.docker.compose.{name}" for name in (f"project={project}", f"service={service}", "oneoff=False")]
        return _docker("ps", "-aq", "--no-trunc", *(part for label in labels for part in ("--filter", label))).split()

    def kill(self, container: str) -> None:
        """End a container's process as a machine without memory does: nobody asked for it, so that it is started again."""
        os.kill(int(inspected(container, form="{{.State.Pid}}")), signal.SIGKILL)

    def states(self, containers: Collection[str]) -> Mapping[str, State]:
        """Return how each of the containers stands, by one look that wakes nothing inside of them."""
        form = "{{.Id}} {{.State.StartedAt}} {{.State.Running}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
        rows = [line.split(" ") for line in inspected(*containers, form=form).splitlines()]
        return {
            container: State(started_at=started, running=running == "true", healthy=health == "healthy")
            for container, started, running, health in rows
        }

    def until_well(self, *services: str) -> float:
        """Return after how many seconds every container of the services is healthy."""
        containers = [container for service in services for container in self.containers(service)]
        return until(lambda: all(state.healthy for state in self.states(containers).values()), f"{', '.join(services)} healthy")

    def start_prometheus(self) -> None:
        """Start Prometheus beside the system, until it answers at its address."""
        (self.folder / "prometheus.yml").write_text(PROMETHEUS, encoding="utf-8")
        self.run("-f", "prometheus.yml", "up", "--wait", "prometheus")

    def send_mails_to_sink(self, out: Path, *, seconds: float) -> None:
        """Let the newsletter's mails go to a server that needs `seconds` for each, and keeps who got it in `out`."""
        out.mkdir()
        out.chmod(0o777)
        image = _env(self.folder)["TIDINGS_IMAGE"]
        said = SINK.format(image=image, seconds=seconds, user=f"{os.getuid()}:{os.getgid()}", sink=ROOT / "shared/testing/sink.py", out=out)
        (self.folder / "sink.yml").write_text(said, encoding="utf-8")
        self.files.append("sink.yml")


@contextmanager
def started(folder: Path, *, on: Callable[[Compose], None] = lambda system: None) -> Iterator[Compose]:
    """Give the system, healthy, from a clean copy of this source in `folder`; everything of it is gone when the block ends."""
    with ExitStack() as stack:
        http, https, sandbox, prometheus = (stack.enter_context(reserved_port()) for _ in range(4))
        _copy_source(folder)
        # As the README has it, but for the packages: those of this test's own environment serve.
        make = ["make", "-o", "setup", "secrets", f"BIN={BIN}"]
        subprocess.run(make, cwd=folder, env=_bare(), check=True, capture_output=True, timeout=60)
        own = {
            "TIDINGS_PROJECT": f"tidings-test-{token_hex(3)}",
            "TIDINGS_IMAGE": "tidings:test",
            "TIDINGS_GATEWAY_IMAGE": "tidings-gateway:test",
            "TIDINGS_PUBLIC_URL": f"http://localhost:{http}",
            "TIDINGS_HTTP": f"127.0.0.1:{http}",
            "TIDINGS_HTTPS": f"127.0.0.1:{https}",
            "TIDINGS_SANDBOX": str(sandbox),
            "TIDINGS_PROMETHEUS": str(prometheus),
            "TIDINGS_PROMETHEUS_IMAGE": PROMETHEUS_IMAGE,
        }
        env = folder / ".env"
        assert env.stat().st_mode & 0o077 == 0
        env.write_text("".join(f"{name}={value}\n" for name, value in (_env(folder) | own).items()), encoding="utf-8")
        system = Compose(folder=folder, address=own["TIDINGS_PUBLIC_URL"], prometheus=f"http://127.0.0.1:{prometheus}")
        try:
            on(system)
            system.run("up", "--build", "--wait", "--wait-timeout", str(WAIT_SECONDS), seconds=WAIT_SECONDS * 2)
            yield system
        finally:
            # What a profile started is of this system where the profile is named.
            system.run("--profile", "observability", "down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


def until(
    holds: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE_SECONDS, *, every: float = LOOK_SECONDS
) -> float:
    """Return after how many seconds something holds; fails when it does not come."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"in {seconds:.0f} s not: {what if isinstance(what, str) else what()}"
        time.sleep(every)
    return time.monotonic() - began


def inspected(*containers: str, form: str) -> str:
    """Return what the engine knows of the containers, a line for each."""
    return _docker("inspect", "-f", form, *containers).strip()


def _copy_source(folder: Path) -> None:
    """Copy what a clone would have, and what is about to be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in listed.decode().split("\0"):
        if name and (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def _env(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _bare() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TIDINGS_", "COMPOSE_"))}


def _docker(*words: str) -> str:
    ended = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, f"docker {' '.join(words)}: {ended.stderr[-2000:]}"
    return ended.stdout
