"""Published data name the licence that is set for them, and none where none is."""

import httpx
import pytest

from tests.calendar.calendar_app import Calendar
from tests.calendar.made import days, new_date, stored
from tests.intake.page import page

LICENCE = "https://example.org/licence"


@pytest.fixture(params=[LICENCE, None], ids=["set", "not set"], autouse=True)
def licence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the settings say."""
    wanted: str | None = request.param
    if wanted:
        monkeypatch.setenv("TIDINGS_DATA_LICENCE", wanted)
    return wanted


async def test_feeds_and_pages_of_dates_name_their_licence(calendar: Calendar, reader: httpx.AsyncClient, licence: str | None) -> None:
    one = await stored(calendar.database, new_date("A date", days("2027-06-16")))
    for address in ("/calendar/feed.ics", "/calendar/feed.json", f"/calendar/{one.slug}.ics"):
        answer = await reader.get(address)
        assert answer.status_code == 200
        assert answer.headers.get("link") == (f'<{LICENCE}>; rel="license"' if licence else None), address
        again = await reader.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.headers.get("link")) == (304, answer.headers.get("link"))
    links = (await reader.get("/calendar/feed.json")).json()["links"]
    assert links.get("licence") == ({"@type": "Link", "href": LICENCE, "rel": "license"} if licence else None)
    for address in ("/calendar/", "/calendar/month/2027-06"):
        found = page(await reader.get(address))
        assert [link["href"] for link in found.all("a", rel="license")] == ([LICENCE] if licence else [])
    shown = page(await reader.get(f"/calendar/{one.slug}"))
    [event] = shown.data
    assert event.get("subjectOf", {}).get("license") == licence, "an event has no licence of its own; its page has"
