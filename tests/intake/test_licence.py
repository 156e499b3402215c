"""Published data name the licence that is set for them, and none where none is."""

import xml.etree.ElementTree as ET

import httpx
import pytest

from tests.intake.intake_app import Intake
from tests.intake.page import page
from tests.intake.test_review import REVIEW, submitted

LICENCE = "https://example.org/licence"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(params=[LICENCE, None], ids=["set", "not set"], autouse=True)
def licence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the settings say."""
    wanted: str | None = request.param
    if wanted:
        monkeypatch.setenv("TIDINGS_DATA_LICENCE", wanted)
    return wanted


@pytest.mark.parametrize(("kind", "table", "path"), [("practice", "practices", "/practices/"), ("talk", "talks", "/talks/")])
async def test_pages_name_the_licence_of_their_data(
    intake: Intake, staff: httpx.AsyncClient, reader: httpx.AsyncClient, licence: str | None, kind: str, table: str, path: str
) -> None:
    submission = await submitted(intake, kind)
    assert (await staff.post(f"{REVIEW}{submission}/accept")).status_code == 303
    [row] = await intake.rows(f"SELECT slug FROM {table}")
    [said] = page(await reader.get(f"{path}{row.slug}")).data
    assert (said if kind == "practice" else said.get("subjectOf", {})).get("license") == licence
    if kind == "practice":
        links = page(await reader.get(path)).all("a", rel="license")
        assert [link["href"] for link in links] == ([LICENCE] if licence else [])


async def test_the_feed_of_news_names_its_licence(reader: httpx.AsyncClient, licence: str | None) -> None:
    answer = await reader.get("/news/feed.atom")
    assert answer.headers.get("link") == (f'<{LICENCE}>; rel="license"' if licence else None)
    assert ET.fromstring(answer.content).findtext(f"{ATOM}rights") == licence  # our own
    links = page(await reader.get("/news/")).all("a", rel="license")
    assert [link["href"] for link in links] == ([LICENCE] if licence else [])
