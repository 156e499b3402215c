"""From the door to the desk: what came in awaits the moderators, one of them is mailed, signs in by way of the mail, and decides."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from services.intake.kinds.catalogue import body_of
from shared.events.kinds import KINDS
from tests.flows.running import Running, running, until

NOOR = "noor@example.org"
TITLE = "A desk for all who arrive"


def mails_to(browser: httpx.Client, mail: str) -> list[dict[str, Any]]:
    """The mails of a person in the demo inbox, without the body."""
    return list(browser.get("/demo/mails.json", params={"to": mail}).json()["mails"])


def reader(system: Running) -> httpx.Client:
    """A browser in which nobody is signed in."""
    headers = {"origin": system.address, "accept": "text/html"}
    return httpx.Client(base_url=system.address, headers=headers, follow_redirects=True, timeout=30)


def test_a_moderator_is_mailed_signs_in_by_way_of_the_mail_lands_on_the_item_and_decides(var: Path) -> None:
    with running(var) as system, reader(system) as noor, system.staff("Alex") as alex, system.staff("Sam") as sam:
        assert "Nothing awaits you." in alex.get("/desk/").text
        body = body_of(KINDS["practice"], {**KINDS["practice"].example, "title": {"en": TITLE}, "summary": {"en": "x"}, "language": "en"})
        answer = system.send(body, "msg_1")
        assert answer.status_code == 202, answer.text
        review = f"/intake/review/{answer.json()['receipt']}"

        (mail,) = until(lambda: mails_to(noor, NOOR))
        assert mail["subject"] == f"Review a practice: {TITLE}"
        link = f"{system.address}{review}"
        assert link in mail["links"]
        assert mails_to(noor, "sam@example.org") == [], "who may decide nothing is mailed of nothing"

        asked = noor.get(link)
        assert asked.status_code == 401
        found = re.search(r'href="(/desk/sign-in\?next=[^"]+)"', asked.text)
        assert found
        wanted = re.search(r'name="next" value="([^"]+)"', noor.get(unescape(found.group(1))).text)
        assert wanted
        assert noor.post("/desk/sign-in", data={"mail": NOOR, "next": unescape(wanted.group(1))}).status_code == 200
        (way_in,) = until(lambda: [one for mail in mails_to(noor, NOOR) for one in mail["links"] if "/desk/sign-in/" in one])
        landed = noor.post(way_in)
        assert (landed.status_code, landed.url.path) == (200, review)
        assert TITLE in landed.text

        for page in (alex.get("/desk/").text, sam.get("/desk/").text):
            assert f'href="{review}"' in page
        assert noor.post(f"{review}/accept").status_code == 200
        until(lambda: "Nothing awaits you." in alex.get("/desk/").text)
        done = noor.get("/desk/").text
        assert "What you did in the last seven days" in done
        assert f'href="{review}"' in done
