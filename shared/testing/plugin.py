"""Tells pytest what each marked test needs: without it the test is skipped with what to do, or fails where TIDINGS_REQUIRE says so."""

import os
from collections.abc import Collection

import pytest

from shared import settings
from shared.testing.requirements import REQUIREMENTS, demanded, ensure

_demanded = pytest.StashKey[Collection[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read TIDINGS_REQUIRE once, so that a wrong word in it stops the run before the first test."""
    # An operator's .env beside the source is none of the tests' business.
    settings.ENV_FILE = ""
    settings.Settings.model_config["env_file"] = None
    config.stash[_demanded] = demanded(os.environ.get("TIDINGS_REQUIRE", ""))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look whether the machine has what the test is marked with."""
    ensure({name for name in REQUIREMENTS if item.get_closest_marker(name)}, item.config.stash[_demanded])
