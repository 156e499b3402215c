"""The list for frames on other sites: the one page that may be framed."""

from datetime import timedelta

from shared import clock
from shared.db import Database
from shared.web.safety import CONTENT_SECURITY_POLICY
from tests.calendar.made import days, new_date, stored
from tests.calendar.reading import asking
from tests.shared.web_app import Page

EMBED = "/calendar/embed"


async def test_only_the_frame_may_be_framed_and_it_runs_no_script(database: Database) -> None:
    one = await stored(database)
    async with asking(database) as reader:
        answer = await reader.get(EMBED)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors *" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        page = Page(answer.text)
        assert (page.faults, page.all("script"), page.all("form")) == ([], [], [])
        assert {link.get("target") for link in page.all("a")} == {"_blank"}
        for address in ("/calendar/", "/calendar/month/2027-06", f"/calendar/{one.slug}", "/calendar/workplan", "/calendar/feed.ics"):
            other = (await reader.get(address)).headers["content-security-policy"]
            assert other == CONTENT_SECURITY_POLICY
            assert "frame-ancestors 'none'" in other


async def test_it_lists_what_comes_and_leaves_out_what_is_over(database: Database) -> None:
    today = clock.now().date()
    await stored(database, new_date("It is over", days(str(today - timedelta(days=2)))))
    await stored(database, new_date("It goes on", days(str(today - timedelta(days=2)), str(today + timedelta(days=1)))))
    await stored(database, new_date("It comes", days(str(today + timedelta(days=40)))))
    async with asking(database) as reader:
        text = (await reader.get(EMBED)).text
    assert "It is over" not in text
    assert text.index("It goes on") < text.index("It comes")


async def test_it_keeps_nothing_in_the_readers_browser(database: Database) -> None:
    async with asking(database) as reader:
        answer = await reader.get(f"{EMBED}?lang=fr")
    assert Page(answer.text).all("html")[0]["lang"] == "fr"
    assert "set-cookie" not in answer.headers


async def test_who_keeps_it_for_others_knows_that_its_language_is_the_readers(database: Database) -> None:
    async with asking(database) as reader:
        french = await reader.get(EMBED, headers={"accept-language": "fr"})
        again = await reader.get(EMBED, headers={"accept-language": "fr", "if-none-match": french.headers["etag"]})
    assert (french.headers["content-language"], again.status_code) == ("fr", 304)
    assert {french.headers["vary"], again.headers["vary"]} == {"Accept-Language, Cookie"}


async def test_who_has_the_newest_gets_nothing_again(database: Database) -> None:
    await stored(database)
    async with asking(database) as reader:
        first = await reader.get(EMBED)
        again = await reader.get(EMBED, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
        await stored(database, new_date("Another", days("2028-01-01")))
        assert (await reader.get(EMBED, headers={"if-none-match": first.headers["etag"]})).status_code == 200
