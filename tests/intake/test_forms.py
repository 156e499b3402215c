"""The public form of every kind: made from its model, whole in four languages, and what it keeps is what a webhook would."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.intake.kinds.catalogue import FORMS
from services.intake.kinds.form import Filled, Widget, every_part, fields_of
from shared.events.kinds import KINDS
from shared.i18n import LANGUAGES, knows, look_up
from tests.intake.form_filler import posted
from tests.intake.intake_app import Intake
from tests.intake.page import Page, page

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


async def filled(reader: httpx.AsyncClient, kind: str, **changes: Any) -> dict[str, Any]:
    """A form as a browser sends it: what the page put there, the example of the kind, and some of it changed; None leaves one out."""
    once = page(await reader.get(f"/intake/submit/{kind}")).one("input", name="once")["value"]
    fields = {"once": once, **posted(kind), **{name.replace("__", "."): value for name, value in changes.items()}}
    return {name: value for name, value in fields.items() if value is not None}


def names_in(found: Page) -> set[str]:
    return {one["name"] for tag in ("input", "select", "textarea") for one in found.all(tag) if "name" in one}


@pytest.mark.parametrize(("kind", "name"), [("talk", "registration"), ("talk", "concept_note"), ("contribution", "link")])
async def test_a_web_address_is_asked_for_in_one_line(reader: httpx.AsyncClient, kind: str, name: str) -> None:
    found = page(await reader.get(f"/intake/submit/{kind}"))
    assert found.one("input", name=name)["type"] == "url"
    assert not found.all("textarea", name=name)


def test_every_kind_has_a_form() -> None:
    assert set(FORMS) == set(KINDS)


@EVERY_KIND
def test_every_field_of_every_model_has_a_widget_and_words_of_its_own(kind: str) -> None:
    fields = fields_of(KINDS[kind])
    assert [field.name for field in fields] == list(KINDS[kind].fields_in_order())
    for field in fields:
        for ending in ("", "-hint"):
            assert knows(f"kind.{kind}.{field.name}{ending}") or knows(f"kind.practice.{field.name}{ending}"), field.name


@EVERY_KIND
def test_what_the_example_fills_in_is_the_example(kind: str) -> None:
    model = KINDS[kind]
    form = {name: value if isinstance(value, list) else [value] for name, value in posted(kind).items()}
    values = Filled(fields=fields_of(model), posted=form, language=str(model.example["language"])).values()
    assert model.model_validate(values) == model.model_validate(dict(model.example))


@pytest.mark.parametrize("language", LANGUAGES)
@EVERY_KIND
async def test_the_empty_form_is_whole_in_every_language_and_works_without_scripts(
    reader: httpx.AsyncClient, kind: str, language: str
) -> None:
    found = page(await reader.get(f"/intake/submit/{kind}?lang={language}"))
    named = names_in(found)
    for field in every_part(fields_of(KINDS[kind])):
        if field.widget is Widget.ROWS:
            assert f"{field.name}.0.{field.parts[0].name}" in named
        elif field.widget is Widget.DAYS:
            assert f"{field.name}.first" in named
        elif field.widget is not Widget.GROUP:
            assert field.name in named, field.name
    assert {"kind." in text or "submit." in text for text in found.texts} == {False}
    assert look_up(language, f"submit.{kind}.title")[0] in found.text
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    described = {name for _, attributes in found.elements for name in attributes.get("aria-describedby", "").split()}
    assert described <= set(ids)
    assert {one["for"] for one in found.all("label") if "for" in one} <= set(ids)


@EVERY_KIND
async def test_a_form_is_kept_as_its_model_has_it_and_told_once_its_sender_has_confirmed(
    intake: Intake, reader: httpx.AsyncClient, kind: str
) -> None:
    answer = await reader.post(f"/intake/submit/{kind}", data=await filled(reader, kind))
    assert answer.status_code == 303, page(answer, 422).text
    [kept] = await intake.rows("SELECT * FROM submissions")
    split = KINDS[kind].model_validate(dict(KINDS[kind].example)).split()
    assert (kept.kind, kept.state, kept.channel) == (kind, "unconfirmed", "form")
    assert (kept.public, kept.internal) == (split.public, split.internal)
    tracked = page(await reader.get(answer.headers["location"]))
    assert kept.reference in tracked.text
    assert await intake.told() == []
    assert (await reader.post(await intake.confirm_path())).headers["location"] == answer.headers["location"]
    [told] = await intake.told()
    assert (told.type, told.data["kind"], told.data["channel"], told.data["entered_by"]) == ("submission.received.v1", kind, "form", None)
    assert look_up("en", "track.state.received")[0] in page(await reader.get(answer.headers["location"])).text


@EVERY_KIND
async def test_the_same_form_sent_twice_is_kept_once(intake: Intake, reader: httpx.AsyncClient, kind: str) -> None:
    form = await filled(reader, kind)
    first, again = [await reader.post(f"/intake/submit/{kind}", data=form) for _ in range(2)]
    assert first.headers["location"] == again.headers["location"]
    assert (len(await intake.mails()), (await intake.counts())["submissions"]) == (1, 1)


@pytest.mark.parametrize("language", LANGUAGES)
@EVERY_KIND
async def test_a_form_that_says_nothing_is_refused_field_by_field_in_the_readers_language(
    intake: Intake, reader: httpx.AsyncClient, kind: str, language: str
) -> None:
    found = page(await reader.post(f"/intake/submit/{kind}?lang={language}", data={}), 422)
    named = {one["href"].removeprefix("#") for one in found.all("a") if one.get("href", "").startswith("#")}
    needed = {field.name for field in fields_of(KINDS[kind]) if field.required and field.name not in {"language", "contact"}}
    assert needed | {"contact.name", "contact.mail"} <= named
    assert named - {"content"} <= {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    assert look_up(language, "fault.missing")[0] in found.text
    assert (await intake.counts())["submissions"] == 0


WRONG: list[tuple[str, str, Mapping[str, Any], str, str]] = [
    ("pledge", "for refugees", {"population": "refugees"}, "population", "fault.refugees-only"),
    ("pledge", "money without its kind", {"money__amount": "10.00", "money__currency": "USD"}, "money", "fault.amount-without-financial"),
    ("pledge", "financial without money", {"kinds": ["financial"]}, "money", "fault.financial-without-amount"),
    ("pledge", "an amount without currency", {"kinds": ["financial"], "money__amount": "1.00"}, "money.currency", "fault.missing"),
    ("pledge", "no number of the matched pledge", {"way": "matching"}, "matched_id", "fault.matching-without-matched-id"),
    ("pledge", "due before it begins", {"due": "2026-08-01"}, "due", "fault.due-before-start"),
    ("pledge", "a partnership of one", {"participants": " \r\n"}, "participants", "fault.partnership-without-participants"),
    ("talk", "an hour without a zone", {"when__zone": ""}, "when.zone", "fault.missing"),
    ("talk", "an hour that is none", {"when__from": "25:00"}, "when.from", "fault.not-a-moment"),
    ("talk", "no first day", {"when__first": ""}, "when.first", "fault.missing"),
    ("talk", "a last day without its hour", {"when__until": ""}, "when.until", "fault.not-a-moment"),
    ("talk", "nothing said of when", {"when": ""}, "when", "fault.missing"),
    ("talk", "a year that is none", {"when": "rough", "when__year": "soon"}, "when.year", "fault.not-a-day"),
    ("talk", "no year", {"when": "rough", "when__part": "q2"}, "when.year", "fault.missing"),
    ("talk", "regional without region", {"regions": []}, "regions", "fault.region-missing"),
    ("date", "days that end before they begin", {"when__last": "2026-06-01"}, "when.last", "fault.end-before-start"),
    ("news", "an occasion without its name", {"occasion__name": "", "occasion__name__fr": ""}, "occasion.name", "fault.missing"),
    (
        "news",
        "an occasion that ends before it begins",
        {"occasion__days__last": "2026-12-01"},
        "occasion.days.last",
        "fault.end-before-start",
    ),
    ("promotion", "a month", {"wished": "rough"}, "wished", "fault.not-offered"),
    ("enquiry", "about nothing that there is", {"initiative": "weather"}, "initiative", "fault.not-offered"),
]


@pytest.mark.parametrize(("kind", "changes", "field", "key"), [pytest.param(k, c, f, s, id=f"{k}: {w}") for k, w, c, f, s in WRONG])
async def test_what_is_wrong_is_told_at_its_field(
    reader: httpx.AsyncClient, kind: str, changes: Mapping[str, Any], field: str, key: str
) -> None:
    found = page(await reader.post(f"/intake/submit/{kind}", data=await filled(reader, kind, **changes)), 422)
    named = [one["href"] for one in found.all("a") if one.get("href", "").startswith("#") and one["href"] != "#content"]
    assert named == [f"#{field}"]
    assert look_up("en", key)[0].split("{")[0] in found.text


PERIODS = [
    ("m2", "2028", {"precision": "month", "windows": [{"first": "2028-02-01", "last": "2028-02-29"}]}),
    ("q2", "2026", {"precision": "quarter", "windows": [{"first": "2026-04-01", "last": "2026-06-30"}]}),
    ("h2", "2026", {"precision": "half", "windows": [{"first": "2026-07-01", "last": "2026-12-31"}]}),
    ("year", "2027", {"precision": "year", "windows": [{"first": "2027-01-01", "last": "2027-12-31"}]}),
    ("", "2027", {"precision": "year", "windows": [{"first": "2027-01-01", "last": "2027-12-31"}]}),
]


@pytest.mark.parametrize(("part", "year", "kept"), PERIODS)
async def test_a_date_that_is_only_roughly_known_is_kept_as_the_period_that_it_is(
    intake: Intake, reader: httpx.AsyncClient, part: str, year: str, kept: Mapping[str, Any]
) -> None:
    form = await filled(reader, "date", when="rough", when__part=part, when__year=year)
    assert (await reader.post("/intake/submit/date", data=form)).status_code == 303
    [row] = await intake.rows("SELECT public FROM submissions")
    assert row.public["when"] == kept


async def test_an_hour_is_that_of_the_zone_on_that_day(intake: Intake, reader: httpx.AsyncClient) -> None:
    day = {"when": "time", "when__first": "2026-07-01", "when__last": "", "when__until": "", "when__from": "09:30"}
    assert (
        await reader.post("/intake/submit/date", data=await filled(reader, "date", **day, when__zone="Europe/Zurich"))
    ).status_code == 303
    [row] = await intake.rows("SELECT public FROM submissions")
    assert row.public["when"] == {"precision": "time", "starts": "2026-07-01T07:30:00Z", "zone": "Europe/Zurich"}


async def test_the_server_counts_the_characters_of_a_description_without_a_script(intake: Intake, reader: httpx.AsyncClient) -> None:
    form = await filled(reader, "pledge", description="x" * 250 + "\r\n\r\n")
    counted = page(await reader.post("/intake/submit/pledge", data={**form, "more": "description"}))
    assert look_up("en", "submit.count.short", 50)[0].format(n=50) in counted.text
    assert counted.one("textarea", name="description")["aria-describedby"] == "description-hint description-count"
    assert "x" * 250 in counted.text
    refused = page(await reader.post("/intake/submit/pledge", data=form), 422)
    assert look_up("en", "fault.too-short", 300)[0].format(n=300) in refused.text
    assert (await intake.counts())["submissions"] == 0


async def test_what_does_not_apply_is_marked_so_that_a_browser_can_hide_it(reader: httpx.AsyncClient) -> None:
    found = page(await reader.get("/intake/submit/pledge"))
    marked = {name for one in found.all("div") for name in one.get("class", "").split() if name.startswith("asked--")}
    assert marked == {"asked--money", "asked--matched_id", "asked--matched_title"}
    assert not any("required" in one for name in ("money.amount", "matched_id") for one in found.all("input", name=name))


async def test_the_list_leads_to_every_form(reader: httpx.AsyncClient) -> None:
    found = page(await reader.get("/intake/submit/"))
    for kind in KINDS:
        assert found.all("a", href=f"/intake/submit/{kind}")
