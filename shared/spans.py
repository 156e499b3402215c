"""OpenTelemetry spans from the door to the network, sent as OTLP over HTTP where TIDINGS_OTLP_ENDPOINT is set; otherwise nothing at all.

The ids need no context of their own: a trace id is that of our log lines, and the span of whatever has an id of ours (a request's receipt,
an event) is the last half of that id, which is also the parent in the `traceparent` of every event. So a span in one service finds its
parent in another without having met it. The JSON form of OTLP (opentelemetry-proto 1.x, "JSON Protobuf encoding") asks for no library.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from http.client import HTTPException
from typing import Any

import orjson

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
BATCH = 500
# A collector that is away costs this many spans of memory, and then the oldest of them.
KEPT = 5_000
TIMEOUT_SECONDS = 5.0
SAY_AGAIN_SECONDS = 60.0


class Kind(IntEnum):
    """What a span is to what it speaks with, as OTLP numbers it."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of work; its attributes hold nothing about a person."""

    name: str
    kind: Kind
    trace_id: str
    began: int  # nanoseconds since 1970, from `now`
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    parent_id: str = ""  # empty for the first of a trace
    service: str = ""  # empty for the process as a whole
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    failed: bool = False


def now() -> int:
    """Return the time as spans have it; 0 where nobody wants any."""
    return time.time_ns() if _exporter is not None else 0


def is_on() -> bool:
    """Say whether anybody wants spans."""
    return _exporter is not None


def root_of(trace_id: str) -> str:
    """Return the id of the span that began a trace: the receipt of a request is its trace id as well."""
    return trace_id[-16:]


def end(span: Span) -> None:
    """Note that a span ends now; without an exporter, or of no trace, nothing happens."""
    if _exporter is not None and len(span.trace_id) == 32:
        _exporter.add(span)


class _Exporter:
    """Sends what has ended, off the path of the work; a collector that is away costs spans and nothing else."""

    def __init__(self, endpoint: str, process: str) -> None:
        self._address = f"{endpoint.rstrip('/')}/v1/traces"
        self._process = process
        self._ended: deque[tuple[Span, int]] = deque(maxlen=KEPT)
        self._silent_until = 0.0

    def add(self, span: Span) -> None:
        self._ended.append((span, time.time_ns()))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        while self._ended:
            batch = [self._ended.popleft() for _ in range(min(BATCH, len(self._ended)))]
            try:
                await asyncio.to_thread(self._post, orjson.dumps(_as_otlp(batch, self._process)))
            # urllib makes an OSError of what a collector answers or does not, but not of what is no HTTP, as on the port for gRPC.
            except (OSError, HTTPException) as error:
                if time.monotonic() > self._silent_until:
                    self._silent_until = time.monotonic() + SAY_AGAIN_SECONDS
                    log.warning("%d spans are lost: the collector at TIDINGS_OTLP_ENDPOINT did not take them (%r)", len(batch), error)
                return

    def _post(self, body: bytes) -> None:
        import urllib.request  # where nobody wants spans, nothing of this is loaded

        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._address, data=body, headers=headers)  # noqa: S310  # the setting takes http alone
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()


_exporter: _Exporter | None = None


@asynccontextmanager
async def exported(endpoint: str | None, process: str) -> AsyncIterator[None]:
    """Send spans to an OTLP collector until the block ends; without one, do nothing."""
    global _exporter  # noqa: PLW0603  # one process, one collector; what ends a span knows of neither
    if not endpoint:
        yield
        return
    exporter = _exporter = _Exporter(endpoint, process)
    running = asyncio.create_task(exporter.run(), name="spans")
    try:
        yield
    finally:
        _exporter = None
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        # A collector that is slow keeps no process from its end.
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await exporter.flush()


def _as_otlp(batch: list[tuple[Span, int]], process: str) -> dict[str, Any]:
    by_service: dict[str, list[dict[str, Any]]] = {}
    for span, ended in batch:
        by_service.setdefault(span.service or process, []).append(_span(span, ended))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": name, "service.namespace": "tidings"})},
                "scopeSpans": [{"scope": {"name": "tidings"}, "spans": spans}],
            }
            for name, spans in by_service.items()
        ]
    }


def _span(span: Span, ended: int) -> dict[str, Any]:
    told = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": span.kind.value,
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(ended),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.failed else {},
    }
    return told | {"parentSpanId": span.parent_id} if span.parent_id else told


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}} for key, one in values.items()]
