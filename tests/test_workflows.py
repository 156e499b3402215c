"""What a fork can run: the workflows call what the project itself offers, and nothing of them needs a secret."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_needs_no_secret_and_calls_what_exists(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "permissions:\n  contents: read" in text
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = re.findall(r"- run: (.+)", text)
    assert commands
    for command in commands:
        if command.startswith("make "):
            assert command.split()[1] in targets
        else:
            assert (ROOT / command.split()[-1]).is_file()


def test_there_is_a_workflow_for_tests_and_one_for_what_is_in_the_image() -> None:
    assert {path.stem for path in WORKFLOWS} == {"test", "supply"}
