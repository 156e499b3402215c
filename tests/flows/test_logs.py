"""The whole job in its log and its spans: one id follows a webhook from the door to mail and network, and nothing tells of a person."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.collector import Collector, collector
from tests.flows.running import ROOT, environment, running, until

# Only hangs: how long it takes is measured where the machine is quiet.
HANGS_SECONDS = 900


@pytest.mark.timeout(HANGS_SECONDS + 60)
def test_one_id_follows_a_webhook_everywhere_and_no_line_holds_anything_of_a_person(var: Path) -> None:
    with collector() as found, running(var, TIDINGS_LOG="json", TIDINGS_OTLP_ENDPOINT=found.address) as system:
        command = [sys.executable, "-m", "services", "demo", "--against", system.address]
        walked = subprocess.run(command, cwd=ROOT, env=environment(var), capture_output=True, text=True, check=False, timeout=HANGS_SECONDS)
        assert walked.returncode == 0, walked.stderr
        mails = httpx.get(f"{system.address}/demo/mails.json", timeout=30).json()["mails"]
        # What is told to the person who started it stands between the lines, once.
        before, _, after = system.said.partition("Ctrl-C ends it; what came in is kept.")
        lines = [json.loads(line) for line in before.splitlines() if line.startswith("{")]
        lines += [json.loads(line) for line in after.splitlines() if line]
        follow_the_practice(lines)
        follow_post_and_issue(found)
        nothing_personal(lines, mails, named_in(system.address))
        nothing_personal(found.bodies, mails, named_in(system.address))


def follow_the_practice(lines: list[dict[str, Any]]) -> None:
    """Look that the trace of the practice's webhook is on a line of everything that became of it."""
    said = [(line["message"], line["trace"]) for line in lines if line.get("trace")]
    published = {trace for message, trace in said if re.match(r"intake told practice\.published\.v1 about ", message)}
    stages = (
        r"POST /intake/webhooks/\{partner_id\} 202 ",
        r"intake told submission\.received\.v1 about ",
        r"desk handled submission\.received\.v1 about ",
        r"intake told practice\.published\.v1 about ",
        r"newsletter handled practice\.published\.v1 about ",
        r"social handled practice\.published\.v1 about ",
        r"desk handled practice\.published\.v1 about ",
        r"mail \S+: accepted at try 1$",
        r"post \S+ on x: published$",
    )
    found = {
        trace: [stage for stage in stages if any(re.match(stage, message) for message, its in said if its == trace)] for trace in published
    }
    assert list(stages) in found.values(), found


def follow_post_and_issue(found: Collector) -> None:
    """Look that each post stands in the trace of the request that it came from, and copies of an issue under the span of its sending."""

    def sent() -> dict[str, list[dict[str, Any]]]:
        by_name: dict[str, list[dict[str, Any]]] = {}
        for span in found.spans():
            by_name.setdefault(span["name"], []).append(span)
        return by_name if by_name.keys() >= {"post", "send issue", "send copies"} else {}

    spans = until(sent)
    ids = {(span["traceId"], span["spanId"]) for same in spans.values() for span in same}
    for span in spans["post"]:
        assert (span["service"], (span["traceId"], span["parentSpanId"]) in ids) == ("social", True)
        assert {"key": "tidings.outcome", "value": {"stringValue": "published"}} in span["attributes"]
    doors = {span["traceId"] for span in spans["POST /intake/webhooks/{partner_id}"]}
    assert doors & {span["traceId"] for span in spans["post"]}
    wholes = {(span["traceId"], span["spanId"]) for span in spans["send issue"]}
    assert {(span["traceId"], span["parentSpanId"]) for span in spans["send copies"]} == wholes


def named_in(address: str) -> set[str]:
    """Return the names of people that were typed on the way: whom to ask about what partners send, and who works here."""
    kinds = httpx.get(f"{address}/intake/api/v1/catalogue", timeout=30).json()["kinds"]
    names = {kind["example"]["data"].get("contact", {}).get("name", "") for kind in kinds} - {""}
    assert names
    # As the walk and the trial run write them; of readers no name is asked.
    return names | {"Owner of the walk", "Alex", "Noor", "Sam"}


def nothing_personal(lines: list[dict[str, Any]], mails: list[dict[str, Any]], names: set[str]) -> None:
    """Look that no line holds an address, the name of anybody, or what opens a mailed link."""
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    assert len(lines) > 10
    assert {name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)} == set()
    assert re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]+", text) == []
    assert len(mails) > 5
    secrets = {mail["to"] for mail in mails}
    for mail in mails:
        for link in re.findall(r"https?://[^\s<>\"]+", json.dumps(mail)):
            last = urlsplit(link.rstrip("\\.,)")).path.rpartition("/")[2]
            secrets |= {last} if len(last) >= 16 and not re.fullmatch(r"[0-9a-f-]{36}", last) else set()
    assert len(secrets) > 8
    assert {secret for secret in secrets if secret in text} == set()
