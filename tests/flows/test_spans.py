"""One trace spans the services: from a partner's webhook through the door, the events and their handlers to the mail that answers."""

import json
from pathlib import Path
from typing import Any

from tests.collector import collector
from tests.flows.running import running, until
from tests.flows.test_first_thing import BODY, accept

WAY = {
    ("tidings", "POST /intake/webhooks/{partner_id}"),
    ("intake", "tell submission.received.v1"),
    ("desk", "handle submission.received.v1"),
    ("intake", "tell practice.published.v1"),
    ("newsletter", "handle practice.published.v1"),
    ("social", "handle practice.published.v1"),
    ("intake", "hand over mail"),
}


def test_one_trace_spans_door_handlers_and_mail(var: Path) -> None:
    with collector() as found, running(var, TIDINGS_OTLP_ENDPOINT=found.address) as system:
        sent = system.send(BODY, "msg_traced")
        assert sent.status_code == 202, sent.text
        trace = sent.json()["receipt"].replace("-", "")
        accept(system, sent.json()["receipt"])

        def whole() -> list[dict[str, Any]]:
            spans = [span for span in found.spans() if span["traceId"] == trace]
            return spans if {(span["service"], span["name"]) for span in spans} >= WAY else []

        spans = until(whole)
        ids = {span["spanId"] for span in spans}
        [door] = [span for span in spans if "parentSpanId" not in span]
        assert door["name"] == "POST /intake/webhooks/{partner_id}"
        assert {span["parentSpanId"] for span in spans if span is not door} <= ids, "every span finds its parent in the same trace"
        for event in ("submission.received.v1", "practice.published.v1"):
            [told] = [span for span in spans if span["name"] == f"tell {event}"]
            assert {span["parentSpanId"] for span in spans if span["name"] == f"handle {event}"} == {told["spanId"]}
        assert "@" not in json.dumps(found.bodies)
