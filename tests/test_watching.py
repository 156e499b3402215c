"""What watches the system, held against the system: scrapes, alerts and dashboards name only what there is, and each alert a page."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from sqlalchemy import BindParameter, Cast

from services.calendar import queues as calendar
from services.desk import queues as desk
from services.intake import queues as intake
from services.newsletter import queues as newsletter
from services.owners import OWNERS
from services.pledges import queues as pledges
from services.social import queues as social
from shared.queues import BACKBONE, Queue
from shared.testing.requirements import PROMETHEUS_IMAGE
from tests.test_docs import anchors_of, codes_in, look_up, rows_of, text_of

ROOT = Path(__file__).parents[1]
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
SCRAPED = {*OWNERS, "sender"}
for owner in OWNERS:  # what a service measures is registered where its code is
    import_module(f"services.{owner}.app")

QUEUES: Sequence[Queue] = (
    *chain(BACKBONE, calendar.QUEUES, desk.QUEUES, intake.QUEUES),
    *chain(newsletter.QUEUES, pledges.QUEUES, social.QUEUES),
)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def alerts() -> Iterator[Mapping[str, Any]]:
    for path in RULES:
        for group in read_yaml(path)["groups"]:
            yield from group["rules"]


def panels() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            yield path.stem, panel


EXPRESSIONS = [
    *(pytest.param(alert["expr"], id=alert["alert"]) for alert in alerts()),
    *(pytest.param(target["expr"], id=f"{board}: {panel['title']}") for board, panel in panels() for target in panel["targets"]),
]

# ---- reading PromQL, as far as ours goes ----

_FUNCTIONS = {"abs", "absent", "count", "deriv", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time", "vector"}
_WORDS = {"and", "or", "unless", "by", "on", "offset"}
_OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus itself measures."""
_OF_EVERY_SCRAPE = {"job", "instance"}


