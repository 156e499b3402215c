"""The work plan and the named days come in as what they are, once, as a whole or not at all."""

import csv
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.__main__ import app
from services.calendar import importing
from services.calendar.domain.sheets import Verdict
from services.calendar.importing import OWN, Sheet
from services.calendar.store import dates
from services.calendar.yearly import Years
from shared import clock
from shared.events.codes import DateKind
from shared.events.times import ApproximateDate, Days
from shared.sheets import SheetRow
from shared.trace import Cause
from tests.calendar.calendar_app import Calendar
from tests.calendar.made import days
from tests.newsletter.test_importing import within

TODAY = datetime(2026, 11, 29, 9, tzinfo=UTC)
ACTIVITIES = list(csv.DictReader(OWN[Sheet.WORKPLAN].read_text(encoding="utf-8").splitlines()))
OBSERVANCES = list(csv.DictReader(OWN[Sheet.OBSERVANCES].read_text(encoding="utf-8").splitlines()))
OVERLAPPING = {"wp-052", "wp-056"}
"""Activities that print a second deadline over the first; that one stands in the plan alone."""

TakeIn = Callable[..., Awaitable[Mapping[str, int]]]


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: TODAY)


@pytest.fixture
def take_in(calendar: Calendar) -> TakeIn:
    """Takes rows in, by default those that come with Tidings, and gives the number of each verdict."""

    async def take(sheet: Sheet, rows: Sequence[Mapping[str, str]] | None = None, **more: Any) -> Mapping[str, int]:
        given = importing.read(sheet, OWN[sheet]) if rows is None else _lined(rows)
        async with calendar.database.transaction() as tx:
            judged = await importing.import_rows(tx, calendar.planning, sheet, given, **more)
        return {
            verdict.value: sum(one.verdict is verdict for one in judged) for verdict in Verdict if verdict in {j.verdict for j in judged}
        }

    return take


def _lined(rows: Sequence[Mapping[str, str]]) -> list[SheetRow]:
    return [SheetRow(line=number, cells=dict(row)) for number, row in enumerate(rows, start=2)]


def changed(rows: Sequence[Mapping[str, str]], key: str, **cells: str) -> list[dict[str, str]]:
    return [{**row, **cells} if row["id"] == key else dict(row) for row in rows]


async def by_key(calendar: Calendar) -> dict[str, Any]:
    return {str(one.import_key): one for one in await calendar.dates()}


async def test_all_56_activities_come_in_as_what_they_are(calendar: Calendar, take_in: TakeIn) -> None:
    assert await take_in(Sheet.WORKPLAN, historic=True) == {"added": 56}
    found = await by_key(calendar)
    assert list(found) == [row["id"] for row in ACTIVITIES]
    for row in ACTIVITIES:
        one = found[row["id"]]
        assert (one.kind, one.when.precision) == (DateKind.ACTIVITY, row["precision"]), row["id"]
        printed = [tuple(period.split("/")) for period in row["windows"].split(";")]
        assert [(w["first"], w["last"]) for w in one.plan["windows"]] == printed
        kept = [(w.first.isoformat(), w.last and w.last.isoformat()) for w in one.when.windows]
        if row["precision"] == "ongoing":
            assert kept == [*printed, ("2021-10-01", None)]
        else:
            assert kept == (printed[:1] if row["id"] in OVERLAPPING else printed), row["id"]
        words = one.description
        assert (words.language, words.title) == ("fr", {"en": row["title_en"], "fr": row["title_fr"]})
        assert (words.priority, words.theme or "") == (row["priority"], row["thematic_area"])
        assert ";".join(words.lead) == row["lead"]
        assert ";".join(words.participants) == row["participants"]
        assert sorted(map(str, words.objectives)) == sorted(filter(None, row["objectives"].split(";")))
        for column in ("deadline_text", "note", "continues_until", "observance_id", "source_line", "start", "end", "org_scope"):
            assert (one.plan[column] or "") == row[column], (row["id"], column)


async def test_two_windows_a_year_apart_stay_two(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.WORKPLAN)
    when = (await by_key(calendar))["wp-048"].when
    assert [(str(one.first), str(one.last)) for one in when.windows] == [("2021-01-01", "2021-03-31"), ("2022-04-01", "2022-06-30")]


async def test_all_22_named_days_come_in_as_what_they_are_with_this_year_and_the_next(calendar: Calendar, take_in: TakeIn) -> None:
    assert await take_in(Sheet.OBSERVANCES) == {"added": 22}
    found = await by_key(calendar)
    for row in OBSERVANCES:
        one = found.pop(row["id"])
        assert (one.kind, one.when.precision) == (row["kind"], row["precision"])
        if isinstance(one.when, Days):
            assert (str(one.when.first), str(one.when.last)) == (row["start"], row["end"])
        else:
            assert isinstance(one.when, ApproximateDate)
            assert [(str(w.first), str(w.last)) for w in one.when.windows] == [(row["start"], row["end"])]
        assert one.historic
    assert {key: str(one.when.first) for key, one in found.items()} == {
        "obs-racial-discrimination-2026": "2026-03-21",
        "obs-racial-discrimination-2027": "2027-03-21",
        "obs-family-remittances-2026": "2026-06-16",
        "obs-family-remittances-2027": "2027-06-16",
        "obs-migrants-day-2026": "2026-12-18",
        "obs-migrants-day-2027": "2027-12-18",
    }
    news = {row.data["when"]["first"] for row in await calendar.told() if not row.historic}
    assert news == {"2026-12-18", "2027-03-21", "2027-06-16", "2027-12-18"}
    assert found["obs-migrants-day-2027"].slug == "international-migrants-day-2027"


