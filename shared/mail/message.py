"""A mail as bytes: prepared once from its texts, then filled for each person at little cost.

A one-off mail is prepared and filled once; an issue of the newsletter is prepared once in each language.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from shared import i18n
from shared.mail import headers
from shared.mail.address import Mailbox
from shared.mail.bodies import Body, encode
from shared.mail.dkim import Signer

_ID_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a person reads, in one language; slots stand in the texts where mails differ (`bodies.slot`)."""

    language: str
    subject: str
    text: str  # whole by itself, its links written out
    html: str | None = None  # a whole document; `document` makes one


@dataclass(frozen=True, kw_only=True)
class MailingList:
    """The headers by which programs know a list and let people leave it (RFC 2369, 2919, 8058)."""

    id: str  # as a domain: bulletin.example.org
    name: str = ""
    help: str = ""  # web address of a page that explains the list; no header where empty
    archive: str = ""
    owner: str = ""  # mailto address of the people behind it


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """How one person leaves the list."""

    address: str  # https, with a token of that person's; a POST to it unsubscribes without another question
    mailto: str = ""  # for programs that leave by mail; none where empty


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A mail in all but what differs from person to person."""

    fixed: Sequence[bytes]  # header lines, each with its CRLF
    parts: Sequence[Body]
    boundary: bytes
    is_list: bool
    domain: str  # in message ids

    def fill(
        self,
        *,
        to: Mailbox | str,
        date: datetime,
        message_id: str = "",
        leaving: Leaving | None = None,
        slots: Mapping[str, str] | None = None,
        signer: Signer | None = None,
    ) -> bytes:
        """Return the mail for one person, with CRLF line ends, as it goes after DATA (dots not yet doubled).

        `message_id` as `message_id_of` makes it, or a random one. Raises HeaderError, AddressError or SlotError where a value cannot
        stand in its place, and ValueError where a list's mail has no way to leave it, or another mail has one.
        """
        if self.is_list is not (leaving is not None):
            raise ValueError("a mail of a list needs a way to leave it, and only such a mail")
        lines = [
            *self.fixed,
            headers.mailbox_line("To", Mailbox(address=to) if isinstance(to, str) else to),
            headers.date_line(date),
            headers.token_line("Message-ID", message_id or message_id_of(secrets.token_hex(16), self.domain)),
        ]
        if leaving is not None:
            lines += _leaving_lines(leaving)
        body = self._body(slots or {})
        signature = signer.sign(lines, body, date) if signer else b""
        return signature + b"".join(lines) + b"\r\n" + body

    def _body(self, slots: Mapping[str, str]) -> bytes:
        if len(self.parts) == 1:
            return self.parts[0].fill(slots)
        found = []
        for part in self.parts:
            found += [b"--", self.boundary, b"\r\n", part.headers, b"\r\n", part.fill(slots), b"\r\n"]
        return b"".join([*found, b"--", self.boundary, b"--\r\n"])


def prepare(
    content: Content,
    *,
    sender: Mailbox,
    domain: str,
    reply_to: Mailbox | None = None,
    mailing_list: MailingList | None = None,
    extra: Mapping[str, str] | None = None,
) -> Prepared:
    """Return a mail whose texts are encoded and whose common headers are written.

    Without a list it is an automatic one-off mail, and says so (RFC 3834), so that nobody's holiday notice answers it. `extra`
    are further headers in plain ASCII. Raises HeaderError or SlotError.
    """
    parts = [encode(content.text, "plain")]
    if content.html is not None:
        parts.append(encode(content.html, "html"))
    # Neither encoding writes an equals sign before an underscore, so no line of a part is taken for the boundary.
    boundary = b"=_" + hashlib.sha256(content.text.encode() + (content.html or "").encode()).hexdigest()[:24].encode()
    fixed = [
        headers.mailbox_line("From", sender),
        headers.mailbox_line("Reply-To", reply_to or sender),
        headers.text_line("Subject", content.subject),
        headers.token_line("MIME-Version", "1.0"),
        headers.token_line("Content-Language", content.language),
    ]
    if mailing_list is None:
        fixed.append(headers.token_line("Auto-Submitted", "auto-generated"))
    else:
        fixed += _list_lines(mailing_list)
    fixed += [headers.token_line(name, value) for name, value in (extra or {}).items()]
    if len(parts) == 1:
        fixed += [line + b"\r\n" for line in parts[0].headers.split(b"\r\n") if line]
    else:
        fixed.append(b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n')
    return Prepared(fixed=fixed, parts=parts, boundary=boundary, is_list=mailing_list is not None, domain=domain)


def message_id_of(key: str, domain: str) -> str:
    """Return the Message-ID that always belongs to `key`, so that a mail that was sent twice is known for one."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:_ID_CHARACTERS]}@{domain}>"


def document(language: str, title: str, body: str) -> str:
    """Return a whole HTML document in `language`, reading in its direction; `body` is HTML."""
    direction = i18n.direction(language)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n</head>\n"
        f'<body lang="{escape(language)}" dir="{direction}">\n{body}\n</body>\n</html>\n'
    )


def _list_lines(known: MailingList) -> list[bytes]:
    lines = [headers.list_id_line(known.name, known.id)]
    for name, address in (("List-Help", known.help), ("List-Archive", known.archive), ("List-Owner", known.owner)):
        if address:
            lines.append(headers.uri_line(name, [address]))
    return lines


def _leaving_lines(leaving: Leaving) -> list[bytes]:
    addresses = [leaving.address, leaving.mailto] if leaving.mailto else [leaving.address]
    return [
        headers.uri_line("List-Unsubscribe", addresses),
        headers.token_line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
