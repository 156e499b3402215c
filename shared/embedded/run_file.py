"""`run.json` in the state directory: where the running system's embedded parts are, for commands started beside it."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.clock import now
from shared.embedded.lock import is_held, only_here


class Run(BaseModel):
    """A running system as others may find it. Kept readable by its owner alone, for a database URL may hold a password."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version may write more

    pid: int = Field(default_factory=os.getpid)
    started: AwareDatetime = Field(default_factory=now)
    web: str | None = None  # http://127.0.0.1:8000
    database: str | None = None  # SQLAlchemy URL
    kafka: str | None = None  # host:port
    smtp: str | None = None  # host:port of the demo inbox
    parts: dict[str, int] = Field(default_factory=dict)  # process numbers of parts that are processes of their own


class RunFile:
    """The right to write `run.json` of one state directory; `claim` gives it to one process at a time."""

    def __init__(self, var: Path) -> None:
        self._path = var / "run.json"

    def write(self, run: Run) -> None:
        """Put `run` in the place of what was there, at once: a reader sees the old text or the new, never half."""
        descriptor, temporary = tempfile.mkstemp(prefix=".run-", suffix=".json", dir=self._path.parent)  # mode 600 from birth
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(run.model_dump_json(indent=2) + "\n")
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Take `run.json` away, and what a kill in the middle of a write has left."""
        self._path.unlink(missing_ok=True)
        for left in self._path.parent.glob(".run-*.json"):
            left.unlink(missing_ok=True)


@contextmanager
def claim(var: Path) -> Iterator[RunFile]:
    """Make this process the one that runs on `var`, until the block ends; raises AlreadyRunningError when another one does."""
    other = read(var)
    address = f" ({other.web})" if other is not None and other.web else ""
    with only_here(var / "run.lock", f"Tidings{address}"):
        run_file = RunFile(var)
        run_file.remove()
        try:
            yield run_file
        finally:
            run_file.remove()


def read(var: Path) -> Run | None:
    """Return the system that runs on `var`, or None when none does, even where one that was killed has left its file."""
    # The lock, not the process number in the file, says whether it lives: numbers are given again.
    if not is_held(var / "run.lock"):
        return None
    try:
        return Run.model_validate(json.loads((var / "run.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, ValidationError):
        return None  # it is starting or ending
