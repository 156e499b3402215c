"""The register for programs: JSON, CSV, Atom and changes, with their tags; what makes no sense is refused by name."""

import asyncio
import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from services.pledges.domain.filters import CODES
from services.pledges.domain.pledges import Change, Facts, Pledge, Standing
from services.pledges.store import changes, pledges
from services.pledges.web import register_data
from shared import sheets
from shared.events.codes import PledgeState
from tests.pledges.made import publish_many, settle, today, varied
from tests.pledges.pledges_app import PUBLIC_URL, Register
from tests.upgrading import EVERYTHING, Upgrade

API = "/pledges/api/v1"
ATOM = "{http://www.w3.org/2005/Atom}"
OPEN = (f"{API}/pledges", f"{API}/pledges.csv", f"{API}/figures", f"{API}/changes", "/pledges/feed.atom")
NONSENSE = [
    ("objective", "24", "not-one-of"),
    ("objective", "six", "not-one-of"),
    ("kind", "moral", "not-one-of"),
    ("country", "ZZ", "unknown-country"),
    ("country", "ma", "unknown-country"),
    ("region", "global", "not-one-of"),
    ("state", "done", "not-one-of"),
    ("freshness", "blue", "not-one-of"),
    ("due", "soon", "not-one-of"),
    ("language", "de", "not-one-of"),
    ("as_of", "2026-02-30", "not-a-day"),
    ("as_of", "2026-W05-1", "not-a-day"),
    ("as_of", "2999-01-01", "too-large"),
    ("q", "!?", "missing"),
    ("q", "x" * 201, "too-long"),
    ("objetcive", "6", "unexpected"),
]


async def changed(register: Register, pledge: Pledge, what: Change, *, day: date | None = None, **facts: Any) -> Pledge:
    """The pledge after one more version."""
    async with register.database.transaction() as tx:
        held = await pledges.lock(tx, pledge.id)
        assert held is not None
        return await pledges.change(tx, held, replace(held.facts, **facts), what, by=None, stands_from=day)


@pytest.mark.parametrize(("name", "value", "code"), NONSENSE)
async def test_nonsense_is_refused_by_name_for_programs_and_passed_over_on_pages(
    register: Register, program: httpx.AsyncClient, reader: httpx.AsyncClient, name: str, value: str, code: str
) -> None:
    await register.publish()
    for address in OPEN:
        answer = await program.get(address, params={name: value})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), address
        [error] = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (f"/{name}", code)
    page = await reader.get("/pledges/", params={name: value, "lang": "en"})
    assert page.status_code == 200
    assert "1 pledge known to this system" in page.text


async def test_every_filter_finds_what_it_says(register: Register, program: httpx.AsyncClient) -> None:
    random = Random(3)  # the same in every run
    made = await publish_many(register, [varied(random) for _ in range(150)])
    lists = {"objective": "objectives", "principle": "principles", "kind": "kinds", "region": "regions", "country": "countries"}
    values: dict[str, list[str]] = {**{name: list(codes) for name, codes in CODES.items()}, "country": ["MA", "XK", "EG"]}

    def fits(facts: Facts, name: str, code: str) -> bool:
        if name in lists:
            return code in {str(one) for one in getattr(facts, lists[name])}
        finished = facts.state in {PledgeState.FULFILLED, PledgeState.DISCONTINUED, PledgeState.SUPERSEDED}
        if name == "due":
            return facts.due < today() and not finished
        if name == "freshness":
            years = (today() - max(facts.reported_on or facts.published_on, facts.published_on)).days / 365.25
            return not finished and {"green": years < 1, "yellow": 1 <= years < 2, "red": years >= 2}[code]
        return str(getattr(facts, name)) == code

    for name, codes in values.items():
        for code in codes:
            answer = (await program.get(f"{API}/pledges", params={name: code, "per_page": 500})).json()
            found = {one["number"] for one in answer["pledges"]}
            assert found == {pledge.number for pledge in made if fits(pledge.facts, name, code)}, (name, code)
            assert answer["total"] == len(found)


async def test_pages_of_the_list_join_without_a_gap(register: Register, program: httpx.AsyncClient) -> None:
    random = Random(4)  # the same in every run
    await publish_many(register, [varied(random) for _ in range(25)])
    address: str | None = f"{API}/pledges?per_page=10&scope=national"
    seen: list[dict[str, Any]] = []
    while address:
        body = (await program.get(address)).json()
        assert (body["as_of"], body["query"]) == (today().isoformat(), "scope=national")
        assert "Known to this system as of" in body["notice"]
        seen += body["pledges"]
        address = body["next"]
    everything = (await program.get(f"{API}/pledges?per_page=500&scope=national")).json()
    assert [one["number"] for one in seen] == [one["number"] for one in everything["pledges"]]
    assert len(seen) == everything["total"] > 0
    assert [one["published_on"] for one in seen] == sorted((one["published_on"] for one in seen), reverse=True)
    for wrong in ("page=0", "page=x", "per_page=501", "per_page=-1"):
        assert (await program.get(f"{API}/pledges?{wrong}")).status_code == 422, wrong


async def test_one_pledge_says_everything_public_and_nothing_private(register: Register, program: httpx.AsyncClient) -> None:
    first = await register.publish(kinds=["financial"], currency="KWD", amount=Decimal("12.345"), progress="50", countries=["XK"])
    second = await register.publish(way="matching", matched_number=first.number, participants=[])
    answer = await program.get(f"{API}/pledges/{first.number}")
    body = answer.json()
    assert (body["money"], body["matched_by"]) == ({"currency": "KWD", "amount": "12.345"}, [second.number])
    assert body["claimed"] == {"state": "not-started", "on": None}
    assert body["evidence"] == {"links": [], "seen_on": None}
    assert (await program.get(f"{API}/pledges/{second.number}")).json()["matches"] == first.number
    for address in (*OPEN, f"{API}/pledges/{first.number}"):
        await settle(register)
        text = (await program.get(address)).text
        for private in ("lucia", "Lucía", "contact", "sealed", "trace", "changed_by", "import_key"):
            assert private not in text, (address, private)
    assert (await program.get(f"{API}/pledges/P-9999")).status_code == 404
    assert (await program.get(f"{API}/pledges/%00")).status_code == 404


async def test_a_withdrawn_pledge_is_gone_but_its_past_stays(register: Register, program: httpx.AsyncClient) -> None:
    yesterday = today() - timedelta(days=1)
    [pledge] = await publish_many(register, [varied(Random(1), published_on=yesterday)])  # the same in every run
    await changed(register, pledge, Change.WITHDRAWN, standing=Standing.WITHDRAWN)
    await settle(register)
    gone = await program.get(f"{API}/pledges/{pledge.number}")
    assert (gone.status_code, gone.json()["type"]) == (410, "/problems/pledge-withdrawn")
    assert (await program.get(f"{API}/pledges")).json()["total"] == 0
    assert (await program.get(f"{API}/pledges/{pledge.number}?as_of={yesterday}")).json()["number"] == pledge.number
    assert (await program.get(f"{API}/pledges?as_of={yesterday}")).json()["total"] == 1
    [published, withdrawn] = (await program.get(f"{API}/changes")).json()["changes"]
    assert (published["change"], published["pledge"]["title"]) == ("published", dict(pledge.facts.title))
    assert (withdrawn["change"], withdrawn["pledge"]) == ("withdrawn", None)


async def test_the_table_joins_lists_and_lets_no_spreadsheet_run_a_cell(register: Register, program: httpx.AsyncClient) -> None:
    title = {"en": '=HYPERLINK("https://evil.example")'}
    pledge = await register.publish(title=title, entity="+1 Body", objectives=[1, 6, 23], participants=["-A", "B"], target="@x")
    answer = await program.get(f"{API}/pledges.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="pledges-{today()}.csv"' in answer.headers["content-disposition"]
    [line] = csv.DictReader(io.StringIO(answer.text))
    assert (line["number"], line["objectives"], line["as_of"]) == (pledge.number, "1;6;23", today().isoformat())
    assert line["title"] == "'" + title["en"]
    assert (line["entity"], line["participants"], line["target"]) == ("'+1 Body", "'-A;B", "'@x")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line.values())


