"""The register as people read it: the list, one pledge, and what it was."""

import re
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import httpx
import pytest

from services.pledges.domain.pledges import Change, Standing
from services.pledges.web import register_browse
from shared.events.codes import PledgeState
from shared.i18n import LANGUAGES, look_up
from tests.intake.page import Page, page
from tests.pledges.made import publish_many, today, varied
from tests.pledges.pledges_app import PUBLIC_URL, Register
from tests.pledges.test_register_data import changed


def linked(found: Page) -> list[str]:
    """The pledges that a list leads to, in its order."""
    return [one["href"] for one in found.all("a") if re.match("/pledges/P-", one.get("href", ""))]


async def test_the_list_is_newest_first_in_pages_and_keeps_its_filters(
    register: Register, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_browse, "PAGE_SIZE", 2)
    days = [date(2026, 1, day) for day in range(1, 6)]
    made = await publish_many(register, [varied(Random(day.day), published_on=day, objectives=[6]) for day in days])
    newest = [f"/pledges/{pledge.number}" for pledge in reversed(made)]
    shown = [linked(page(await reader.get(f"/pledges/?objective=6&page={number}"))) for number in (1, 2, 3)]
    assert shown == [newest[:2], newest[2:4], newest[4:]]
    first = page(await reader.get("/pledges/?objective=6"))
    [following] = first.all("a", rel="next")
    assert following["href"] == "/pledges/?objective=6&page=2"
    assert linked(page(await reader.get("/pledges/?objective=6&page=99"))) == shown[2]
    assert "No pledge fits these filters" in page(await reader.get("/pledges/?objective=7&lang=en")).text


async def test_what_is_known_says_as_of_when(register: Register, reader: httpx.AsyncClient) -> None:
    await register.publish()
    for language in LANGUAGES:
        found = page(await reader.get(f"/pledges/?lang={language}"))
        [day] = {one["datetime"] for one in found.all("time") if one["datetime"] == today().isoformat()}
        sentence = look_up(language, "register.known", 1)[0].split("{")[-1].split("}")[-1]
        assert sentence in found.text
        assert day


async def test_a_past_day_is_said_and_its_pledges_lead_to_that_day(register: Register, reader: httpx.AsyncClient) -> None:
    [pledge] = await publish_many(register, [varied(Random(1), published_on=date(2025, 3, 1), title={"en": "Then"})])
    await changed(register, pledge, Change.EDITED, title={"en": "Now"})
    then = page(await reader.get("/pledges/?as_of=2025-04-01&lang=en"))
    assert linked(then) == [f"/pledges/{pledge.number}?as_of=2025-04-01"]
    assert "as it stood at the end of 1 April 2025" in then.text
    shown = page(await reader.get(f"/pledges/{pledge.number}?as_of=2025-04-01&lang=en"))
    assert "Then" in shown.text
    assert "as it stood at the end of 1 April 2025" in shown.text
    assert shown.all("meta", name="robots")  # nothing to be found by
    assert "Now" in page(await reader.get(f"/pledges/{pledge.number}")).text
    before = page(await reader.get(f"/pledges/{pledge.number}?as_of=2025-02-28&lang=en"), 404)
    assert "was not yet on the register" in before.text


async def test_claim_and_evidence_stand_apart_each_with_its_day(register: Register, reader: httpx.AsyncClient) -> None:
    pledge = await register.publish()
    path = f"/pledges/{pledge.number}?lang=en"
    silent = page(await reader.get(path)).text
    assert "no report so far" in silent
    assert "None so far: it is only said" in silent
    evidence = ["https://example.org/evidence"]
    told = await changed(register, pledge, Change.REPORTED, state=PledgeState.FULFILLED, reported_on=date(2026, 5, 4), evidence=evidence)
    said = page(await reader.get(path))
    assert "Fulfilled reported on 4 May 2026" in said.text
    assert "Given by its owner, not yet seen by a moderator" in said.text
    assert said.all("a", href=evidence[0])[0]["rel"] == "nofollow ugc noopener"
    await changed(register, told, Change.EVIDENCED, evidenced_on=date(2026, 6, 7))
    assert "Seen by a moderator on 7 June 2026" in page(await reader.get(path)).text


async def test_a_light_is_said_in_words_and_has_a_shape_of_its_own(register: Register, reader: httpx.AsyncClient) -> None:
    shapes = {}
    for days, shape in ((10, "circle"), (400, "path"), (800, "rect")):
        pledge = await register.publish(published_on=today() - timedelta(days=days), state=PledgeState.IN_PROGRESS)
        found = page(await reader.get(f"/pledges/{pledge.number}?lang=en"))
        assert [tag for tag, _ in found.elements if tag in {"circle", "path", "rect"}] == [shape]
        shapes[days] = found.text
    assert "Last word less than a year ago" in shapes[10]
    assert "No word for a year or more" in shapes[400]
    assert "No word for two years or more" in shapes[800]
    done = await register.publish(state=PledgeState.FULFILLED)
    assert "No further word is awaited" in page(await reader.get(f"/pledges/{done.number}?lang=en")).text


