"""One id that follows one thing from the door through every service (W3C Trace Context)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from shared.ids import new_id

trace_id_var: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace id of what is being worked on; the log filter writes it on every line."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What an event came from: the event or the request before it, and the trace both belong to."""

    id: str  # the id of an event, or the receipt of a request
    trace_id: str  # 32 lower-case hexadecimal digits

    @classmethod
    def start(cls, receipt: UUID | None = None) -> "Cause":
        """Return the cause of something that has just come in: its receipt is also its trace id, so one id finds all."""
        receipt = receipt or new_id()
        return cls(id=str(receipt), trace_id=receipt.hex)

    @property
    def traceparent(self) -> str:
        """The `traceparent` header: version 00, this trace, the causing span as parent, sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    @property
    def span_id(self) -> str:
        """The id of the span of what caused it: the last half of its id; that of the trace's beginning where its id is not of ours."""
        half = self.id.replace("-", "")[-16:]
        return half if re.fullmatch(r"[0-9a-f]{16}", half) else self.trace_id[-16:]


def trace_id_of(traceparent: str) -> str:
    """Return the trace id in a `traceparent` value, or an empty string where the value is not one."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return match.group(1) if match else ""


@contextmanager
def tracing(trace_id: str) -> Iterator[None]:
    """Put `trace_id` on every log line written inside."""
    token = trace_id_var.set(trace_id)
    try:
        yield
    finally:
        trace_id_var.reset(token)
