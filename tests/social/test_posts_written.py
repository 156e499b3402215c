"""What is written into a post: texts and their length, pictures and what they show, and the pages on which that is done."""

from datetime import timedelta
from typing import Any

import pytest

from services.demo.sandbox.server import Sandbox
from shared import clock
from shared.approval.rules import State
from shared.db import Database
from shared.events.codes import Role
from shared.i18n import LANGUAGES
from tests.desk.wire import System, asker
from tests.people import somebody
from tests.shared.web_app import Page
from tests.social.post_pages import ANA, BO, PATH, Pages, begun, png, settled

ALTERNATIVE = "A square."


async def test_a_picture_needs_its_alternative_text_and_brings_it_along(post: Pages, database: Database, network: Sandbox) -> None:
    seen = await post.hash_of("x/en")
    files = {"x-en-picture": ("../a.png", png(), "text/html")}
    answer = await post.send(ANA, "/variants/x/en", {"x-en-text": "Look <here>", "seen": seen}, files)
    page = Page(answer.text)
    assert (answer.status_code, page.faults) == (422, [])
    assert "Say what the picture shows." in page.text
    wrong = [attributes["id"] for _, attributes in page.elements if attributes.get("aria-invalid") == "true"]
    assert wrong == ["x-en-alternative-new"]
    assert "Look <here>" in page.text
    assert (await post.hash_of("x/en")) == seen
    form = {"x-en-text": "Look", "seen": seen, "x-en-alternative-new": ALTERNATIVE}
    assert (await post.send(ANA, "/variants/x/en", form, files)).status_code == 303
    # Nor is it taken away afterwards.
    (name,) = await post.alternatives("x/en")
    answer = await post.write("Look", more={name: " "})
    assert answer.status_code == 422
    await post.approved("Look")
    await settled(post, network)
    (stands,) = network.timeline.posts
    (media,) = (network.timeline.media[one] for one in stands.media_ids)
    assert (stands.text, media.alternative) == ("Look", ALTERNATIVE)


