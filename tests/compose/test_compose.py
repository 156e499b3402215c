"""The system in containers, as an operator has it: healthy from a clean copy, walked through its gateway, whole after all was killed.

`TIDINGS_RELIABILITY` names the file that the figures of the run are written to: `make reliability` writes docs/reliability.md.
"""

import csv
import io
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.demo.walk import incoming, outgoing
from services.demo.walk.people import new_partner
from services.demo.walk.system import found_at
from services.demo.walk.walk import Walk, begun
from shared import clock
from tests.compose.flow import Told, flowing
from tests.compose.killing import Killing
from tests.compose.report import Figures, written
from tests.compose.system import BIN, ROOT, Compose, inspected, started, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live"), pytest.mark.timeout(2400)]

SERVICES = ("desk", "intake", "pledges", "newsletter", "social", "calendar")
# The demo parts go first: their network keeps its timeline in memory, and the one post of this test must not be forgotten with it.
KILLED = ("demo", "social", "sender", "newsletter", "intake", "desk", "pledges", "calendar", "gateway")
KILLED_LAST = ("kafka", "postgres")  # once the others are well again: what they start upon
STOPPED = (*SERVICES, "sender")
MAILERS = ("desk", "intake", "pledges", "newsletter", "calendar")
MAIL_IN_HAND = "state = 'started' OR (state = 'waiting' AND next_at < now())"
READERS = 1_500
MAIL_SECONDS = 0.5  # what the mail server takes for one: the issue is under way while things are killed
FLOW_GOES_ON = 10  # webhooks accepted between one kill and the next
KAFKA_AWAY_SECONDS = 60.0
PARTNERS = 3


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    with started(tmp_path_factory.mktemp("compose") / "tidings") as found:
        yield found


def test_demo_walks_through_the_gateway(system: Compose) -> None:
    walked = subprocess.run(
        [BIN / "tidings", "demo", "--against", system.address], cwd="/", capture_output=True, text=True, timeout=900, check=False
    )
    assert walked.returncode == 0, walked.stderr[-3000:] + system.logs()
    assert "32 steps hold" in walked.stderr


def test_containers_are_contained_and_speak_to_nobody_who_need_not_hear_them(system: Compose) -> None:
    for service in (*SERVICES, "sender", "gateway", "demo", "kafka", "postgres"):
        (container,) = system.containers(service)
        form = " ".join(f"{{{{.HostConfig.{name}}}}}" for name in ("ReadonlyRootfs", "CapDrop", "Memory", "PidsLimit", "SecurityOpt"))
        read_only, dropped, memory, pids, options = inspected(container, form=form).split(" ")
        assert (read_only, dropped, "no-new-privileges" in options) == ("true", "[ALL]", True), service
        assert int(memory) > 0 < int(pids)
        status = Path(f"/proc/{inspected(container, form='{{.State.Pid}}')}/status").read_text(encoding="ascii")
        assert "Uid:\t0\t" not in status, f"{service} runs as root"
    for service in ("kafka", "postgres", *SERVICES, "sender"):
        (container,) = system.containers(service)
        assert inspected(container, form="{{json .HostConfig.PortBindings}}") in {"{}", "null"}, f"{service} is reached from outside"
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.get(system.address + path).status_code == 404
    roles = {row[0] for row in system.ask("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'tidings-%'")}
    assert roles == {f"tidings_{service}" for service in SERVICES}


def test_everything_is_seen_by_prometheus_and_every_rule_is_taken(system: Compose) -> None:
    system.start_prometheus()
    jobs = {*SERVICES, "sender"}
    with httpx.Client(base_url=system.prometheus, timeout=20) as prometheus:

        def seen() -> set[str]:
            targets = prometheus.get("/api/v1/targets", params={"state": "active"}).json()["data"]["activeTargets"]
            return {target["labels"]["job"] for target in targets if target["health"] == "up"}

        def judged() -> Counter[str]:
            groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
            return Counter(rule["health"] for group in groups for rule in group["rules"])

        until(lambda: seen() == jobs, lambda: f"Prometheus sees all but {jobs - seen()}")
        until(lambda: judged().keys() == {"ok"}, lambda: f"every rule was judged: {judged()}")
    system.run("rm", "--stop", "--force", "prometheus")


