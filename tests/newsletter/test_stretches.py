"""An issue's sending as OpenTelemetry hears of it: stretches of copies, and the whole."""

from typing import Any

import pytest

from services.newsletter.sending import stretches as module
from services.newsletter.sending.rules import AudienceState
from services.newsletter.sending.stretches import Stretches
from shared import spans
from shared.ids import new_id
from tests.collector import Collector, collector


def _said(found: Collector) -> list[tuple[str, str, dict[str, int], bool]]:
    """Each span by trace and parent, with its counts, and whether it failed."""
    return [
        (
            span["traceId"],
            span["parentSpanId"],
            {one["key"].removeprefix("tidings.copies."): int(one["value"]["intValue"]) for one in span["attributes"]},
            span["status"] != {},
        )
        for span in found.spans()
    ]


async def test_thousands_of_copies_are_one_span_for_each_issue_and_what_is_given_back_is_none() -> None:
    good, bad, held = new_id(), new_id(), new_id()
    with collector() as found:
        async with spans.exported(found.address, "newsletter"):
            copies = Stretches()
            for _ in range(20):
                copies.note(spans.now(), [good] * 100, [(good, AudienceState.ACCEPTED)] * 99 + [(good, AudienceState.DEFERRED)])
            copies.note(spans.now(), [bad], [(bad, AudienceState.REFUSED), (held, AudienceState.PLANNED)])
            copies.end(every=True)
        assert sorted(_said(found)) == sorted(
            [
                (good.hex, good.hex[-16:], {"accepted": 1980, "deferred": 20}, False),
                (bad.hex, bad.hex[-16:], {"refused": 1}, True),
            ]
        )


@pytest.mark.parametrize(
    ("limit", "ended"), [({}, 0), ({"IDLE_SECONDS": -1.0}, 1), ({"LONGEST_SECONDS": -1.0}, 1)], ids=["under way", "over", "long"]
)
async def test_a_stretch_ends_when_no_more_come_and_after_a_minute(
    limit: dict[str, Any], ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(module, name, value)
    issue = new_id()
    with collector() as found:
        async with spans.exported(found.address, "newsletter"):
            copies = Stretches()
            copies.note(spans.now(), [issue], [(issue, AudienceState.ACCEPTED)])
            copies.end()
        assert len(found.spans()) == ended
