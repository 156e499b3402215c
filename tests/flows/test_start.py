"""What a system that is there to be tried starts with: the work plan, the named days, champions and sample pledges, as the past, once."""

from pathlib import Path

import httpx
import pytest

from services.together import is_to_be_tried
from shared.i18n import look_up
from shared.settings import Settings
from tests.flows.running import Running, running, until

SAMPLES = 54
OWN_DATABASE = "postgresql://tidings@127.0.0.1:1/tidings"


def known(system: Running) -> tuple[int, int]:
    """How many pledges and dates the public finds."""
    pledges = httpx.get(f"{system.address}/pledges/api/v1/pledges", timeout=60).json()
    return int(pledges["total"]), dates(system)


def dates(system: Running, kind: str = "") -> int:
    """How many dates of a kind the public finds; of all, where none is named."""
    feed = httpx.get(f"{system.address}/calendar/feed.json", params={"kind": kind} if kind else {}, timeout=60)
    return len(feed.json()["entries"])


@pytest.mark.timeout(600)
def test_it_starts_with_real_dates_and_invented_pledges_once_and_nothing_is_drafted_from_them(var: Path) -> None:
    with running(var) as system:
        until(lambda: known(system)[0] == SAMPLES)
        until(lambda: dates(system, "pledge-due") == SAMPLES)  # each pledge falls due on its day
        first = known(system)
        assert first[1] >= 56 + SAMPLES, "every activity of the work plan, too"
        until(lambda: look_up("en", "front.invented")[0] in httpx.get(f"{system.address}/").text)
        with system.staff() as browser:
            assert 'id="draft-' not in browser.get("/social/drafts").text
            assert 'id="item-' not in browser.get("/newsletter/pool").text
            assert "Nothing awaits you." in browser.get("/desk/").text
    with running(var) as system:
        assert known(system) == first


@pytest.mark.parametrize(
    ("settings", "tried"),
    [
        (Settings(), True),
        (Settings(database=OWN_DATABASE), False),
        (Settings(kafka="127.0.0.1:9092"), False),
        (Settings(smtp="smtp://mail.example.org"), False),
        (Settings(public_url="https://tidings.example.org"), False),
    ],
    ids=["as it is", "own database", "own broker", "mails leave", "public"],
)
def test_only_a_system_whose_parts_are_all_inside_it_takes_lists_in_by_itself(settings: Settings, tried: bool) -> None:
    assert is_to_be_tried(settings) is tried