def test_nothing_is_lost_and_nothing_happens_twice_though_everything_is_killed(system: Compose, tmp_path: Path) -> None:
    figures = Figures()
    walked = system.count("SELECT count(*) FROM newsletter.subscribers WHERE state = 'confirmed'")  # by the demo
    out = tmp_path / "mails"
    system.send_mails_to_sink(out, seconds=MAIL_SECONDS)
    system.run("up", "--wait", "--scale", "newsletter=2", "--scale", "social=2", "--scale", "intake=2")
    assert [len(system.containers(name)) for name in ("newsletter", "social", "intake")] == [2, 2, 2]
    walk = _team(system)
    partners = [new_partner(walk.alex, walk.titled(f"City {number}")) for number in range(PARTNERS)]
    system.ask("UPDATE intake.partners SET rate_per_minute = 100000")
    post, issue = _ready_to_leave(system, walk)
    killing = Killing(system, (*KILLED, *KILLED_LAST))
    figures.back = killing.back
    with flowing(system.address, partners, walk.example("practice.submitted")) as told:
        _flows_on(told)
        killing.kill(KILLED[0])
        outgoing.schedule_post(walk, post)
        outgoing.release_issue(walk)
        until(lambda: _taken(out), "mails on their way")
        for services in (KILLED[1:], KILLED_LAST):
            for service in services:
                killing.kill(service)
                _flows_on(told)
            killing.until_all_are_well()
        figures.accepted_meanwhile = _without_kafka(system, told)
        figures.restart_seconds = _restart(system, "postgres")
        _flows_on(told)
        figures.stop_seconds = _stop(system)
        system.run("start", *STOPPED)
        _flows_on(told)
    figures.told = told
    assert told.wrong == []
    figures.settled_seconds = until(lambda: not _unsettled(system, issue), lambda: f"settled: {_unsettled(system, issue)}", every=2)
    system.until_well(*KILLED, *KILLED_LAST)

    assert _applied(system) == Counter(dict.fromkeys(told.accepted.values(), 1))
    states = dict(system.ask(f"SELECT state, count(*) FROM newsletter.audience WHERE issue_id = '{issue}' GROUP BY state"))
    figures.readers = {state: int(count) for state, count in states.items()}
    assert set(states) <= {"accepted", "uncertain"}
    assert sum(figures.readers.values()) == READERS + walked
    taken = _taken(out)
    assert [address for address, count in taken.items() if count > 1] == []
    assert figures.readers["accepted"] <= len(taken) <= READERS + walked
    # A post that was cut off is looked for on the timeline, three times, before it is named.
    until(lambda: outgoing.posts_with(walk.system.networks["x"], post) == 1 or _named(system), "the post out, or named", 900)
    assert outgoing.posts_with(walk.system.networks["x"], post) <= 1
    _write(figures)


def _team(system: Compose) -> Walk:
    walk = begun(found_at(system.address), lambda words: None)
    incoming.enter(walk)
    return walk


def _ready_to_leave(system: Compose, walk: Walk) -> tuple[str, str]:
    """Return the title of a drafted post and the id of an issue that is cut: what came in by one practice."""
    walk.partner = new_partner(walk.alex, walk.titled("City of the walk"))
    practice = incoming.send(walk, "practice.submitted", "a practice")
    incoming.review(walk, "practice", "a practice", practice)
    title = walk.found["practice.submitted title"]
    rows = io.StringIO()
    lines = csv.writer(rows)
    lines.writerow(["address", "language", "consent_at", "consent_source"])
    today = clock.now().date().isoformat()
    lines.writerows([f"reader{number}@example.org", "en", today, "a list of this test"] for number in range(READERS))
    system.run(
        "exec", "-T", "newsletter", "sh", "-c", "cat > /tmp/list.csv && tidings import subscribers /tmp/list.csv", given=rows.getvalue()
    )
    outgoing.cut_issue(walk, [title])
    return title, walk.found["issue"].rpartition("/")[2]


