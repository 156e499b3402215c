"""The soak: that it would show what grows, and that a short one runs through."""

import threading
from types import SimpleNamespace
from typing import cast

import pytest

from bench.soak import Flow, _send, faults, slope_per_hour, soak
from services.demo.walk.people import Partner


def test_what_grows_shows_as_a_slope_and_what_does_not_shows_none() -> None:
    leak = [(float(second), 100.0 + second * 2 + (second % 3)) for second in range(60)]
    assert slope_per_hour(leak) == pytest.approx(7200, rel=0.02)
    steady = [(float(second), 100.0 + (second % 2)) for second in range(60)]
    assert abs(slope_per_hour(steady)) < 60
    assert slope_per_hour([]) == slope_per_hour([(0.0, 5.0)]) == 0.0


def test_what_is_not_answered_is_wrong_and_ends_no_flow() -> None:
    turns = iter([False, False, True])
    ending = cast("threading.Event", SimpleNamespace(wait=lambda _: next(turns)))
    partner = Partner(page="/intake/partners/1", door="http://127.0.0.1:1/hook", secret="whsec_AAAA")
    flow = Flow()
    _send(flow, ending, partner, [{"data": {"title": {"en": "Forum"}}}], 0.0)
    assert (dict(flow.wrong), flow.accepted) == ({"webhook ConnectError": 2}, 0)


def test_a_flow_that_falls_short_or_leaves_something_behind_is_told() -> None:
    well = {"wrong": {}, "left": {}, "events_per_second": 49.9}
    assert faults(well, rate=50) == []
    assert faults(well | {"events_per_second": 40.0}, rate=50) == [
        "40.0 webhooks and reads a second where 50 were asked: this machine is too slow or too busy for that flow"
    ]
    assert faults(well | {"wrong": {"webhook 503": 2}, "left": {"desk.outbox": 1}}, rate=50) == [
        "webhook 503: 2 times",
        "desk.outbox: 1 have not come through",
    ]


@pytest.mark.timeout(600)
def test_short_soak_takes_all_in_and_says_what_it_leaves() -> None:
    found = soak(seconds=6, rate=10, every=1, say=lambda line: None)
    assert found["wrong"] == {}
    assert found["left"] == {}
    assert found["accepted"] > 0 < found["read"]
    assert found["memory_mb_end"] > 50
    assert found["files_end"] > 5 < found["sessions_end"]
