"""Who walks: the demo people of every role, a partner, and a reader; each signs in, or sends, as they would."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from services.demo.walk.browser import Browser, Page, WalkError
from services.demo.walk.journal import until

ALEX = "alex@example.org"
NOOR = "noor@example.org"
"""Both have every role; two, because nobody may approve their own work."""

_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
_DOOR = re.compile(r"https?://[^\s<\"]+/intake/webhooks/[0-9a-f-]{36}")


@dataclass(frozen=True, kw_only=True)
class Mails:
    """The demo inbox, read by the page that gives it to programs."""

    browser: Browser

    def to(self, address: str) -> list[Mapping[str, Any]]:
        """Return the mails to an address, the newest first."""
        return [mail for mail in self.browser.open("/demo/mails.json", to=address).json["mails"] if mail["to"] == address]

    def known(self, address: str) -> int:
        """Return the number of the newest mail to an address; 0 where there is none."""
        return max((int(mail["number"]) for mail in self.to(address)), default=0)

    def link(self, address: str, part: str, *, after: int = 0) -> str:
        """Wait for a mail that is newer than number `after` and return the link in it that holds `part`; raises WalkError."""

        def look() -> str | None:
            newer = [mail for mail in self.to(address) if int(mail["number"]) > after]
            return next((link for mail in newer for link in mail["links"] if part in link), None)

        return until(look, f"a mail to {address} with a link to …{part}…")


def sign_in(base: str, mails: Mails, address: str) -> Browser:
    """Return the browser of somebody who asked for a link, and opened the one that was mailed."""
    browser, known = Browser(base), mails.known(address)
    browser.send(browser.open("/desk/sign-in"), "/desk/sign-in", mail=address)
    link = mails.link(address, "/desk/sign-in/", after=known)
    entered = browser.post(urlsplit(link).path)
    if entered.path != "/desk/":
        raise WalkError(f"the mailed link led {address} to {entered.path}")
    return browser


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Somebody who sends signed webhooks."""

    door: str
    secret: str = field(repr=False)
    page: str = ""  # where the staff see them

    def send(self, browser: Browser, body: Mapping[str, Any], message_id: str) -> Mapping[str, Any]:
        """Send one webhook, signed as Standard Webhooks says, and return the answer; raises WalkError where it is not taken."""
        content, stamp = json.dumps(body).encode(), str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.new(key, f"{message_id}.{stamp}.".encode() + content, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }
        answer = browser.post_bytes(self.door, content, headers)
        if answer.status != 202:
            raise WalkError(f"the webhook door answers {answer.status}: {answer.body[:400]}")
        taken: Mapping[str, Any] = answer.json
        return taken


def new_partner(admin: Browser, name: str) -> Partner:
    """Return a partner whom an admin has made; the page shows the secret this once."""
    listed = admin.open("/intake/partners/")
    made: Page = admin.send(listed, "/intake/partners/", name=name, contact="partner@example.org")
    door, secret = _DOOR.search(made.body), _SECRET.search(made.body)
    if not (door and secret):
        raise WalkError("the page of a new partner shows neither address nor secret")
    return Partner(door=door.group(), secret=secret.group(), page=f"{admin.base}/intake/partners/{door.group().rpartition('/')[2]}")
