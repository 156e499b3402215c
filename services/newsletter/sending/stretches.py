"""What OpenTelemetry hears of an issue's sending: a span for each stretch of it, and one for the whole; never one for each copy.

The trace is that of the issue: its id begins it, so the span of the whole is the parent of every stretch, in whichever process, and of
what is told of the sending. Where nobody wants spans, no object of this is made.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from services.newsletter.sending.rules import AudienceState, Standing
from shared import spans
from shared.spans import Kind, Span

# A sender that dies takes no more than this with it that no collector hears of.
LONGEST_SECONDS = 60.0
IDLE_SECONDS = 2.0


@dataclass(kw_only=True)
class _Stretch:
    began: int
    last: float  # by the monotonic clock, when something was heard of it
    copies: Counter[str] = field(default_factory=Counter)  # by what became of them


class Stretches:
    """The copies that one sender has handed over, by issue, until a minute is over or no more have come for some seconds."""

    def __init__(self) -> None:
        self._open: dict[UUID, _Stretch] = {}

    def note(self, began: int, begun: Iterable[UUID], ended: Iterable[tuple[UUID, AudienceState]]) -> None:
        """Count what one commit has made durable, which began then: copies that start, and what became of others, by their issues."""
        for issue_id in begun:
            self._stretch(issue_id, began)
        for issue_id, state in ended:
            if state is not AudienceState.PLANNED:  # given back: nothing has left
                self._stretch(issue_id, began).copies[state.value] += 1

    def _stretch(self, issue_id: UUID, began: int) -> _Stretch:
        stretch = self._open.setdefault(issue_id, _Stretch(began=began, last=0.0))
        stretch.last = time.monotonic()
        return stretch

    def end(self, *, every: bool = False) -> None:
        """End the stretches that are over, or every one."""
        for issue_id, stretch in list(self._open.items()):
            long = spans.now() - stretch.began > LONGEST_SECONDS * 1e9
            if every or long or time.monotonic() - stretch.last > IDLE_SECONDS:
                del self._open[issue_id]
                _end_stretch(issue_id, stretch)

    def end_whole(self, issue: Standing) -> None:
        """End the span of a sending that is over, and of this sender's last stretch of it."""
        if (stretch := self._open.pop(issue.issue_id, None)) is not None:
            _end_stretch(issue.issue_id, stretch)
        trace, counts = issue.issue_id.hex, {"accepted": issue.accepted, "refused": issue.refused, "uncertain": issue.uncertain}
        spans.end(
            Span(
                name="send issue",
                kind=Kind.INTERNAL,
                trace_id=trace,
                span_id=spans.root_of(trace),
                began=int(issue.frozen_at.timestamp() * 1e9) if issue.frozen_at else spans.now(),
                service="newsletter",
                attributes={"tidings.copies": issue.audience, **_attributes(counts)},
                failed=issue.accepted == 0 < issue.audience,
            )
        )


def _end_stretch(issue_id: UUID, stretch: _Stretch) -> None:
    trace = issue_id.hex
    spans.end(
        Span(
            name="send copies",
            kind=Kind.CLIENT,
            trace_id=trace,
            parent_id=spans.root_of(trace),
            began=stretch.began,
            service="newsletter",
            attributes=_attributes(stretch.copies),
            failed=bool(stretch.copies) and not stretch.copies[AudienceState.ACCEPTED.value],
        )
    )


def _attributes(counts: dict[str, int]) -> dict[str, str | int]:
    return {f"tidings.copies.{outcome}": count for outcome, count in counts.items() if count}