async def test_pictures_are_judged_by_their_bytes_counted_and_taken_out(post: Pages) -> None:
    form = {"x-en-text": "Look", "x-en-alternative-new": ALTERNATIVE}

    async def bring(data: bytes) -> Any:
        more = {"seen": await post.hash_of("x/en")} | await post.alternatives("x/en")
        return await post.send(ANA, "/variants/x/en", form | more, {"x-en-picture": ("a.png", data, "image/png")})

    for data, words in ((b"<svg onload=alert(1)>", "not a JPEG"), (png()[:60], "cannot be read")):
        answer = await bring(data)
        assert answer.status_code == 422
        assert words in answer.text
    for colour in ("teal", "navy", "gold", "white"):
        assert (await bring(png(colour))).status_code == 303
    answer = await bring(png("black"))
    assert answer.status_code == 422
    assert "takes 4 pictures at most" in answer.text
    first = next(iter(await post.alternatives("x/en"))).rpartition("-")[2]
    async with asker(post.wired.app, person=BO) as browser:
        shown = await browser.get(f"/social/pictures/{first}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert (await post.write("Look", more={"remove": first})).status_code == 303
    assert len(await post.alternatives("x/en")) == 3


async def test_a_text_that_is_too_long_is_kept_and_refused_on_submitting_with_how_much(post: Pages) -> None:
    assert (await post.write("a" * 270 + " 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿 🫱🏻‍🫲🏿")).status_code == 303  # 270 + 4 × (1 + 2)
    assert "282 of 280" in Page((await post.get()).text).text
    answer = await post.act(ANA, "submit")
    assert (answer.status_code, await post.state()) == (422, State.DRAFT)
    assert "is 2 too long" in Page(answer.text).text
    assert (await post.write("a" * 280)).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303


async def test_an_empty_variant_is_refused_on_submitting(post: Pages) -> None:
    await post.write("Words")
    await post.send(ANA, "/variants", {"language": "ar"})
    answer = await post.act(ANA, "submit")
    assert answer.status_code == 422
    assert "x/ar has neither text nor picture" in Page(answer.text).text.replace("\u2068", "").replace("\u2069", "")
    assert (await post.send(ANA, "/variants/x/ar/remove", {})).status_code == 303
    assert (await post.act(ANA, "submit")).status_code == 303
    assert (await post.send(ANA, "/variants/x/en/remove", {})).status_code == 409


async def test_page_counts_as_the_network_does(post: Pages) -> None:
    async with asker(post.wired.app, person=ANA) as browser:
        answer = await browser.post("/social/count", json={"text": "a" * 290 + " https://un.org/" + "b" * 90})
        assert answer.json() == {
            "length": 314,
            "limit": 280,
            "over": 34,
            "words": "314 of 280 characters, as the network counts them. That is 34 too many.",
        }
        assert (await browser.post("/social/count?network=mastodon", json={"text": ""})).status_code == 404


async def test_who_saves_second_is_told_and_overwrites_nothing(post: Pages) -> None:
    opened = await post.hash_of("x/en")
    assert (await post.write("Ana's words\nand more of hers", seen=opened)).status_code == 303
    answer = await post.write("Bo's <words>", seen=opened, person=BO)
    assert answer.status_code == 409
    page = Page(answer.text)
    assert "Somebody else has saved" in page.text
    assert "Bo's <words>" in page.text
    assert "and more of hers" in page.text


async def test_who_saves_second_is_told_even_where_something_else_is_wrong_as_well(post: Pages) -> None:
    opened = await post.hash_of("x/en")
    assert (await post.write("Ana's words\nand more of hers", seen=opened)).status_code == 303
    answer = await post.write("x" * 10_001, seen=opened, person=BO)
    assert answer.status_code == 422
    assert "and more of hers" in Page(answer.text).text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_sound_in_every_state_and_language(post: Pages, database: Database, network: Sandbox, language: str) -> None:
    async def look() -> None:
        for person in (ANA, BO, somebody(Role.AUDITOR)):
            for address in (post.address, PATH, "/social/drafts"):
                async with asker(post.wired.app, person=person) as browser:
                    answer = await browser.get(address, params={"lang": language})
                page = Page(answer.text)
                assert (answer.status_code, page.faults) == (200, []), address
                ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
                assert len(ids) == len(set(ids)), address

    await look()
    await post.send(ANA, "/variants", {"language": "ar"})
    await post.write("كلمات", name="x/ar")
    form = {"x-en-text": "Words\nand more", "seen": await post.hash_of("x/en"), "x-en-alternative-new": ALTERNATIVE}
    await post.send(ANA, "/variants/x/en", form, {"x-en-picture": ("a.png", png(), "image/png")})
    await look()
    await post.plan(clock.now() + timedelta(hours=1), until=clock.now() + timedelta(days=1))
    await post.act(ANA, "submit")
    await look()
    await post.act(BO, "approve")
    await look()
    await post.plan(clock.now() + timedelta(hours=1))
    await settled(post, network)
    await look()


async def test_queue_shows_each_post_by_what_it_waits_for(wired: System, database: Database) -> None:
    work, awaits, planned = [await begun(wired) for _ in range(3)]
    await work.write("To be worked on")
    await awaits.write("Awaits another")
    await awaits.act(ANA, "submit")
    await planned.approved("Planned", due_in=timedelta(days=3))
    async with asker(wired.app, person=BO) as browser:
        page = (await browser.get(PATH)).text
    places = {words: page.index(words) for words in ("Awaits another", "To be worked on", ">Planned<")}
    heads = {stage: page.index(f'id="stage-{stage}"') for stage in ("waiting", "awaits", "work", "planned", "published", "ended")}
    assert heads["awaits"] < places["Awaits another"] < heads["work"] < places["To be worked on"] < heads["planned"]
    assert heads["planned"] < places[">Planned<"] < heads["published"]


async def test_who_only_approves_begins_and_writes_nothing(wired: System, post: Pages) -> None:
    approver = somebody(Role.APPROVER)
    async with asker(wired.app, person=approver) as browser:
        assert (await browser.post(f"{PATH}/new", data={"language": "en"})).status_code == 403
    assert (await post.write("Words", person=approver)).status_code == 403
    assert (await post.plan(clock.now() + timedelta(hours=1), person=approver)).status_code == 403
    page = Page((await post.get(approver)).text)
    assert page.all("textarea") == [] or all("text" not in one["id"] for one in page.all("textarea"))
