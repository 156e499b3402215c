"""The soak: that it would show what grows, and that a short one runs through."""

import pytest

from bench.soak import slope_per_hour, soak


def test_what_grows_shows_as_a_slope_and_what_does_not_shows_none() -> None:
    leak = [(float(second), 100.0 + second * 2 + (second % 3)) for second in range(60)]
    assert slope_per_hour(leak) == pytest.approx(7200, rel=0.02)
    steady = [(float(second), 100.0 + (second % 2)) for second in range(60)]
    assert abs(slope_per_hour(steady)) < 60
    assert slope_per_hour([]) == slope_per_hour([(0.0, 5.0)]) == 0.0


@pytest.mark.timeout(600)
def test_short_soak_takes_all_in_and_says_what_it_leaves() -> None:
    found = soak(seconds=6, rate=10, every=1, say=lambda line: None)
    assert found["wrong"] == {}
    assert found["left"] == {}
    assert found["accepted"] > 0 < found["read"]
    assert found["memory_mb_end"] > 50
    assert found["files_end"] > 5 < found["sessions_end"]
