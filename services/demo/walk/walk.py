"""The walk: from what a partner sends, and a colleague enters, to mail, post, feed and page."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.demo.walk.browser import Browser
from services.demo.walk.journal import Journal
from services.demo.walk.people import Mails, Partner
from services.demo.walk.system import DemoSystem


@dataclass(kw_only=True)
class Walk:
    """Who walks where, and what they have made so far."""

    system: DemoSystem
    journal: Journal
    anybody: Browser
    mails: Mails
    # Everything that is made carries it, so that two walks through one system do not take each other's things for their own.
    mark: str = field(default_factory=lambda: secrets.token_hex(3))
    alex: Browser = field(init=False)
    noor: Browser = field(init=False)
    partner: Partner = field(init=False)
    found: dict[str, str] = field(default_factory=dict)  # addresses and ids by word, as the steps find them

    @property
    def base(self) -> str:
        """The address of the system."""
        return self.system.address

    def titled(self, words: str) -> str:
        """Return a title that this walk alone has."""
        return f"{words} ({self.mark})"

    def example(self, kind: str) -> dict[str, Any]:
        """Return a whole webhook of a kind, as the catalogue gives it to partners."""
        kinds: list[Mapping[str, Any]] = self.anybody.open("/intake/api/v1/catalogue").json["kinds"]
        body: dict[str, Any] = next(one["example"] for one in kinds if one["type"] == kind)
        return body


def begun(system: DemoSystem, say: Callable[[str], None]) -> Walk:
    """Return a walk that has made no step yet."""
    anybody = Browser(system.address)
    return Walk(system=system, journal=Journal(say=say), anybody=anybody, mails=Mails(browser=anybody))
