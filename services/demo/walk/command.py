"""`tidings demo`: the main job from end to end, each step with its address."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer

from services.demo.walk.browser import WalkError
from services.demo.walk.route import walk_all
from services.demo.walk.system import found_at, fresh
from services.demo.walk.walk import begun
from shared.command import AsJson, fail, print_json, say
from shared.web.addresses import on_loopback, origin_of


def demo(
    against: Annotated[
        str, typer.Option(metavar="URL", help="Walk through this system, which runs with demo parts, and not through a fresh one.")
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Walk the main job from end to end through the public doors of a fresh system; ends with 1 where a step does not hold."""
    if against and not (origin_of(against) and on_loopback(against)):
        raise typer.BadParameter(f"{against!r} is no http address of this machine", param_hint="--against")
    with ExitStack() as stack:
        try:
            if not against:
                say("Starting a fresh system on embedded parts …")
            walk = begun(found_at(against or stack.enter_context(fresh()).address), say)
        except WalkError as error:
            raise fail(str(error)) from error
        failure = ""
        try:
            walk_all(walk)
        except WalkError as error:
            failure = str(error)
    steps = walk.journal.steps
    if as_json:
        print_json([asdict(step) for step in steps])
    if failure:
        raise fail(f"Step {len(steps)} does not hold: {failure}")
    say(f"{len(steps)} steps hold, in {sum(step.seconds for step in steps):.1f} s.")