def _flows_on(told: Told) -> None:
    heard = len(told.accepted)
    until(lambda: len(told.accepted) >= heard + FLOW_GOES_ON, "the flow goes on")


def _without_kafka(system: Compose, told: Told) -> int:
    system.run("stop", "kafka")
    before = len(told.accepted)
    time.sleep(KAFKA_AWAY_SECONDS)
    meanwhile = len(told.accepted) - before
    system.run("start", "kafka")
    assert meanwhile > 0
    return meanwhile


def _restart(system: Compose, service: str) -> float:
    began = time.monotonic()
    system.run("restart", service)
    system.until_well(service)
    return time.monotonic() - began


def _stop(system: Compose) -> float:
    """Return how long it takes until every service has ended by itself; fails where one had to be killed, or failed."""
    began = time.monotonic()
    system.run("stop", *STOPPED)
    seconds = time.monotonic() - began
    for service in STOPPED:
        for container in system.containers(service):
            assert inspected(container, form="{{.State.ExitCode}}") == "0", f"{service}: {system.logs(service)}"
    return seconds


def _unsettled(system: Compose, issue: str) -> list[str]:
    """Return what is still on its way, each with its count."""
    queues = {f"{name}.outbox": f"SELECT count(*) FROM {name}.outbox WHERE sent_at IS NULL" for name in SERVICES}
    queues |= {f"{name}.parked": f"SELECT count(*) FROM {name}.parked WHERE state IN ('waiting', 'dead')" for name in SERVICES}
    queues |= {f"{name}.mails": f"SELECT count(*) FROM {name}.mails WHERE {MAIL_IN_HAND}" for name in MAILERS}
    queues["copies"] = (
        f"SELECT count(*) FROM newsletter.audience WHERE issue_id = '{issue}' AND state IN ('planned', 'claimed', 'started', 'deferred')"
    )
    queues["tasks"] = (
        "SELECT count(*) FROM intake.submissions s LEFT JOIN desk.awaited a ON right(a.address, 36) = s.id::text"
        " WHERE s.kind = 'practice' AND a.id IS NULL"
    )
    union = " UNION ALL ".join(f"SELECT '{name}', ({statement})" for name, statement in queues.items())
    return [f"{count} {name}" for name, count in system.ask(union) if count != "0"]


def _applied(system: Compose) -> Counter[str]:
    """Return how often each webhook of the flow became a submission, and that submission a task before the team."""
    joined = (
        "SELECT r.id, count(DISTINCT s.id) * count(a.id) FROM intake.receipts r"
        " LEFT JOIN intake.submissions s ON s.id = r.id"
        " LEFT JOIN desk.awaited a ON a.kind = 'review-practice' AND right(a.address, 36) = r.id::text"
        " WHERE r.webhook_id LIKE 'msg_flow_%' GROUP BY r.id"
    )
    return Counter({receipt: int(count) for receipt, count in system.ask(joined)})


def _taken(out: Path) -> Counter[str]:
    """Return how many copies each reader got from the mail server of this test."""
    file = out / "mails"
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return Counter(line.split(" ")[0] for line in lines)


def _named(system: Compose) -> bool:
    return system.count("SELECT count(*) FROM social.deliveries WHERE state = 'waiting' AND waiting_for = 'uncertain'") > 0


def _write(figures: Figures) -> None:
    if place := os.environ.get("TIDINGS_RELIABILITY"):
        (ROOT / place).write_text(written(figures), encoding="utf-8")
