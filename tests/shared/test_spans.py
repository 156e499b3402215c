"""Spans: in OTLP's JSON form where a collector is named, nothing where none is, and never a trouble for the work itself."""

import asyncio

import pytest

from shared import spans
from shared.spans import Kind, Span
from shared.trace import Cause
from tests.collector import collector

TRACE = "01a20200d554731b84e0fea3c281a47a"


def span(name: str = "tell x.v1", **more: object) -> Span:
    given = {"kind": Kind.PRODUCER, "trace_id": TRACE, "began": spans.now(), "service": "intake", "attributes": {"a.b": "c", "n": 3}}
    return Span(**{"name": name, **given, **more})  # type: ignore[arg-type]  # of several types


async def test_spans_reach_the_collector_as_otlp_has_them() -> None:
    with collector() as found:
        async with spans.exported(found.address, "tidings"):
            spans.end(span(span_id="84e0fea3c281a47b", parent_id=spans.root_of(TRACE)))
            spans.end(span("door", service="", failed=True))
            spans.end(span("of nothing", trace_id=""))
        told, door = found.spans()
    assert (told["traceId"], told["spanId"], told["parentSpanId"]) == (TRACE, "84e0fea3c281a47b", "84e0fea3c281a47a")
    assert (told["service"], told["name"], told["kind"], told["status"]) == ("intake", "tell x.v1", 4, {})
    assert int(told["startTimeUnixNano"]) <= int(told["endTimeUnixNano"])
    values = [{"key": "a.b", "value": {"stringValue": "c"}}, {"key": "n", "value": {"intValue": "3"}}]
    assert told["attributes"] == values
    assert (door["service"], door["status"], len(door["spanId"])) == ("tidings", {"code": 2}, 16)
    assert "parentSpanId" not in door


async def test_without_a_collector_nothing_is_made() -> None:
    async with spans.exported(None, "tidings"):
        assert not spans.is_on()
        assert spans.now() == 0
        spans.end(span())


@pytest.mark.parametrize("trouble", ["away", "refuses"])
async def test_a_collector_that_is_away_or_refuses_costs_spans_and_nothing_else(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    with collector() as found:
        found.status = 503
        address = "http://127.0.0.1:1" if trouble == "away" else found.address
        async with spans.exported(address, "tidings"):
            for _ in range(3):
                spans.end(span())
    assert "3 spans are lost" in caplog.text


async def test_what_speaks_no_http_costs_spans_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def as_grpc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00\r\n")
        writer.close()

    server = await asyncio.start_server(as_grpc, "127.0.0.1", 0)
    async with server, spans.exported(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "tidings"):
        spans.end(span())
    assert "1 spans are lost" in caplog.text


def test_the_span_of_a_cause_is_the_parent_that_its_events_name() -> None:
    cause = Cause.start()
    assert cause.traceparent.split("-")[2] == cause.span_id == spans.root_of(cause.trace_id)
    assert Cause(id="not one of ours", trace_id=TRACE).span_id == spans.root_of(TRACE)