def metrics_in(expression: str) -> Sequence[tuple[str, Mapping[str, str], set[str]]]:
    """Return each metric of an expression with the labels that it is chosen by, and the labels that the whole is grouped by."""
    grouped = {label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")} - {""}
    plain = re.sub(r"\b(?:by|on) \([^)]*\)", "", expression)
    found = []
    for match in re.finditer(r"\b([a-zA-Z_][a-zA-Z0-9_]*)\b(?!\s*\()(?:\{([^}]*)\})?", plain):
        name, chosen = match[1], match[2] or ""
        if name in _WORDS or _is_inside_braces(plain, match.start()) or _is_duration(plain, match.start()):
            continue
        labels: dict[str, str] = dict(re.findall(r'(\w+)(?:=~|!=|!~|=)"([^"]*)"', chosen))
        found.append((name, labels, grouped))
    return found


def functions_in(expression: str) -> set[str]:
    return set(re.findall(r"\b([a-z_]+)\s*\(", re.sub(r'"[^"]*"', '""', expression))) - _WORDS


def _is_inside_braces(text: str, place: int) -> bool:
    return text.rfind("{", 0, place) > text.rfind("}", 0, place)


def _is_duration(text: str, place: int) -> bool:
    return text.rfind("[", 0, place) > text.rfind("]", 0, place)


def known() -> Mapping[str, set[str]]:
    """Return every name under which something is measured, with its labels."""
    found: dict[str, set[str]] = {name: set(labels) for name, labels in _OF_PROMETHEUS.items()}
    for collector in set(REGISTRY._names_to_collectors.values()):
        labels = set(collector._labelnames) if isinstance(collector, MetricWrapperBase) else set()
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = labels | _OF_EVERY_SCRAPE | ({"le"} if name.endswith("_bucket") else set())
    return found


def literals_of(queue: Queue) -> tuple[str, str | None]:
    """Return a queue's name and its state, None where the state is a column."""
    columns = queue.selected_columns
    name, state = (_literal(columns[label]) for label in ("queue", "state"))
    assert name is not None
    return name, state


def _literal(column: Any) -> str | None:
    element = column.element
    assert isinstance(element, Cast)
    inner = element.clause
    return str(inner.value) if isinstance(inner, BindParameter) else None


# ---- what holds ----


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_reads_what_is_measured(expression: str) -> None:
    found, measured = metrics_in(expression), known()
    assert found
    for name, labels, _ in found:
        assert name in measured, name
        assert labels.keys() <= measured[name], name
    everything = set().union(*(measured[name] for name, _, _ in found))
    assert found[0][2] <= everything
    assert functions_in(expression) <= _FUNCTIONS


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_queue_that_is_chosen_exists_in_that_state(expression: str) -> None:
    pairs = [literals_of(queue) for queue in QUEUES]
    for name, labels, _ in metrics_in(expression):
        if not name.startswith("tidings_queue_") or "queue" not in labels:
            continue
        for wanted in labels["queue"].split("|"):
            assert wanted in {queue for queue, _ in pairs}, wanted
        states = {state for queue, state in pairs if queue in labels["queue"].split("|")}
        if None not in states and "state" in labels:
            assert states & set(labels["state"].split("|")), labels


def test_the_queues_listed_are_those_that_are_counted() -> None:
    section = look_up("metrics-and-readiness.md").partition("### Queues")[2].partition("\n## ")[0]
    listed = {codes_in(cells[0])[0]: set(codes_in(cells[2])) for cells in rows_of(section) if cells[0].startswith("`")}
    assert listed.keys() == {literals_of(queue)[0] for queue in QUEUES}
    for name, state in map(literals_of, QUEUES):
        assert state is None or state in listed[name], (name, state)


def test_every_service_is_scraped_wherever_it_runs() -> None:
    found = read_yaml(PROMETHEUS / "prometheus.yml")
    assert {job["job_name"] for job in found["scrape_configs"]} == SCRAPED
    for job in found["scrape_configs"]:
        [names] = job["dns_sd_configs"]
        assert (names["names"], names["type"], names["port"]) == ([job["job_name"]], "A", 8000)
    assert found["rule_files"] == ["rules/*.yml"]


def test_the_absence_of_every_service_wakes_somebody() -> None:
    [away] = [alert["expr"] for alert in alerts() if alert["alert"] == "ServiceAway"]
    assert set(re.findall(r'absent\(up\{job="(\w+)"\}\)', away)) == SCRAPED


@pytest.mark.parametrize("alert", [pytest.param(alert, id=alert["alert"]) for alert in alerts()])
def test_each_alert_says_what_it_is_and_names_a_page_that_says_what_to_do(alert: Mapping[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"].keys() == {"summary", "runbook"}
    path, _, anchor = alert["annotations"]["runbook"].partition("#")
    page = ROOT / path
    assert page.parent == ROOT / "docs" / "do"
    assert page.is_file(), path
    assert not anchor or anchor in anchors_of(page), anchor
    listed = [cells[2] for cells in rows_of(text_of(ROOT / "docs" / "do" / "watch.md")) if f"`{alert['alert']}`" in cells[0]]
    assert len(listed) == 1, "it stands once in the table of alerts"
    assert f"{page.name}{f'#{anchor}' if anchor else ''}" in listed[0] or page.name in listed[0]


def test_alerts_are_named_once() -> None:
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names)) > 20


def test_grafana_finds_prometheus_and_every_dashboard() -> None:
    [source] = read_yaml(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    [provider] = read_yaml(GRAFANA / "provisioning" / "dashboards" / "tidings.yml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    for path in DASHBOARDS:
        board = json.loads(path.read_text(encoding="utf-8"))
        assert board["uid"] == path.stem
        assert not {"id", "__inputs"} & board.keys()  # of one Grafana's database, or asking somebody at import
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            assert panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}
            assert panel["title"]
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert len(DASHBOARDS) == 3


@pytest.mark.docker
def test_promtool_takes_configuration_and_rules_and_the_alerts_fire_when_they_should() -> None:
    contained = ["docker", "run", "--rm", "--network", "none", "--user", f"{os.getuid()}:{os.getgid()}"]
    contained += ["--volume", f"{ROOT}:{ROOT}:ro", "--workdir", str(ROOT), "--entrypoint", "promtool", PROMETHEUS_IMAGE]
    for command in (
        ["check", "config", str(PROMETHEUS / "prometheus.yml")],
        ["check", "rules", *map(str, RULES)],
        ["test", "rules", str(ROOT / "tests" / "alerts.yml")],
    ):
        done = subprocess.run([*contained, *command], capture_output=True, text=True, check=False, timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr
