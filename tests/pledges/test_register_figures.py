"""One number, said four times: in the picture, in its table, in JSON and by whoever counts the lines of the CSV."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx
import pytest

from services.pledges.charts.bars import LONGEST, bars
from services.pledges.charts.cells import SHADES, cells
from services.pledges.domain.figures import Measure
from services.pledges.domain.filters import CODES
from services.pledges.domain.pledges import Change, Standing
from services.pledges.store import pledges
from shared.events.codes import PledgeState
from tests.pledges.made import publish_many, today, varied
from tests.pledges.pledges_app import Register

API = "/pledges/api/v1"
QUERIES = [
    "",
    "objective=6",
    "region=africa&kind=policy",
    "state=fulfilled",
    "entity_type=state&scope=national",
    "freshness=red",
    "due=overdue",
    "country=MA",
    "q=body+7",
    "as_of=2024-03-01",
    "as_of=2025-01-31&objective=12",
    "as_of=2025-06-30&due=overdue",
    "as_of=2025-06-30&freshness=yellow",
    "principle=human-rights&way=common&language=en",
    "as_of=2000-01-01",
]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one of the four says: counts by measure and code, cells of the map, sums."""

    counts: Mapping[str, Mapping[str, int]]
    cells: Mapping[tuple[str, str], int]
    sums: Mapping[str, str]


def _figure(found: ET.Element, name: str) -> ET.Element:
    [figure] = [one for one in found.iter("figure") if one.get("id") == f"chart-{name}"]
    return figure


def _text(element: ET.Element) -> str:
    return "".join(element.itertext()).strip()


def _tree(markup: str) -> ET.Element:
    """The charts and the table of sums of a page, as XML: what Jinja writes there is well-formed."""
    parts = re.findall(r"<figure.*?</figure>|<table class=\"sums\">.*?</table>", markup, re.DOTALL)
    return ET.fromstring("<page>" + "".join(parts) + "</page>")  # our own page


def picture(page: ET.Element) -> Said:
    """What the pictures say: the numbers in them, and what the lengths of their bars stand for."""
    counts: dict[str, dict[str, int]] = {}
    for measure in Measure:
        figures = [one for one in page.iter("figure") if one.get("id") == f"chart-{measure.value}"]
        groups = [group for figure in figures for group in figure.iter("g")]
        counts[measure.value] = {group.attrib["data-code"]: int(_text(group.findall("text")[1])) for group in groups}
        widths = {group.attrib["data-code"]: float(group.findall("rect")[0].attrib["width"].rstrip("%")) for group in groups}
        most = max(counts[measure.value].values(), default=0)
        for code, value in counts[measure.value].items():
            assert widths[code] == pytest.approx(LONGEST * value / most if most else 0, abs=0.01), (measure, code)
    figures = [one for one in page.iter("figure") if one.get("id") == "chart-gaps"]
    found = {
        (group.attrib["data-row"], group.attrib["data-column"]): int(_text(group.findall("text")[0]))
        for figure in figures
        for group in figure.iter("g")
    }
    return Said(counts=counts, cells=found, sums={})


def table(page: ET.Element) -> Said:
    """What the tables below the pictures say."""
    counts: dict[str, dict[str, int]] = {}
    for measure in Measure:
        rows = [row for one in page.iter("figure") if one.get("id") == f"chart-{measure.value}" for row in one.iter("tr")]
        counts[measure.value] = {row.attrib["data-code"]: int(_text(row.findall("td")[0])) for row in rows if "data-code" in row.attrib}
    lines = [row for one in page.iter("figure") if one.get("id") == "chart-gaps" for row in one.iter("tr") if row.findall("td")]
    found = {
        (objective, region): int(_text(cell))
        for objective, row in zip(CODES["objective"], lines, strict=False)
        for region, cell in zip(CODES["region"], row.findall("td"), strict=True)
    }
    sums = {
        _text(row.findall("th")[0]): _text(row.findall("td")[0])
        for one in page.iter("table")
        if one.get("class") == "sums"
        for row in one.iter("tr")
        if row.findall("td")
    }
    return Said(counts=counts, cells=found, sums=sums)


def json_says(body: Mapping[str, Any]) -> Said:
    """What the API says."""
    return Said(
        counts={measure: {one["code"]: one["pledges"] for one in said["counts"]} for measure, said in body["by"].items()},
        cells={(str(cell["objective"]), cell["region"]): cell["pledges"] for cell in body["objective_by_region"]},
        sums={one["currency"]: one["amount"] for one in body["money"]},
    )


def counted(text: str) -> tuple[int, Said]:
    """What somebody counts who has nothing but the CSV."""
    lines = list(csv.DictReader(io.StringIO(text)))

    def several(column: str) -> Counter[str]:
        return Counter(code for line in lines for code in line[column].split(";") if code)

    pairs = Counter(
        (objective, region) for line in lines for objective in line["objectives"].split(";") for region in line["regions"].split(";")
    )
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line["amount"] and line["state_claimed"] != "superseded":
            sums[line["currency"]] = sums.get(line["currency"], Decimal(0)) + Decimal(line["amount"])
    by = {
        "objective": several("objectives"),
        "kind": several("kinds"),
        "region": several("regions"),
        "state": several("state_claimed"),
        "entity_type": several("entity_type"),
        "due_year": Counter(line["due"][:4] for line in lines),
    }
    return len(lines), Said(counts=by, cells=pairs, sums={currency: f"{amount:f}" for currency, amount in sums.items()})


def agree(one: Said, other: Said) -> None:
    """Nothing is other in one than in the other; a code that is left out counts none."""
    for measure in Measure:
        here, there = dict(one.counts[measure.value]), dict(other.counts[measure.value])
        assert {code: here.get(code, 0) for code in here | there} == {code: there.get(code, 0) for code in here | there}, measure
    assert {pair: one.cells.get(pair, 0) for pair in {**one.cells, **other.cells} if pair[1]} == {
        pair: other.cells.get(pair, 0) for pair in {**one.cells, **other.cells} if pair[1]
    }


@pytest.fixture
async def many(register: Register) -> Register:
    """A register of three hundred pledges, some of which changed since, and some were withdrawn."""
    random = Random(6)  # the same in every run
    made = await publish_many(register, [varied(random) for _ in range(300)])
    for pledge in random.sample(made, 120):
        async with register.database.transaction() as tx:
            held = await pledges.lock(tx, pledge.id)
            assert held is not None
            stands_from = pledge.facts.published_on + timedelta(days=random.randrange(1, 600))
            withdrawn = random.random() < 0.2
            facts = replace(held.facts, standing=Standing.WITHDRAWN) if withdrawn else replace(held.facts, state=PledgeState.FULFILLED)
            await pledges.change(
                tx, held, facts, Change.WITHDRAWN if withdrawn else Change.REPORTED, by=None, stands_from=min(stands_from, today())
            )
    return register


async def test_picture_table_json_and_csv_say_the_same_for_every_wish(many: Register, reader: httpx.AsyncClient) -> None:
    totals = set()
    for query in QUERIES:
        joint = "&" if query else ""
        markup = (await reader.get(f"/pledges/?{query}{joint}lang=en")).text
        body = (await reader.get(f"{API}/figures?{query}")).json()
        total, by_csv = counted((await reader.get(f"{API}/pledges.csv?{query}")).text)
        listed = (await reader.get(f"{API}/pledges?{query}")).json()
        assert (body["total"], listed["total"]) == (total, total), query
        assert body["query"] == listed["query"]
        [known] = re.findall(r'role="status">([\d,]+) pledges? known to this system as of', markup)
        assert int(known.replace(",", "")) == total, query
        says = json_says(body)
        agree(says, by_csv)
        assert {currency: Decimal(amount) for currency, amount in says.sums.items()} == {
            currency: Decimal(amount) for currency, amount in by_csv.sums.items()
        }
        totals.add(total)
        if total:
            page = _tree(markup)
            agree(picture(page), says)
            agree(table(page), says)
            shown = {currency: Decimal(re.sub(r"[^\d.]", "", text)) for currency, text in table(page).sums.items()}
            assert shown == {currency: Decimal(amount) for currency, amount in says.sums.items()}
    assert len(totals) > 8  # the wishes do differ
    assert 0 in totals


async def test_joint_and_matching_pledges_are_counted_once_and_sums_stay_apart(register: Register, program: httpx.AsyncClient) -> None:
    async def money(number: str, currency: str, **more: Any) -> Any:
        return await register.publish(kinds=["financial"], currency=currency, amount=Decimal(number), entity="Body", **more)

    joint = await money("100.50", "EUR", way="common", participants=["Body B", "Body C", "Body D"])
    await money("100.50", "EUR", way="matching", matched_number=joint.number)
    await money("7", "JPY", way="partnership", participants=["Body E"])
    replaced = await money("1000", "EUR", way="individual", state=PledgeState.SUPERSEDED)
    body = (await program.get(f"{API}/figures")).json()
    assert (body["total"], body["joint"], body["matching"]) == (4, 2, 1)
    assert sum(one["pledges"] for one in body["by"]["entity_type"]["counts"]) == 4
    assert body["money"] == [
        {"currency": "EUR", "amount": "201.00", "pledges": 2},
        {"currency": "JPY", "amount": "7", "pledges": 1},
    ]
    assert replaced.number in (await program.get(f"{API}/pledges.csv")).text


async def test_a_chart_of_what_many_have_says_that_one_may_count_in_several(many: Register, reader: httpx.AsyncClient) -> None:
    page = _tree((await reader.get("/pledges/?lang=en")).text)
    said = {name: _text(_figure(page, name)) for name in ("objective", "kind", "region", "state", "entity_type", "due_year")}
    assert {name for name, text in said.items() if "One pledge may count in several lines" in text} == {"objective", "kind", "region"}


async def test_charts_are_mirrored_in_arabic(many: Register, reader: httpx.AsyncClient) -> None:
    ends = {}
    for language in ("en", "ar"):
        page = _tree((await reader.get(f"/pledges/?lang={language}")).text)
        ends[language] = [
            (float(bar.attrib["x"].rstrip("%")), float(bar.attrib["width"].rstrip("%"))) for bar in _figure(page, "state").iter("rect")
        ]
    assert [x for x, _ in ends["ar"]] == pytest.approx([100 - x - width for x, width in ends["en"]], abs=0.01)
    assert [width for _, width in ends["ar"]] == [width for _, width in ends["en"]]
    assert all(x == 0 for x, _ in ends["en"])


def test_bars_stand_for_their_values_and_labels_break_into_lines() -> None:
    chart = bars([("a", "Short", 4), ("b", "A label that is so long that it has to be broken into two lines", 2), ("c", "None", 0)])
    assert [bar.width for bar in chart.bars] == [LONGEST, LONGEST / 2, 0]
    assert [len(bar.lines) for bar in chart.bars] == [1, 2, 1]
    assert chart.bars[1].y > chart.bars[0].y + 14
    assert chart.height > chart.bars[-1].y
    assert bars([]).height == 1


def test_a_gap_has_a_shade_of_its_own() -> None:
    drawn = cells({("1", "a"): 0, ("1", "b"): 1, ("2", "a"): 50, ("2", "b"): 100}, ["1", "2"], ["a", "b"])
    assert [place.shade for place in drawn.cells] == [0, 1, 2, SHADES]
    mirrored = cells({}, ["1"], ["a", "b"], mirrored=True)
    assert [place.x for place in mirrored.cells] == [43.0, 0.0]
