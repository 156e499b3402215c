"""Published data name the licence that is set for them, and none where none is."""

import xml.etree.ElementTree as ET

import httpx
import pytest

from tests.intake.page import page
from tests.pledges.pledges_app import Register
from tests.pledges.test_register_data import API, ATOM, OPEN

LICENCE = "https://example.org/licence"


@pytest.fixture(params=[LICENCE, None], ids=["set", "not set"], autouse=True)
def licence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the settings say."""
    wanted: str | None = request.param
    if wanted:
        monkeypatch.setenv("TIDINGS_DATA_LICENCE", wanted)
    return wanted


async def test_open_data_and_pages_of_pledges_name_their_licence(
    register: Register, program: httpx.AsyncClient, licence: str | None
) -> None:
    pledge = await register.publish()
    for address in (*OPEN, f"{API}/pledges/{pledge.number}"):
        answer = await program.get(address)
        assert answer.headers.get("link") == (f'<{LICENCE}>; rel="license"' if licence else None), address
        if answer.headers["content-type"].startswith("application/json"):
            assert answer.json().get("license") == licence, address
    feed = ET.fromstring((await program.get("/pledges/feed.atom")).content)  # our own
    assert feed.findtext(f"{ATOM}rights") == licence
    assert [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "license"] == ([LICENCE] if licence else [])
    for path in ("/pledges/", f"/pledges/{pledge.number}"):
        found = page(await program.get(path, headers={"accept": "text/html"}))
        assert [link["href"] for link in found.all("a", rel="license")] == ([LICENCE] if licence else [])
    [described] = page(await program.get(f"/pledges/{pledge.number}", headers={"accept": "text/html"})).data
    assert described.get("license") == licence