async def test_the_coming_year_is_added_when_its_time_comes_and_once(
    calendar: Calendar, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take_in(Sheet.OBSERVANCES)
    before = set(await by_key(calendar))
    assert await Years(calendar.planning).run(calendar.database) == 0
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 1, 1, 1, tzinfo=UTC))
    assert [await Years(calendar.planning).run(calendar.database) for _ in range(3)] == [3, 0, 0]
    assert set(await by_key(calendar)) - before == {
        "obs-racial-discrimination-2028",
        "obs-family-remittances-2028",
        "obs-migrants-day-2028",
    }


async def test_a_day_on_29_february_is_kept_on_the_28th_and_comes_back_with_the_next_leap_year(
    calendar: Calendar, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in OBSERVANCES if row["id"] in {"obs-migrants-day", "obs-family-remittances"}]
    rows = changed(rows, "obs-migrants-day", start="2024-02-29", end="2024-02-29")
    rows = changed(rows, "obs-family-remittances", start="2024-02-28", end="2024-02-28")
    await take_in(Sheet.OBSERVANCES, rows)
    for year in range(2027, 2034):
        monkeypatch.setattr(clock, "now", lambda year=year: datetime(year, 1, 1, 1, tzinfo=UTC))
        await Years(calendar.planning).run(calendar.database)
    found = await by_key(calendar)
    kept = {year: str(found[f"obs-migrants-day-{year}"].when.first)[5:] for year in range(2026, 2035)}
    assert kept == {year: "02-29" if year in {2028, 2032} else "02-28" for year in range(2026, 2035)}
    assert str(found["obs-family-remittances-2028"].when.first) == "2028-02-28", "the day before is another day"


@pytest.mark.parametrize("sheet", list(Sheet))
async def test_the_same_list_again_changes_nothing(calendar: Calendar, take_in: TakeIn, sheet: Sheet) -> None:
    await take_in(sheet)
    rows = await calendar.dates()
    told = len(await calendar.told())
    for _ in range(3):
        assert set(await take_in(sheet)) == {"unchanged"}
    assert await calendar.dates() == rows
    assert len(await calendar.told()) == told


async def test_a_changed_row_moves_or_corrects_and_leaves_the_rest_alone(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.WORKPLAN)
    before = await by_key(calendar)
    rows = changed(ACTIVITIES, "wp-004", end="2021-09-30", start="2021-07-01", windows="2021-07-01/2021-09-30")
    rows = changed(rows, "wp-005", title_fr="Un autre titre")
    assert await take_in(Sheet.WORKPLAN, rows) == {"moved": 1, "corrected": 1, "unchanged": 54}
    after = await by_key(calendar)
    assert (after["wp-004"].sequence, str(after["wp-004"].when.windows[0].first)) == (1, "2021-07-01")
    assert (after["wp-005"].sequence, after["wp-005"].description.title["fr"]) == (0, "Un autre titre")
    assert {key for key in after if after[key] != before[key]} == {"wp-004", "wp-005"}
    assert [row.type for row in (await calendar.told())[56:]] == ["date.moved.v1", "date.published.v1"]


async def test_what_people_changed_stays_while_the_list_says_the_same(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.WORKPLAN)
    async with calendar.database.transaction() as tx:
        found = (await dates.of_import(tx, ["wp-004", "wp-006"]))["wp-004"]
        moved = await calendar.planning.move(tx, found, days("2021-08-01"), cause=Cause.start())
    assert await take_in(Sheet.WORKPLAN) == {"unchanged": 56}
    assert await take_in(Sheet.WORKPLAN, changed(ACTIVITIES, "wp-004", title_en="Another title")) == {"corrected": 1, "unchanged": 55}
    after = (await by_key(calendar))["wp-004"]
    assert (after.when, after.description.title["en"]) == (moved.when, "Another title")


async def test_what_people_cancelled_stays_cancelled(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.WORKPLAN)
    async with calendar.database.transaction() as tx:
        found = (await dates.of_import(tx, ["wp-004"]))["wp-004"]
        await calendar.planning.cancel(tx, found, cause=Cause.start())
    assert await take_in(Sheet.WORKPLAN, changed(ACTIVITIES, "wp-004", title_en="Another title")) == {"cancelled": 1, "unchanged": 55}


