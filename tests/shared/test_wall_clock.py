"""A time on the wall and the instant that it means."""

from datetime import UTC, datetime

import pytest

from shared.i18n import LANGUAGES, translate
from shared.wall_clock import Oddity, plan


@pytest.mark.parametrize(
    ("local", "zone", "instant", "oddity"),
    [
        pytest.param("2026-03-28T09:00", "Europe/Zurich", "2026-03-28T08:00", None, id="winter"),
        pytest.param("2026-03-30T09:00", "Europe/Zurich", "2026-03-30T07:00", None, id="summer, two days later"),
        pytest.param("2026-03-29T02:30", "Europe/Zurich", "2026-03-29T01:30", Oddity.GAP, id="the hour that does not exist: 03:30"),
        pytest.param("2026-03-29T03:00", "Europe/Zurich", "2026-03-29T01:00", None, id="the first minute after it"),
        pytest.param("2026-10-25T02:30", "Europe/Zurich", "2026-10-25T00:30", Oddity.OVERLAP, id="the hour that comes twice: the first"),
        pytest.param("2026-10-25T03:00", "Europe/Zurich", "2026-10-25T02:00", None, id="the first minute after it"),
        pytest.param("2026-03-08T02:15", "America/New_York", "2026-03-08T07:15", Oddity.GAP, id="another place, another night"),
        pytest.param("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45", Oddity.OVERLAP, id="half an hour that comes twice"),
        pytest.param("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T22:00", Oddity.GAP, id="a day that does not exist"),
        pytest.param("2026-06-16T09:00", "Asia/Kathmandu", "2026-06-16T03:15", None, id="a quarter of an hour"),
    ],
)
def test_means_this_instant(local: str, zone: str, instant: str, oddity: Oddity | None) -> None:
    planned = plan(datetime.fromisoformat(local), zone)
    assert (planned.instant, planned.oddity) == (datetime.fromisoformat(instant).replace(tzinfo=UTC), oddity)
    assert (planned.local, planned.zone) == (datetime.fromisoformat(local), zone)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_odd_is_told(language: str) -> None:
    told = {translate(language, plan(datetime(2026, *day, 2, 30), "Europe/Zurich").oddity_key) for day in ((3, 29), (10, 25))}  # noqa: DTZ001  # a time on the wall
    assert len(told) == 2
    assert plan(datetime(2026, 6, 16, 9), "Europe/Zurich").oddity_key == ""  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["Europe/Geneva", "", "../etc/passwd", "CEST+2"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        plan(datetime(2026, 6, 16, 9), zone)  # noqa: DTZ001


def test_a_time_with_a_zone_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="has a zone already"):
        plan(datetime(2026, 6, 16, 9, tzinfo=UTC), "Europe/Zurich")


@pytest.mark.parametrize(("local", "zone"), [("0001-01-01T00:00", "Asia/Tokyo"), ("9999-12-31T23:59", "America/New_York")])
def test_a_time_outside_the_calendar_is_refused(local: str, zone: str) -> None:
    with pytest.raises(ValueError, match="lies outside the calendar"):
        plan(datetime.fromisoformat(local), zone)
