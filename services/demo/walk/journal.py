"""The steps of a walk: each timed, told to people as it is made, and kept for programs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from services.demo.walk.browser import WalkError

T = TypeVar("T")

LOOK_AGAIN_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
"""Within what time anything that follows from a step is there; many times what it takes."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the walk."""

    step: str
    ok: bool
    seconds: float
    address: str


@dataclass(kw_only=True)
class _Making:
    """A step that is being made; whoever makes it says where it can be seen."""

    address: str = ""


@dataclass(kw_only=True)
class Journal:
    """What has been walked."""

    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, words: str) -> Iterator[_Making]:
        """Make one step; raises WalkError where it does not hold, after it was told."""
        making, began = _Making(), time.perf_counter()
        try:
            yield making
        except WalkError as error:
            self._keep(words, making, began, why=str(error))
            raise
        self._keep(words, making, began)

    def _keep(self, words: str, making: _Making, began: float, why: str = "") -> None:
        seconds = time.perf_counter() - began
        self.steps.append(Step(step=words, ok=not why, seconds=round(seconds, 2), address=making.address))
        self.say(f"{'does not hold' if why else 'ok':<14}{seconds:6.2f} s  {words}")
        if making.address:
            self.say(f"{'':24}{making.address}")
        if why:
            self.say(f"{'':24}{why}")


def until(look: Callable[[], T | None], what: str) -> T:
    """Return what `look` gives as soon as it is something; raises WalkError, naming `what`, where that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise WalkError(f"{what} did not come within {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_AGAIN_SECONDS)
    return found
