"""What a test may need that not every machine has, and what to do where it is missing."""

import gc
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path

import pytest

KAFKA_IMAGE = "apache/kafka:4.1.1"
POSTGRES_IMAGE = "postgres:18"
PROMETHEUS_IMAGE = "prom/prometheus:latest"
"""Of whatever version is here: our rules are taken by the oldest that is in use as well as by the one that the compose file names."""

NODE_PACKAGES = Path(sys.prefix) / "node"
"""Where `make setup` puts what tests need of npm."""

# Names under which systems install it.
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ANSWER_SECONDS = 10


@cache
def docker_missing() -> str:
    """Return why containers cannot be tested with, and what to do, or nothing when they can; images are pulled where that works."""
    with warnings.catch_warnings():
        # A client that reaches no engine leaves its socket to the garbage collector, and a warning is a failure here.
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _docker_missing()
        gc.collect()
    return reason


def _docker_missing() -> str:
    from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]
    from testcontainers.core.docker_client import DockerClient

    try:
        client = DockerClient(timeout=_ANSWER_SECONDS).client
    except (DockerException, OSError):
        asked = os.environ.get("DOCKER_HOST", "the default socket")
        return f"no Docker engine answers at {asked}: start one, or set DOCKER_HOST, or run .ci/run, which starts one"
    try:
        for image in (KAFKA_IMAGE, POSTGRES_IMAGE, PROMETHEUS_IMAGE):
            try:
                client.images.get(image)
            except ImageNotFound:
                client.images.pull(image)
    except (DockerException, OSError):
        return f"Docker has no image {image} and cannot pull it: build it as .ci/run does"
    finally:
        client.close()
    return ""


@cache
def chromium() -> Path | None:
    """Return the Chromium of this machine, or None where it has none."""
    return next((Path(found) for name in _CHROMIUM if (found := shutil.which(name))), None)


def chromium_missing() -> str:
    """Return why pages cannot be looked at, and what to do, or nothing when they can."""
    return "" if chromium() else "Chromium is not installed: install the package chromium, or run .ci/run, which does"


def node_missing() -> str:
    """Return why feeds cannot be read by a program in JavaScript, and what to do, or nothing when they can."""
    if not shutil.which("node"):
        return "Node.js is not installed: install the packages nodejs and npm, then run make setup, or run .ci/run, which does"
    return "" if (NODE_PACKAGES / "node_modules").is_dir() else f"nothing is installed in {NODE_PACKAGES}: install npm, then run make setup"


# Named as the markers in pyproject.toml; what says nothing is there.
REQUIREMENTS: Mapping[str, Callable[[], str]] = {"docker": docker_missing, "chromium": chromium_missing, "node": node_missing}


def demanded(value: str) -> frozenset[str]:
    """Return what TIDINGS_REQUIRE demands, for example `docker,chromium`; raises pytest.UsageError for what it does not know."""
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    if unknown := names - REQUIREMENTS.keys():
        known = ",".join(REQUIREMENTS)
        raise pytest.UsageError(
            f"TIDINGS_REQUIRE names {', '.join(sorted(unknown))}, which is unknown. For example: TIDINGS_REQUIRE={known}"
        )
    return names


def ensure(needed: Collection[str], required: Collection[str]) -> None:
    """Skip the running test when something that it needs is missing, or fail it when that was demanded."""
    for name in sorted(needed):
        if reason := REQUIREMENTS[name]():
            if name in required:
                pytest.fail(f"TIDINGS_REQUIRE demands {name}, but {reason}", pytrace=False)
            pytest.skip(reason)