async def test_no_part_of_the_table_is_a_formula_where_spreadsheets_split_at_semicolons_or_tabs(
    register: Register, program: httpx.AsyncClient, tmp_path: Path
) -> None:
    said: dict[str, Any] = {
        "entity": 'Body;=HYPERLINK("https://evil.example"),x',
        "title": {"en": 'Title;"=1+1";\'=2'},
        "description": {"en": 'Text, "quoted"\n=cmd\r\n@sum\t+1\n- a list\n-1; -2; \'-3; a=b'},
        "target": "'=kept as it is",
        "participants": ["A", "=B", "'+C"],
    }
    pledge = await register.publish(**said)
    answer = await program.get(f"{API}/pledges.csv")
    for separator in ",;\t":
        for line in csv.reader(io.StringIO(answer.text, newline=""), delimiter=separator):
            assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@"))], separator
    parts = re.split("[;\t\r\n]", answer.text)
    assert not [part for part in parts if part.lstrip('"').startswith(("=", "+", "-", "@"))], "whoever knows no quotes"
    file = tmp_path / "pledges.csv"
    file.write_bytes(answer.content)
    names = ("entity", "title", "description", "target", "participants")
    [row] = sheets.read(file, {name: (name,) for name in names})
    assert row.cells["entity"] == said["entity"]
    assert row.cells["title"] == said["title"]["en"]
    assert row.cells["description"] == dict(pledge.facts.description)["en"]
    assert row.cells["target"] == said["target"]
    assert row.cells["participants"] == "A;=B;'+C"


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_marked_for_spreadsheets_is_read_as_it_was(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    texts = ["x" + "".join(random.choices("=+-@\t\r\n;'\", a", k=12)) for _ in range(500)] + ["=1", "'=1", "''@", '"=', "'\"'="]
    with (file := tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as written:
        csv.writer(written).writerows([["name", "more"], *([text, sheets.as_cell(text[1:])] for text in texts)])
    read = list(sheets.read(file, {"name": ("name",), "more": ("more",)}))
    assert [row.cells["more"] for row in read] == [text[1:] for text in texts]


async def test_the_table_is_written_in_parts_and_loses_nothing(
    register: Register, program: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_data, "ROWS_AT_ONCE", 7)
    random = Random(5)  # the same in every run
    made = await publish_many(register, [varied(random) for _ in range(30)])
    lines = list(csv.DictReader(io.StringIO((await program.get(f"{API}/pledges.csv")).text)))
    listed = (await program.get(f"{API}/pledges?per_page=500")).json()["pledges"]
    assert [line["number"] for line in lines] == [one["number"] for one in listed]
    assert {line["number"] for line in lines} == {pledge.number for pledge in made}


@pytest.mark.parametrize("address", [*(one for one in OPEN if not one.endswith("changes")), f"{API}/pledges/P-0001"])
async def test_what_did_not_change_is_not_sent_again(register: Register, program: httpx.AsyncClient, address: str) -> None:
    pledge = await register.publish()
    await settle(register)
    first = await program.get(address)
    tag = first.headers["etag"]
    for told in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await program.get(address, headers={"If-None-Match": told})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), told
    assert (await program.get(address, headers={"If-None-Match": '"other"'})).status_code == 200
    await changed(register, pledge, Change.REPORTED, state=PledgeState.IN_PROGRESS, reported_on=today())
    await settle(register)
    later = await program.get(address, headers={"If-None-Match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag


@pytest.mark.parametrize("address", [*(one for one in OPEN if not one.endswith("changes")), f"{API}/pledges/P-0001"])
async def test_after_an_upgrade_it_is_sent_again(
    register: Register, program: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    await register.publish()
    await settle(register)
    tag = (await program.get(address)).headers["etag"]
    upgrade = Upgrade(monkeypatch, tmp_path)
    assert (await program.get(address, headers={"If-None-Match": tag})).status_code == 304, "the same in another place"
    for changed in (*EVERYTHING, "services/pledges/open_data/records.py"):
        upgrade.change(changed)
        again = await program.get(address, headers={"If-None-Match": tag})
        assert again.status_code == 200, changed
        tag = again.headers["etag"]


async def test_the_feed_tells_the_newest_changes_in_the_readers_language(register: Register, program: httpx.AsyncClient) -> None:
    one = await register.publish(title={"en": "One", "ar": "واحد"}, description={"en": "Text", "ar": "نص"}, synthetic=True)
    two = await register.publish(title={"en": "Two"}, description={"en": "Text"}, objectives=[9])
    await changed(register, one, Change.REPORTED, state=PledgeState.PLANNING, reported_on=today())

    async def entries(query: str = "") -> list[ET.Element]:
        answer = await program.get(f"/pledges/feed.atom{query}")
        assert answer.headers["content-type"] == "application/atom+xml"
        return ET.fromstring(answer.content).findall(f"{ATOM}entry")  # our own

    first, second = await entries("?lang=en")
    assert [entry.findtext(f"{ATOM}id") for entry in (first, second)] == [f"urn:uuid:{one.id}", f"urn:uuid:{two.id}"]
    assert "[Invented sample data]" in (first.findtext(f"{ATOM}title") or "")
    assert "[Invented sample data]" not in (second.findtext(f"{ATOM}title") or "")
    links = {link.get("hreflang"): link.get("href") for link in first.findall(f"{ATOM}link")}
    assert links["fr"] == f"{PUBLIC_URL}/pledges/{one.number}?lang=fr"
    assert "واحد" in ((await entries("?lang=ar"))[0].findtext(f"{ATOM}title") or "")
    assert [entry.findtext(f"{ATOM}id") for entry in await entries("?objective=9")] == [f"urn:uuid:{two.id}"]


async def test_whoever_follows_the_changes_sees_each_once_while_others_are_written_down(
    register: Register, program: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SETTLE_SECONDS", 0.0)
    random = Random(9)  # the same in every run
    done = asyncio.Event()

    async def write() -> None:
        for _ in range(40):
            [made] = await publish_many(register, [varied(random)])
            await changed(register, made, Change.REPORTED, state=PledgeState.PLANNING, reported_on=today())
        done.set()

    async def follow() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        address = f"{API}/changes?limit=7"
        while True:
            was_done = done.is_set()
            body = (await program.get(address)).json()
            seen += [(one["number"], one["revision"]) for one in body["changes"]]
            address = body["next"] + "&limit=7"
            if was_done and not body["changes"]:
                return seen

    _, seen = await asyncio.gather(write(), follow())
    kept = await register.rows("SELECT number, revision FROM versions ORDER BY recorded_at, pledge_id, revision")
    assert seen == [(row.number, row.revision) for row in kept]
    assert len(seen) == 80


async def test_a_change_that_is_still_being_written_holds_the_feed_back(
    register: Register, program: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who decided first may commit last: nobody may have read beyond it."""
    monkeypatch.setattr(changes, "SETTLE_SECONDS", 0.0)
    early = await register.publish(title={"en": "Early"})
    await settle(register)
    async with register.database.transaction() as slow:
        await pledges.lock(slow, early.id)
        held = await pledges.find(slow, early.id)
        assert held is not None
        await pledges.change(slow, held, replace(held.facts, progress="1"), Change.REPORTED, by=None)
        late = await register.publish(title={"en": "Late"})
        told = (await program.get(f"{API}/changes")).json()
        assert [one["number"] for one in told["changes"]] == [early.number]
    await register.rows("UPDATE versions SET recorded_at = recorded_at - interval '1 minute' RETURNING 1")
    following = (await program.get(f"{API}/changes?since={(date(2000, 1, 1))}")).json()
    assert [(one["number"], one["revision"]) for one in following["changes"]] == [(early.number, 1), (early.number, 2), (late.number, 1)]


async def test_changes_begin_where_one_asks(register: Register, program: httpx.AsyncClient) -> None:
    pledge = await register.publish()
    await settle(register)
    [told] = (await program.get(f"{API}/changes")).json()["changes"]
    after = (await program.get(f"{API}/changes", params={"since": told["cursor"]})).json()
    assert (after["changes"], after["cursor"]) == ([], told["cursor"])
    for since in (today() - timedelta(days=2), f"{today() - timedelta(days=2)}T10:00:00+02:00"):
        [same] = (await program.get(f"{API}/changes", params={"since": str(since)})).json()["changes"]
        assert same["number"] == pledge.number
    assert (await program.get(f"{API}/changes", params={"since": f"{today() + timedelta(days=1)}"})).json()["changes"] == []
    # RFC 3339 lets a space or a small letter stand between day and hour; the hour is still that of its offset.
    recorded = datetime.fromisoformat(told["recorded_at"]).astimezone(timezone(timedelta(hours=2)))
    for between in "Tt ":
        for minutes, found in ((-1, 1), (1, 0)):
            moment = (recorded + timedelta(minutes=minutes)).isoformat(sep=between)
            assert len((await program.get(f"{API}/changes", params={"since": moment})).json()["changes"]) == found, moment
    for nonsense in ("yesterday", "2026-13-01", "20261129T000000.000000Z-xyz-1", "2026-01-01T10:00:00", "99999-01-01"):
        assert (await program.get(f"{API}/changes", params={"since": nonsense})).status_code == 422, nonsense
