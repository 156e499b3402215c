"""What README and docs say, held against the code: links, commands, targets, settings, addresses, answers, metrics."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from services.__main__ import app as command_line
from services.demo.inbox import app as inbox
from services.demo.inbox.kept import Inbox
from services.intake.web.webhook_quota import WINDOW_SECONDS
from services.intake.webhooks.problem import Problem, Reason
from services.owners import OWNERS
from services.wiring import built
from shared.application import application
from shared.broker import Probe
from shared.events.codes import Service
from shared.mail.outgoing import outgoing
from shared.operations import base_of
from shared.parking import MAX_ATTEMPTS, PAUSES_SECONDS
from shared.parts import Parts
from shared.readiness import OUTBOX_UNKNOWN, DatabaseState, Grade
from shared.service import Kafka, Running
from shared.settings import PREFIX, Settings
from shared.vault import Vault, new_key
from shared.watchdog import State
from tests.people import SIGNER, VERIFIER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")), *sorted(DOCS.rglob("*.md"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

COMPOSE_NAMES = frozenset(re.findall(r"\$\{(TIDINGS_\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
"""What the compose file asks of .env."""
NOT_SETTINGS = {"TIDINGS_REQUIRE", "TIDINGS_RELIABILITY", *COMPOSE_NAMES}
"""Names that speak to the tests, or to the compose file, and not to the system."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def look_up(name: str) -> str:
    return text_of(DOCS / "look-up" / name)


def test_each_name_of_the_compose_file_is_a_setting_or_stands_on_its_page() -> None:
    known = set(re.findall(r"TIDINGS_\w+", text_of(DOCS / "do" / "compose.md"))) | {
        f"{PREFIX}{name.upper()}" for name in Settings.model_fields
    }
    passwords = {name for name in COMPOSE_NAMES if name.startswith("TIDINGS_PASSWORD_")}
    unsaid = COMPOSE_NAMES - known - passwords - {"TIDINGS_POSTGRES", "TIDINGS_GATEWAY_IMAGE"}
    assert unsaid == set()


def rows_of(text: str) -> Iterator[list[str]]:
    """Return the cells of every table row but heads and rules."""
    lines = text.splitlines()
    for line, following in pairwise([*lines, ""]):
        if line.startswith("|") and not line.startswith("|---") and not following.startswith("|---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def codes_in(text: str) -> list[str]:
    """Return what stands between single backticks."""
    return re.findall(r"`([^`\n]+)`", text)


# ---- links ----


def anchors_of(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@EVERY_PAGE
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        led_to = (page.parent / path).resolve() if path else page
        assert led_to.exists(), target
        assert ROOT in (led_to, *led_to.parents), target
        if anchor:
            assert anchor in anchors_of(led_to), target


def test_every_page_can_be_reached_from_the_map() -> None:
    seen, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        links = [(page.parent / target.partition("#")[0]).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page))]
        ahead += [link for link in links if link.suffix == ".md" and link not in seen]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in seen] == []


# ---- commands and targets ----


def commands(command: Any, name: str = "tidings") -> Iterator[tuple[str, set[str]]]:
    """Return each command with its options; a group is no command."""
    if isinstance(command, typer.core.TyperGroup):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}")
    else:
        yield name, {option for parameter in command.params for option in parameter.opts if option.startswith("--")} | {"--help"}


COMMANDS = dict(commands(typer.main.get_command(command_line)))
GROUPS = {" ".join(name.split()[:length]) for name in COMMANDS for length in range(1, len(name.split()))}


