"""The public's way in, by the command that people run: the form, the mail in the demo inbox, the confirmation, the review."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from shared.i18n import look_up
from tests.flows.running import Running, running, until

FORM = "/intake/submit/practice"
TITLE = "Un guichet unique pour les nouveaux arrivants"
FILLED = {
    "language": "fr",
    "title": TITLE,
    "summary": "Tout sous un même toit.",
    "entity": "Ville d’Exemple",
    "entity_type": "local-authority",
    "objectives": ["15"],
    "principles": ["human-rights"],
    "contact.name": "Amina Exemple",
}


def send_form(browser: httpx.Client, address: str) -> httpx.Response:
    """Send the form in French, as a browser does."""
    once = re.search(r'name="once" value="([^"]+)"', browser.get(FORM, params={"lang": "fr"}).text)
    assert once
    return browser.post(FORM, data={**FILLED, "contact.mail": address, "once": once.group(1)})


def _browser(system: Running) -> httpx.Client:
    return httpx.Client(base_url=system.address, headers={"origin": system.address}, follow_redirects=True, timeout=30)


def test_a_practice_from_the_form_is_reviewed_once_its_sender_has_confirmed_by_the_mail(var: Path) -> None:
    with running(var) as system, _browser(system) as public, system.staff() as staff:
        followed = send_form(public, "amina@example.org")
        assert followed.status_code == 200, followed.text
        assert look_up("fr", "track.state.unconfirmed")[0] in followed.text
        assert look_up("fr", "base.banner.inbox")[0] in followed.text
        assert TITLE not in staff.get("/intake/review/").text

        mails = until(lambda: public.get("/demo/mails.json", params={"to": "amina@example.org"}).json()["mails"])
        assert [mail["language"] for mail in mails] == ["fr"]
        [link] = mails[0]["links"]
        assert link.startswith(f"{system.address}/intake/confirm/")
        assert TITLE in public.get(link).text
        assert TITLE not in staff.get("/intake/review/").text, "opening a link must confirm nothing"

        confirmed = public.post(link)
        assert confirmed.url == followed.url
        assert look_up("fr", "track.state.received")[0] in confirmed.text
        listed = staff.get("/intake/review/").text
        assert TITLE in listed
        [review] = set(re.findall(r'href="(/intake/review/[0-9a-f-]{36})"', listed))
        assert staff.post(f"{review}/accept").status_code == 200
        assert TITLE in public.get("/practices/").text
        told = staff.get(f"/intake/events/{review.rpartition('/')[2]}.json").text
        assert "submission.received.v1" in told
        assert "practice.published.v1" in told

        refused = send_form(public, "refused@example.org")
        until(lambda: look_up("fr", "track.unconfirmed.refused")[0] in public.get(refused.url).text)

        at = json.loads((var / "run.json").read_text(encoding="utf-8"))["smtp"]
        assert urlsplit(f"smtp://{at}").hostname == "127.0.0.1"