async def test_matching_pledges_are_linked_both_ways(register: Register, reader: httpx.AsyncClient) -> None:
    one = await register.publish(title={"en": "The first"})
    other = await register.publish(title={"en": "Its answer"}, way="matching", matched_number=one.number, participants=[])
    lost = await register.publish(way="matching", matched_number="P-9999", participants=[])
    assert f"{other.number}: Its answer" in page(await reader.get(f"/pledges/{one.number}?lang=en")).text
    assert f"{one.number}: The first" in page(await reader.get(f"/pledges/{other.number}?lang=en")).text
    assert "P-9999 (not on this register)" in page(await reader.get(f"/pledges/{lost.number}?lang=en")).text


async def test_every_version_is_named_and_led_to(register: Register, reader: httpx.AsyncClient) -> None:
    [pledge] = await publish_many(register, [varied(Random(1), published_on=date(2025, 3, 1))])  # the same in every run
    await changed(register, pledge, Change.REPORTED, day=date(2025, 5, 1), state=PledgeState.PLANNING, reported_on=date(2025, 5, 1))
    found = page(await reader.get(f"/pledges/{pledge.number}?lang=en"))
    assert "1 March 2025: Published" in found.text
    assert "1 May 2025: Reported by its owner · Planning stage" in found.text
    led = [link["href"] for link in found.all("a") if "as_of" in link.get("href", "")]
    assert led == [f"/pledges/{pledge.number}?as_of=2025-03-01", f"/pledges/{pledge.number}?as_of=2025-05-01"]


async def test_a_withdrawn_pledge_is_gone_and_says_so(register: Register, reader: httpx.AsyncClient) -> None:
    pledge = await register.publish(title={"en": "A secret"}, published_on=date(2025, 1, 1))
    await changed(register, pledge, Change.WITHDRAWN, standing=Standing.WITHDRAWN)
    gone = page(await reader.get(f"/pledges/{pledge.number}?lang=en"), 410)
    assert "is no longer on the register" in gone.text
    assert "A secret" not in gone.text
    assert linked(page(await reader.get("/pledges/"))) == []


async def test_numbers_and_ids_lead_to_the_one_address(register: Register, reader: httpx.AsyncClient) -> None:
    pledge = await register.publish()
    for path in (f"/pledges/{pledge.id}", "/pledges/P-1", "/pledges/P-00001"):
        moved = await reader.get(f"{path}?lang=fr")
        assert (moved.status_code, moved.headers["location"]) == (308, f"/pledges/{pledge.number}?lang=fr"), path
    numbers = ("P-9999", "P-" + "9" * 30, "P-" + "9" * 5000, "P-٤٢")
    for nothing in (*numbers, "00000000-0000-0000-0000-000000000000", "nothing"):
        assert (await reader.get(f"/pledges/{nothing}")).status_code == 404, nothing
    submit = await reader.get("/pledges/submit?lang=es")
    assert (submit.status_code, submit.headers["location"]) == (303, "/intake/submit/pledge?lang=es")


async def test_invented_data_is_labelled_and_its_codes_show_the_entity(register: Register, reader: httpx.AsyncClient) -> None:
    pledge = await register.publish(synthetic=True, entity="Example State A", countries=["QM"])
    shown = page(await reader.get(f"/pledges/{pledge.number}?lang=en"))
    listed = page(await reader.get("/pledges/?lang=en"))
    assert "Invented sample data: no such body exists" in shown.text
    assert "1 pledge shown here is invented sample data" in listed.text
    assert "QM" not in shown.text
    assert "QM" not in listed.text
    assert shown.all("a", href="/pledges/?country=QM")
    assert [option for option in listed.all("option") if option.get("value") == "QM"]
    real = await register.publish(countries=["XK"])
    assert "1244" in page(await reader.get(f"/pledges/{real.number}")).text
    assert "1244" in page(await reader.get("/pledges/")).text


async def test_a_sum_is_written_as_the_reader_writes_sums(register: Register, reader: httpx.AsyncClient) -> None:
    pledge = await register.publish(kinds=["financial"], currency="KWD", amount=Decimal("1234567.125"))
    written = {"en": "KWD 1,234,567.125", "fr": "1 234 567,125 KWD", "es": "1.234.567,125 KWD"}
    for language, sum_ in written.items():
        assert sum_ in " ".join(page(await reader.get(f"/pledges/{pledge.number}?lang={language}")).text.split()), language


async def test_the_page_says_to_machines_what_it_says_to_people(register: Register, reader: httpx.AsyncClient) -> None:
    title = {"en": "Title </script>", "ar": "عنوان", "ru": "Название"}
    pledge = await register.publish(title=title, description=dict.fromkeys(title, "x" * 300), countries=["MA"], objectives=[6])
    found = page(await reader.get(f"/pledges/{pledge.number}?lang=ar"))
    [work] = found.data
    address = f"{PUBLIC_URL}/pledges/{pledge.number}"
    assert (work["@context"], work["url"], work["identifier"], work["name"]) == ("https://schema.org", address, pledge.number, "عنوان")
    assert [place["identifier"] for place in work["spatialCoverage"]] == ["MA"]
    assert found.one("link", rel="canonical")["href"] == f"{address}?lang=ar"
    alternates = {one["hreflang"]: one["href"] for one in found.all("link", rel="alternate") if "hreflang" in one}
    assert (alternates["fr"], alternates["ru"]) == (f"{address}?lang=fr", f"{address}?text=ru")
    russian = page(await reader.get(f"/pledges/{pledge.number}?lang=en&text=ru"))
    assert "Название" in russian.text
