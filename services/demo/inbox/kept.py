"""The last mails, in memory, each read as a mail program reads it."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from functools import cached_property
from html.parser import HTMLParser

MAILS = 500
BYTES = 64 * 1024 * 1024  # of all of them; the oldest go first

_LINK = re.compile(r"https?://[^\s<>\"\u2066-\u2069]+")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One mail for one recipient, as it came over the wire."""

    number: int
    received_at: datetime
    sender: str  # of the envelope, where bounces would go; empty for the null sender
    recipient: str
    raw: bytes = field(repr=False)

    @cached_property
    def message(self) -> EmailMessage:
        """The mail taken apart; faults are forgiven, as mail programs do."""
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def subject(self) -> str:
        """The subject in words; empty where there is none."""
        return self._header("Subject")

    @property
    def author(self) -> str:
        """Who it says that it is from."""
        return self._header("From")

    @property
    def language(self) -> str:
        """The language that it names, or an empty string."""
        found = self._header("Content-Language")
        return found if re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", found) else ""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Every header in its order, in words, as one line."""
        return [(name, _words(str(value))) for name, value in message_from_bytes(self.raw, policy=policy.compat32).raw_items()]

    @property
    def text(self) -> str | None:
        """The text part, or None."""
        return self._part("plain")

    @property
    def html(self) -> str | None:
        """The HTML part, or None."""
        return self._part("html")

    @property
    def source(self) -> str:
        """The mail as it is, for eyes: bytes that are no ASCII written out."""
        return self.raw.decode("ascii", "backslashreplace").replace("\r\n", "\n")

    @property
    def links(self) -> Sequence[str]:
        """Every web address in it, once, in the order of the text, then of the HTML."""
        in_html = _Links(self.html or "").found
        return list(dict.fromkeys([*_LINK.findall(self.text or ""), *in_html]))

    def _header(self, name: str) -> str:
        return _words(str(message_from_bytes(self.raw, policy=policy.compat32).get(name, "")))

    def _part(self, subtype: str) -> str | None:
        part = self.message.get_body(preferencelist=(subtype,))
        if part is None:
            return None
        octets = part.get_payload(decode=True)
        charset = part.get_content_charset("utf-8")
        if not isinstance(octets, bytes):
            return ""
        try:
            words = octets.decode(charset, "replace")
        except LookupError:  # a charset that nobody knows
            words = octets.decode("latin-1")
        return words.replace("\r\n", "\n")


def _words(value: str) -> str:
    # Bytes that are no ASCII have no place in a header, and come all the same.
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(unfolded)))
    except (LookupError, ValueError):
        return unfolded


class _Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and address.startswith(("http://", "https://")):
            self.found.append(address)


class Inbox:
    """The last mails; what is more than 500, or more than 64 MiB together, is forgotten, oldest first."""

    def __init__(self, *, mails: int = MAILS, octets: int = BYTES) -> None:
        self._mails = mails
        self._octets = octets
        self._kept: deque[Kept] = deque()
        self._held = 0
        self._number = 0

    def add(self, *, received_at: datetime, sender: str, recipient: str, raw: bytes) -> Kept:
        """Keep a mail and return it."""
        self._number += 1
        mail = Kept(number=self._number, received_at=received_at, sender=sender, recipient=recipient, raw=raw)
        self._kept.append(mail)
        self._held += len(raw)
        while len(self._kept) > self._mails or (self._held > self._octets and len(self._kept) > 1):
            self._held -= len(self._kept.popleft().raw)
        return mail

    def newest_first(self, *, to: str = "") -> Sequence[Kept]:
        """Return what is kept, for one recipient where one is named."""
        return [mail for mail in reversed(self._kept) if not to or mail.recipient.lower() == to.lower()]

    def find(self, number: int) -> Kept | None:
        """Return the mail of a number, or None where it is not kept."""
        return next((mail for mail in self._kept if mail.number == number), None)
