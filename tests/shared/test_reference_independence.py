"""The reference data needs nothing else of ours, opens nothing when imported, and says the same as the events."""

import ast
import subprocess
import sys
from pathlib import Path

import shared.reference
from shared.events.codes import COUNTRIES, LANGUAGES, OBJECTIVES, Initiative, PledgeKind, PledgeWay, Principle, Region
from shared.reference.countries import countries
from shared.reference.initiatives import initiatives
from shared.reference.objectives import objectives
from shared.reference.pledge_kinds import pledge_kinds
from shared.reference.principles import principles
from shared.reference.regions import Scheme, regions
from shared.reference.summary import PAGE, renewed
from shared.reference.titles import LANGUAGES as TITLE_LANGUAGES
from shared.reference.ways import ways

FOLDER = Path(shared.reference.__file__).parent


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            names.add(node.module or "")
    return names


def test_it_imports_the_standard_library_and_itself_alone() -> None:
    for path in FOLDER.glob("*.py"):
        for name in imports_of(path):
            assert name.startswith("shared.reference") or name.partition(".")[0] in sys.stdlib_module_names, (path.name, name)


def test_importing_opens_no_data() -> None:
    modules = [f"shared.reference.{path.stem}" for path in FOLDER.glob("*.py") if path.stem != "__init__"]
    assert "shared.reference.countries" in modules
    program = (
        "import importlib, sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "sys.exit(str([name for name in opened if name.endswith('.csv')]) if any(name.endswith('.csv') for name in opened) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=FOLDER.parents[1], check=False)
    assert done.returncode == 0, done.stderr


def test_what_was_read_once_is_not_read_again() -> None:
    assert countries() is countries()
    assert objectives()[0] is objectives()[0]


def test_events_and_reference_data_know_the_same_codes() -> None:
    assert tuple(LANGUAGES) == TITLE_LANGUAGES
    assert [str(code) for code in Initiative] == [record.code for record in initiatives()]
    assert list(OBJECTIVES) == [record.n for record in objectives()]
    assert set(Principle) == {record.code for record in principles()}
    assert set(PledgeKind) == {record.code for record in pledge_kinds()}
    assert set(PledgeWay) == {record.code for record in ways()}
    assert set(Region) == {record.code for record in regions(Scheme.REVIEW)}
    assert set(COUNTRIES) == {record.alpha2 for record in countries()}


def test_the_page_on_the_reference_data_counts_what_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "renew it with: python -m shared.reference.summary"