def test_help_names_every_command_and_group() -> None:
    shown = CliRunner().invoke(command_line, ["--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert {name.split()[1] for name in COMMANDS} <= set(re.findall(r"^\W*([\w-]+) ", shown.stdout, re.MULTILINE)), shown.stdout


def said_commands(text: str) -> Iterator[str]:
    """Return what is said to be typed: lines of code blocks and code within a sentence that begin with `tidings`."""
    blocks = re.findall(r"```(?:sh|text)\n(.*?)```", text, re.DOTALL)
    lines = [line.removeprefix("$ ").removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    spans = [span.removeprefix(".venv/bin/") for span in codes_in(re.sub(r"```.*?```", "", text, flags=re.DOTALL))]
    yield from (said for said in [*lines, *spans] if re.match(r"tidings( |$)", said))


@EVERY_PAGE
def test_every_command_named_exists_with_its_options(page: Path) -> None:
    for said in said_commands(text_of(page)):
        words = said.split()
        length = next((n for n in range(len(words), 0, -1) if " ".join(words[:n]) in COMMANDS.keys() | GROUPS), 0)
        name = " ".join(words[:length])
        rest = words[length:]
        assert name in COMMANDS or (name in GROUPS and rest in ([], ["--help"])), said
        assert {word for word in rest if word.startswith("--")} <= COMMANDS.get(name, {"--help"}), said


def test_the_table_of_commands_is_complete() -> None:
    listed: dict[str, set[str]] = {}
    for cells in rows_of(look_up("commands.md")):
        name, *parts = codes_in(cells[0])
        if name.startswith("tidings"):
            listed[name] = {part for part in parts if part.startswith("--")} | {"--help"}
    assert listed == COMMANDS


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", text_of(ROOT / "Makefile"), re.MULTILINE))


@EVERY_PAGE
def test_every_make_target_named_exists(page: Path) -> None:
    text = text_of(page)
    said = re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z]+)`", text)
    said += re.findall(r"^(?:[A-Z_]+=\S+ )?make ([a-z]+)", "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)), re.MULTILINE)
    assert set(said) <= targets()


def test_the_table_of_targets_is_complete() -> None:
    assert {code.removeprefix("make ") for code in codes_in(look_up("commands.md")) if code.startswith("make ")} == targets()


def test_every_test_that_is_said_to_hold_something_exists() -> None:
    said = set(re.findall(r"`(tests/[\w/]+\.py)`", text_of(ROOT / "docs" / "understand" / "threats.md")))
    assert len(said) > 15
    assert {name for name in said if not (ROOT / name).is_file()} == set()


# ---- settings ----


def is_setting(name: str) -> bool:
    word = name.removeprefix(PREFIX).lower()
    fields = set(Settings.model_fields)
    return word in fields or word.removesuffix("_file") in fields or word.removeprefix("database_") in OWNERS


@EVERY_PAGE
def test_every_setting_named_exists(page: Path) -> None:
    said = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", text_of(page)))
    assert {name for name in said - NOT_SETTINGS if not is_setting(name)} == set()


def test_every_setting_is_looked_up_with_its_default_and_an_example() -> None:
    listed = {cells[0].strip("`"): (cells[1].strip("`"), cells[2].strip("`")) for cells in rows_of(look_up("settings.md"))}
    assert listed == {
        f"{PREFIX}{name.upper()}": (str(field.get_default(call_default_factory=True) or "none"), str((field.examples or [""])[0]))
        for name, field in Settings.model_fields.items()
    }
    for service in OWNERS:
        assert f"`{PREFIX}DATABASE_{service.upper()}`" in look_up("settings.md")


# ---- addresses ----


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application of every service, with servers at which nobody answers; nothing of it is at work."""
    nowhere = "127.0.0.1:1"
    settings = Settings(database=f"postgresql://nobody@{nowhere}/nothing", kafka=nowhere)
    parts = Parts(
        settings=settings,
        vault=Vault([new_key()]),
        verifier=VERIFIER,
        signer=SIGNER,
        public_url="http://127.0.0.1:8000",
        outgoing=outgoing(settings),
    )
    kafka = Kafka(address=nowhere, embedded=False, probe=Probe(nowhere))
    services = [*(built(owner, parts) for owner in OWNERS), inbox.build(parts, Inbox())]
    return application([Running(service, kafka, print) for service in services], parts)


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, str(route.path)) for route in iter_route_contexts(app.routes) for method in route.methods or ()}


def listed_addresses(title: str) -> set[tuple[str, str]]:
    """Return method and path of every row under a title of the page; one for each service where the path says so."""
    section = look_up("addresses.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = set()
    for cells in rows_of(section):
        first, *others = codes_in(cells[0])
        method, path = first.split()
        paths = [path.replace("/{service}", base_of(service)) for service in OWNERS] if "{service}" in path else [path]
        found |= {(one, each) for one in (method, *others) for each in paths}
    return found


PUBLIC, STAFF, MACHINE, DEMO = "For everybody", "For the staff", "For the machine", "Where demo parts run"


def test_the_addresses_listed_are_those_of_the_application(app: FastAPI) -> None:
    listed = listed_addresses(PUBLIC) | listed_addresses(STAFF) | listed_addresses(MACHINE) | listed_addresses(DEMO)
    assert listed - routes_of(app) == set()
    assert routes_of(app) - listed == set()


async def test_what_is_listed_for_the_staff_wants_a_person_and_nothing_else_does(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app=app)
    origin = {"origin": "http://127.0.0.1:8000"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as program:
        for method, path in sorted(listed_addresses(STAFF)):
            answer = await program.request(method, re.sub(r"\{\w+\}", "x", path), headers=origin)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/sign-in-needed"), path
        for method, path in sorted(listed_addresses(PUBLIC) - {("POST", "/intake/webhooks/{partner_id}")}):
            answer = await program.request(method, re.sub(r"\{\w+\}", "x", path), headers=origin)
            assert answer.status_code != 401, path


# ---- answers, metrics, readiness, parking ----


def test_the_answers_listed_are_those_of_the_door() -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    for cells in rows_of(look_up("webhook-answers.md")):
        if len(cells) == 3 and cells[1].startswith("`/problems/"):
            listed[cells[0], cells[1].strip("`")] = set(codes_in(cells[2]))
    assert listed == {
        (str(problem.status), f"/problems/{problem.slug}"): {reason.code for reason in Reason if reason.problem is problem}
        for problem in Problem
    }


def test_the_limits_listed_are_those_of_the_door() -> None:
    from services.intake.store.partners import RATE_PER_MINUTE
    from services.intake.web.webhook_accept import Patience
    from services.intake.webhooks import body, signature

    limits: Mapping[str, str] = {cells[0]: cells[1] for cells in rows_of(look_up("webhook-answers.md")) if len(cells) == 2}
    patience = Patience()
    assert limits["body"] == f"{body.MAX_BODY_BYTES // 1024} KiB"
    assert limits["nesting of the JSON"] == str(body.MAX_DEPTH)
    assert limits["difference of the clocks"] == f"{signature.TOLERANCE.seconds} seconds, both ways"
    assert limits["`webhook-id`"] == f"{signature.MAX_ID_BYTES} visible ASCII characters"
    assert limits["signatures in one header"] == str(signature.MAX_ENTRIES)
    assert (limits["signed requests"], WINDOW_SECONDS) == (f"{RATE_PER_MINUTE:,} a minute for each partner, counted by each process", 60)
    assert (limits["refused requests from one network address"], 1 / patience.refused_refill_seconds) == (
        f"{patience.refused_tries}, then five a second",
        5,
    )


def test_the_metrics_listed_are_those_that_are_counted() -> None:
    counted = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in REGISTRY.collect()}
    ours = {name for name in counted if name.startswith("tidings_")}
    listed = {code for cells in rows_of(look_up("metrics-and-readiness.md")) for code in codes_in(cells[0]) if code in ours}
    assert listed == ours
    for page in PAGES:
        assert set(re.findall(r"`(tidings_\w+)", text_of(page))) <= ours, page


def test_every_state_of_readiness_is_explained() -> None:
    codes = codes_in(look_up("metrics-and-readiness.md"))
    assert {*State, *Grade, *DatabaseState, OUTBOX_UNKNOWN} <= set(codes)


def test_the_pauses_of_parking_are_those_of_the_code() -> None:
    units = {"second": 1, "seconds": 1, "minutes": 60, "hour": 3600, "hours": 3600}
    text = text_of(DOCS / "understand" / "parking.md")
    sentence = text.partition("is tried again after ")[2].partition(".")[0]
    assert tuple(int(number) * units[unit] for number, unit in re.findall(r"(\d+) (\w+)", sentence)) == PAUSES_SECONDS
    assert MAX_ATTEMPTS == 9
    assert "Failing nine times\nmakes it dead" in text


# ---- what is there, and why ----


def test_the_readme_says_of_each_service_whether_it_is_built() -> None:
    said = {cells[0].strip("`"): cells[1] for cells in rows_of(text_of(ROOT / "README.md")) if cells[0].startswith("`")}
    assert set(said) == set(Service)
    assert {service for service, today in said.items() if today != "not built yet"} == set(OWNERS)


RECORD_PARTS = ["Context", "Decision", "Consequences", "Rejected", "When to look again"]


def test_each_decision_has_its_parts_and_its_number() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [record.name[:5] for record in records] == [f"{number:04d}-" for number in range(1, len(records) + 1)]
    for record in records:
        text = text_of(record)
        assert text.startswith(f"# {record.name[:4]}: "), record
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == RECORD_PARTS, record