async def test_a_named_day_that_is_moved_moves_in_every_year(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.OBSERVANCES)
    rows = changed(OBSERVANCES, "obs-migrants-day", start="2021-12-19", end="2021-12-19")
    assert await take_in(Sheet.OBSERVANCES, rows) == {"moved": 1, "unchanged": 21}
    found = await by_key(calendar)
    assert [str(found[f"obs-migrants-day{year}"].when.first) for year in ("", "-2026", "-2027")] == [
        "2021-12-19",
        "2026-12-19",
        "2027-12-19",
    ]


async def test_the_past_is_told_as_the_past(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(Sheet.WORKPLAN)
    assert {row.data["when"]["precision"] for row in await calendar.told() if not row.historic} == {"ongoing"}  # all else is over


async def test_historic_is_told_as_the_past_whatever_its_days(calendar: Calendar, take_in: TakeIn) -> None:
    await take_in(
        Sheet.WORKPLAN, changed(ACTIVITIES, "wp-004", start="2031-04-01", end="2031-06-30", windows="2031-04-01/2031-06-30"), historic=True
    )
    assert [row for row in await calendar.told() if not row.historic] == []


@pytest.mark.parametrize(
    ("sheet", "key", "cells", "field", "code"),
    [
        pytest.param(Sheet.WORKPLAN, "wp-004", {"precision": "week"}, "precision", "literal_error", id="no such precision"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"windows": "2021-04-02/2021-06-30"}, "windows", "not-a-when", id="half a month"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"windows": "spring"}, "windows", "not-periods", id="no periods"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"end": "2020-06-30"}, "end", "end-before-start", id="ends before it begins"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"end": ""}, "end", "missing", id="no end"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"start": "04/01/2021"}, "start", "not-a-day", id="no day"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"title_fr": ""}, "title_fr", "missing", id="no title"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"objectives": "24"}, "objectives", "objective-out-of-range", id="objective 24"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"priority": "core-9"}, "priority", "unknown-priority", id="no such priority"),
        pytest.param(Sheet.WORKPLAN, "wp-004", {"thematic_area": "6"}, "thematic_area", "unknown-area", id="area 6"),
        pytest.param(Sheet.WORKPLAN, "wp-005", {"id": "wp-004"}, "id", "duplicate", id="twice"),
        pytest.param(Sheet.OBSERVANCES, "obs-cop26", {"kind": "party"}, "kind", "literal_error", id="no such kind"),
        pytest.param(Sheet.OBSERVANCES, "obs-cop26", {"end": "2021-10-01"}, "windows", "not-a-when", id="days that end first"),
    ],
)
async def test_one_wrong_row_keeps_the_whole_list_out(
    calendar: Calendar, sheet: Sheet, key: str, cells: Mapping[str, str], field: str, code: str
) -> None:
    rows = changed(ACTIVITIES if sheet is Sheet.WORKPLAN else OBSERVANCES, key, **cells)
    async with calendar.database.transaction() as tx:
        judged = await importing.import_rows(tx, calendar.planning, sheet, _lined(rows))
    [refused] = [one for one in judged if one.verdict is Verdict.REFUSED]
    assert (refused.field, refused.code) == (field, code)
    assert refused.reason
    assert await calendar.dates() == []


@pytest.fixture
def tidings(database_url: str, monkeypatch: pytest.MonkeyPatch, var: Path) -> Callable[..., Result]:
    """Runs the command on the test's database."""
    monkeypatch.setenv("TIDINGS_DATABASE", database_url)
    monkeypatch.setenv("TIDINGS_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("TIDINGS_VAR", str(var))

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["import", *words])

    return run


def count(url: str) -> int:
    async def ask(tx: Any) -> int:
        return len((await tx.exec_driver_sql("SELECT id FROM calendar.dates")).all())

    return int(within(url, ask))


@pytest.mark.parametrize(("sheet", "rows", "made"), [("workplan", 56, 56), ("observances", 22, 28)])
def test_the_command_takes_a_list_in(tidings: Callable[..., Result], database_url: str, sheet: str, rows: int, made: int) -> None:
    path = str(OWN[Sheet(sheet)])
    dry = tidings(sheet, path, "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)["counts"], json.loads(dry.stdout)["imported"]) == (0, {"added": rows}, False)
    assert count(database_url) == 0
    done = tidings(sheet, path, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["imported"], found["rows"], len(found["verdicts"])) == (0, True, rows, rows)
    assert count(database_url) == made
    assert f"unchanged {rows}" in tidings(sheet, path, "--historic").output


def test_the_command_says_line_field_and_reason(tidings: Callable[..., Result], database_url: str, tmp_path: Path) -> None:
    wrong = tmp_path / "plan.csv"
    wrong.write_text(
        OWN[Sheet.WORKPLAN].read_text(encoding="utf-8").replace("2e trimestre 2021,quarter,", "2e trimestre 2021,week,", 1),
        encoding="utf-8",
    )
    done = tidings("workplan", str(wrong))
    assert done.exit_code == 1
    assert "wp-004" in done.output
    assert "precision" in done.output
    assert "nothing was imported" in done.output
    assert count(database_url) == 0
    assert tidings("workplan", str(tmp_path / "none.csv")).exit_code == 1
