"""Which day it is on the public pages: that of the calendar's own zone, not of UTC."""

from datetime import UTC, datetime

import pytest

from shared import clock
from shared.db import Database
from shared.events.codes import DateKind
from tests.calendar.made import days, new_date, rough, stored
from tests.calendar.reading import app_of, asking
from tests.shared.web_app import Page

# In Zurich it is half past midnight, and December.
LATE = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _late(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATE)
    await stored(database, new_date("In November", days("2026-11-30")))
    await stored(database, new_date("In December", days("2026-12-01")))
    activity = {"kind": DateKind.ACTIVITY, "priority": "core-1", "lead": ("IOM",)}
    await stored(database, new_date("An activity", rough("month", ("2026-11-01", "2026-11-30")), **activity))


@pytest.mark.parametrize(
    ("zone", "month", "today"),
    [("Europe/Zurich", "2026-12", "Today, Tuesday, 1 December 2026"), ("UTC", "2026-11", "Today, Monday, 30 November 2026")],
)
async def test_agenda_opens_at_the_month_in_which_we_are(database: Database, zone: str, month: str, today: str) -> None:
    async with asking(database, app_of(database, zone)) as reader:
        text = (await reader.get("/calendar/?lang=en")).text
        table = await reader.get("/calendar/month/?lang=en")
    assert Page(text).all("h2")[0]["id"] == f"m-{month}"
    assert today in text
    assert table.headers["location"] == f"/calendar/month/{month}?lang=en"


async def test_what_was_yesterday_there_is_over(database: Database) -> None:
    async with asking(database, app_of(database, "Europe/Zurich")) as reader:
        embedded = (await reader.get("/calendar/embed?lang=en")).text
        table = (await reader.get("/calendar/month/2026-12?lang=en")).text
        late = (await reader.get("/calendar/workplan?state=late&lang=en")).text
    assert "In December" in embedded
    assert "In November" not in embedded
    assert "In December" in table.partition('aria-current="date"')[2].partition("</td>")[0]
    assert "An activity" in late
