"""The table of types, tellers and listeners, and everything that must say the same: code, samples, catalogue, docs."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from services.calendar.handlers import listens_at as calendar_listens
from services.desk.handlers import LISTENS as DESK_LISTENS
from services.intake.handlers import LISTENS as INTAKE_LISTENS
from services.newsletter.handlers import listens as newsletter_listens
from services.pledges.handlers import listens as pledges_listens
from services.social.handlers import listens_at
from shared.events import registry
from shared.events.codes import Service
from shared.listening import Listeners

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
LISTENS: dict[str, Listeners] = {
    "desk": DESK_LISTENS,
    "intake": INTAKE_LISTENS,
    "pledges": pledges_listens("http://127.0.0.1:8000"),
    "newsletter": newsletter_listens("http://127.0.0.1:8000"),
    "social": listens_at("http://127.0.0.1:8000"),
    "calendar": calendar_listens("http://127.0.0.1:8000", "Europe/Zurich"),
}
CLASSES = {model.__name__: event_type for event_type, model in registry.EVENT_TYPES.items()}


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def shared_imports(module: Path) -> Iterator[Path]:
    """Give the shared modules that a module imports, but for the published language itself."""
    for node in ast.walk(tree_of(module)):
        names = [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            found = ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith("shared.") and not name.startswith("shared.events") and found.is_file():
                yield found


def modules_of(service: str) -> set[Path]:
    """Return a service's modules and the shared ones that work for it: tasks, approvals and pauses are told from there."""
    found: set[Path] = set()
    ahead = [path for path in (SERVICES / service).rglob("*.py") if "migrations" not in path.parts]
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead.extend(shared_imports(module))
    return found


def types_told_in_code(service: str) -> set[str]:
    """Return the types whose models a service makes: a model is made only to be told."""
    told = set()
    for module in modules_of(service):
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                told.add(CLASSES[node.func.id])
    return told


@pytest.mark.parametrize("service", [one.value for one in Service])
def test_a_service_listens_to_what_the_table_says_and_to_nothing_else(service: str) -> None:
    assert set(LISTENS.get(service, {})) == registry.types_heard_by(service)


def test_every_service_with_handlers_is_read_here() -> None:
    assert {path.parent.name for path in SERVICES.glob("*/handlers.py")} == set(LISTENS)


@pytest.mark.parametrize("service", [one.value for one in Service])
def test_a_service_tells_what_the_table_says_and_nothing_else(service: str) -> None:
    assert types_told_in_code(service) == registry.types_told_by(service)


def test_what_is_not_built_yet_stands_in_the_table() -> None:
    tellers = {(event_type, teller) for event_type, tellers in registry.TELLERS.items() for teller in tellers}
    listeners = {(event_type, listener) for event_type, listeners in registry.LISTENERS.items() for listener in listeners}
    assert tellers >= registry.NOT_YET_TELLING
    assert listeners >= registry.NOT_YET_LISTENING


def test_every_type_has_a_teller_and_a_listener() -> None:
    for event_type in registry.EVENT_TYPES:
        assert registry.TELLERS[event_type], event_type
        assert registry.LISTENERS[event_type], event_type


def test_samples_catalogue_and_async_api_name_the_same_types() -> None:
    types = set(registry.EVENT_TYPES)
    assert {path.name.removesuffix(".json") for path in (ROOT / "shared/events/samples").glob("*.json")} == types
    page = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    assert {event_type for event_type in types if f"`{event_type}`" not in page} == set()
    document = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
    assert {message["name"] for message in document["components"]["messages"].values()} == types


def test_every_topic_that_is_read_is_one_that_is_made() -> None:
    for service in LISTENS:
        assert registry.topics_heard_by(service) <= set(registry.TOPICS)
