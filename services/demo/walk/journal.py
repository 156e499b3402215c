"""The steps of a walk: each timed, told to people as it is made, and kept for programs."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from services.demo.walk.browser import WalkError

T = TypeVar("T")

LOOK_AGAIN_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
"""Within what time anything that follows from a step is there; many times what it takes, for machines that are busy with other things."""


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
        except (LookupError, TypeError, ValueError) as error:  # an answer that is not as agreed
            why = f"an answer is not as expected: {error!r}"
            self._keep(words, making, began, why=why)
            raise WalkError(why) from error
        self._keep(words, making, began)

    def _keep(self, words: str, making: _Making, began: float, why: str = "") -> None:
        seconds = time.perf_counter() - began
        self.steps.append(Step(step=words, ok=not why, seconds=round(seconds, 2), address=making.address))
        self.say(f"{'does not hold' if why else 'ok':<14}{seconds:6.2f} s  {words}")
        if making.address:
            self.say(f"{'':24}{making.address}")
        if why:
            self.say(f"{'':24}{why}")


def until_all(read: Callable[[], str], wanted: Sequence[str], where: str) -> str:
    """Return the text that `read` gives as soon as it holds all that is wanted; raises WalkError, naming what it lacks."""
    text, deadline = read(), time.monotonic() + PATIENCE_SECONDS
    while lacking := [one for one in wanted if one not in text]:
        if time.monotonic() > deadline:
            raise WalkError(f"{', '.join(lacking)} did not come within {PATIENCE_SECONDS:.0f} s to {where}")
        time.sleep(LOOK_AGAIN_SECONDS)
        text = read()
    return text


def until(look: Callable[[], T | None], what: str) -> T:
    """Return what `look` gives as soon as it is something; raises WalkError, naming `what`, where that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise WalkError(f"{what} did not come within {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_AGAIN_SECONDS)
    return found
