"""Champion countries: each with its date and source, kept by the team, never the current list."""

import httpx
import pytest

from shared.events.codes import Role
from shared.i18n import LANGUAGES, look_up
from tests.intake.page import page
from tests.people import somebody
from tests.pledges.pledges_app import STAFF, Register, client_of

PATH = "/pledges/champions"
EDIT = "/pledges/champions/edit"
MOROCCO = {"country": "MA", "since": "2020-11", "seen": "", "until": "", "source": "Overview, 2023", "verified": "yes", "note": ""}


async def test_what_the_team_keeps_stands_on_the_map_and_in_the_list_with_its_source(
    staff: httpx.AsyncClient, reader: httpx.AsyncClient
) -> None:
    assert "No champion country is recorded here yet" in page(await reader.get(f"{PATH}?lang=en")).text
    for changes in ({}, {"country": "EG", "since": "2021-02-14"}, {"country": "XK", "since": "", "verified": "second-hand"}):
        assert (await staff.post(EDIT, data=MOROCCO | changes)).status_code == 303
    found = page(await reader.get(f"{PATH}?lang=en"))
    tiles = [one["href"] for one in found.all("a") if one.get("class", "").startswith("tile")]
    # A country stands in each region in which it lies, and leads to its line in the list.
    assert sorted(set(tiles)) == ["#country-EG", "#country-MA", "#country-XK"]
    assert len(tiles) > len(set(tiles))
    for anchor in set(tiles):
        found.one("tr", id=anchor.removeprefix("#"))
    for said in ("since November 2020", "since 14 February 2021", "Overview, 2023", "second-hand", "not known", "1244"):
        assert said in found.text, said


async def test_the_page_never_says_that_it_is_the_current_list(staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    assert (await staff.post(EDIT, data=MOROCCO)).status_code == 303
    for language in LANGUAGES:
        found = page(await reader.get(f"{PATH}?lang={language}"))
        assert look_up(language, "champions.incomplete")[0] in found.text
        assert "33" in found.text
        assert found.all("time")


async def test_a_record_is_replaced_ended_and_removed(register: Register, staff: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
    await staff.post(EDIT, data=MOROCCO)
    filled = page(await staff.get(f"{EDIT}?country=MA")).values()
    assert (filled["source"], filled["since"]) == ("Overview, 2023", "2020-11")
    await staff.post(EDIT, data=MOROCCO | {"until": "2025"})
    assert "until 2025" in page(await reader.get(f"{PATH}?lang=en")).text
    [row] = await register.rows("SELECT until, updated_by FROM champions")
    assert row.until == "2025"
    assert row.updated_by
    assert (await staff.post(f"{EDIT}/remove", data={"country": "MA"})).status_code == 303
    assert (await staff.post(f"{EDIT}/remove", data={"country": "MA"})).status_code == 404
    assert await register.rows("SELECT 1 FROM champions") == []


async def test_the_trail_is_told_who_added_changed_and_removed_a_record(register: Register, staff: httpx.AsyncClient) -> None:
    for changes in ({}, {"source": "Overview, 2024"}, {"source": "Overview, 2024"}):
        assert (await staff.post(EDIT, data=MOROCCO | changes)).status_code == 303
    assert (await staff.post(f"{EDIT}/remove", data={"country": "MA"})).status_code == 303
    decisions = await register.decisions()
    assert [one.what for one in decisions] == ["add", "change", "remove"], "what is sent twice was decided once"
    assert {(one.who, one.about, one.title["en"]) for one in decisions if one.title} == {(STAFF.id, "champion", "Morocco")}
    assert len({one.content_hash for one in decisions}) == 2, "what was removed is what was written last"
    subjects = {row.subject for row in await register.rows("SELECT subject FROM outbox WHERE type = 'decision.made.v1'")}
    assert len(subjects) == 1
    # The trail's page has words for what it was about, in every language.
    assert all(look_up(language, "staff.audit.on.champion")[1] == language for language in LANGUAGES)
    assert (await staff.post(EDIT, data=MOROCCO | {"since": "spring"})).status_code == 422
    assert len(await register.decisions()) == 3


async def test_what_cannot_be_kept_is_said_and_keeps_what_was_typed(register: Register, staff: httpx.AsyncClient) -> None:
    for changes, field in (
        ({"country": "ZZ"}, "country"),
        ({"country": ""}, "country"),
        ({"source": " "}, "source"),
        ({"since": "spring"}, "since"),
        ({"until": "2021-13"}, "until"),
        ({"verified": "surely"}, "verified"),
        ({"note": "x" * 301}, "note"),
    ):
        refused = page(await staff.post(f"{EDIT}?lang=en", data=MOROCCO | changes), 422)
        assert refused.all("a", href=f"#{field}"), changes
        assert refused.values()["seen"] == ""
    assert await register.rows("SELECT 1 FROM champions") == []


@pytest.mark.parametrize("when", ["2021-02-30", "2023-02-29", "2021-04-31"])
async def test_a_day_that_no_month_has_is_not_kept(staff: httpx.AsyncClient, reader: httpx.AsyncClient, when: str) -> None:
    for field in ("since", "seen", "until"):
        found = page(await staff.post(EDIT, data=MOROCCO | {field: when}), 422)
        assert found.all("a", href=f"#{field}"), field
    page(await reader.get(PATH))


async def test_only_an_admin_keeps_records_and_auditors_read_them(register: Register) -> None:
    for role, reads, writes in ((Role.ADMIN, 200, 303), (Role.AUDITOR, 200, 403), (Role.MODERATOR, 403, 403)):
        async with client_of(register.app, person=somebody(role)) as person:
            assert (await person.get(EDIT)).status_code == reads, role
            assert (await person.post(EDIT, data=MOROCCO)).status_code == writes, role
