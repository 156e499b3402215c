"""Mails as bytes, read back by parsers that did not write them: the standard library's old one, byte checks, and dkimpy."""

import email
import quopri
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from html import unescape
from html.parser import HTMLParser

import dkim  # the package dkimpy, not our module of that name
import pytest

from shared.mail.address import AddressError, Mailbox, checked, mailbox
from shared.mail.bodies import SlotError, slot
from shared.mail.headers import HeaderError
from shared.mail.message import Content, Leaving, MailingList, Prepared, document, message_id_of, prepare
from tests.shared.mail_keys import dns, signer

SENDER = Mailbox(address="news@example.org", name="Réseau des Nations Unies, sur les migrations")
LIST = MailingList(
    id="bulletin.example.org",
    name="Bulletin d’information",
    help="https://example.org/newsletter/",
    archive="https://example.org/newsletter/archive",
    owner="mailto:news@example.org",
)
WORDS = {
    "en": "Migration  makes\tprogress. From here to there = a long way, and no further than that ",
    "fr": "Où l’été dernier, près de la frontière, des élèves ont été reçus à l’école ",
    "es": "El año pasado, niñas y niños migrantes volvieron a la escuela; ¿cuántos? ",
    "ar": "في السنة الماضية عاد الأطفال المهاجرون إلى المدرسة، قرب الحدود ",
    "ru": "В прошлом году дети мигрантов вернулись в школу у границы ",
    "zh": "去年，移民儿童回到了边境附近的学校。",
}
NAMES = {"en": "Ann O’Neil", "fr": "Éloïse", "es": "Íñigo, S.A.", "ar": "أمينة مثال", "ru": "Ольга", "zh": "王小明"}
LINE_MAX = 998


def _paragraphs(rng: random.Random, language: str) -> Iterator[str]:
    for _ in range(rng.randint(1, 12)):
        words = WORDS[language] * rng.randint(1, 6)
        start = rng.choice(["", ".", "From ", "  ", "\t", "..", "=3D "])
        yield start + words[rng.randint(0, 20) :] + rng.choice(["", " ", "  ", "\t"])


def _mail(number: int) -> tuple[bytes, str, str, str, str]:
    """Return one of the 500 mails, and what has to come out of it: language, subject, text, HTML."""
    rng = random.Random(number)
    language = list(WORDS)[number % len(WORDS)]
    subject = (WORDS[language].replace("\t", " ") * rng.randint(1, 4))[: rng.randint(1, 300)].strip() or "x"
    address = "https://news.example.org/newsletter/u/" + "".join(rng.choices("abcXYZ019-_=&", k=rng.randint(10, 700)))
    text = "\n\n".join(_paragraphs(rng, language)) + f"\n{slot('leave')} ({slot('leave')})\n"
    html = document(language, subject, f'<p>{text}</p><a href="{slot("leave")}">{slot("leave")}</a>') if number % 3 else None
    prepared = prepare(
        Content(language=language, subject=subject, text=text, html=html), sender=SENDER, domain="example.org", mailing_list=LIST
    )
    raw = prepared.fill(
        to=Mailbox(address=f"reader{number}@example.net", name=NAMES[language]),
        date=datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(minutes=number),
        message_id=message_id_of(f"issue/{number}", "example.org"),
        leaving=Leaving(address=address, mailto="mailto:leave@example.org?subject=leave"),
        slots={"leave": address},
        signer=signer(),
    )

    def fill(whole: str, value: str) -> str:
        return whole.replace(slot("leave"), value)

    return raw, language, subject, fill(text, address), fill(html or "", address)


def _decoded(header: str) -> str:
    return str(make_header(decode_header(_unfolded(header))))


def _unfolded(header: str) -> str:
    return re.sub(r"\r\n(?=[ \t])", "", header)


def _parts(message: Message) -> dict[str, str]:
    found = {}
    for part in message.walk():
        if not part.is_multipart():
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            found[part.get_content_type()] = octets.decode("utf-8").replace("\r\n", "\n")
    return found


def _check_bytes(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\r\n" in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= LINE_MAX for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    # What providers read of these lines, they read as bytes.
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
    for name in (b"List-Unsubscribe", b"List-Unsubscribe-Post", b"List-Help", b"List-Archive", b"List-Owner"):
        [line] = [line for line in unfolded.split(b"\r\n") if line.startswith(name + b":")]
        assert b"=?" not in line
    # RFC 2047, section 2: an encoded word has at most 75 characters.
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^\s]+\?=", head))
    # Relaxed canonicalisation finds nothing to change, so nothing on the way breaks the signature by tidying spaces.
    assert b"  " not in body
    assert b" \r\n" not in body
    assert b"\t" not in body


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.root: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag == "html":
            self.root = dict(attrs)


def test_500_mails_in_six_languages_come_out_as_they_went_in_and_verify() -> None:
    for number in range(500):
        raw, language, subject, text, html = _mail(number)
        _check_bytes(raw)
        message = email.message_from_bytes(raw)  # the compat32 parser, which shares nothing with what wrote the bytes
        assert message.defects == []
        assert all(part.defects == [] for part in message.walk())
        assert _decoded(message["Subject"]) == subject
        assert message["Content-Language"] == language
        name, address = parseaddr(message["From"])
        assert (_decoded(name), address) == (SENDER.name, "news@example.org")
        name, address = parseaddr(message["To"])
        assert (_decoded(name), address) == (NAMES[language], f"reader{number}@example.net")
        assert parsedate_to_datetime(message["Date"]) == datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(minutes=number)
        assert message["Message-ID"] == message_id_of(f"issue/{number}", "example.org")
        assert _decoded(message["List-Id"]) == "Bulletin d’information <bulletin.example.org>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        leave = re.findall("<([^>]*)>", message["List-Unsubscribe"])
        parts = _parts(message)
        assert parts["text/plain"] == text
        assert leave[0] in text
        assert leave[1].startswith("mailto:")
        if html:
            links = _Links()
            links.feed(parts["text/html"])
            assert links.links == [leave[0]]
            assert (links.root["lang"], links.root["dir"]) == (language, "rtl" if language == "ar" else "ltr")
            assert unescape(parts["text/html"]) == unescape(html)
        else:
            assert not message.is_multipart()
        assert dkim.verify(raw, dnsfunc=dns), number


def _one(**changes: object) -> bytes:
    return _prepared().fill(
        **{  # type: ignore[arg-type]
            "to": "reader@example.net",
            "date": datetime(2026, 11, 22, 9, tzinfo=UTC),
            "leaving": Leaving(address="https://example.org/u/x"),
            "signer": signer(),
            **changes,
        }
    )


def _prepared(text: str = "Text.\n") -> Prepared:
    content = Content(language="en", subject="A subject", text=text)
    return prepare(content, sender=SENDER, domain="example.org", mailing_list=LIST)


@pytest.mark.parametrize(
    "name", ["From", "To", "Subject", "Date", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type", "Message-ID"]
)
def test_a_header_added_on_the_way_breaks_the_signature(name: str) -> None:
    raw = _one()
    assert dkim.verify(raw, dnsfunc=dns)
    assert not dkim.verify(name.encode() + b": forged@example.net\r\n" + raw, dnsfunc=dns)


def test_a_mail_without_a_list_cannot_be_given_a_button_to_leave() -> None:
    raw = prepare(Content(language="en", subject="Sign in", text="Link"), sender=SENDER, domain="example.org").fill(
        to="reader@example.net", date=datetime(2026, 11, 22, 9, tzinfo=UTC), signer=signer()
    )
    assert dkim.verify(raw, dnsfunc=dns)
    assert not dkim.verify(b"List-Unsubscribe: <https://attacker.example/>\r\n" + raw, dnsfunc=dns)


@pytest.mark.parametrize("place", [b"Text.", b"A subject", b"https://example.org/u/x", b"One-Click", b"bulletin.example.org"])
def test_a_change_on_the_way_breaks_the_signature(place: bytes) -> None:
    raw = _one()
    assert raw.count(place) >= 1
    assert not dkim.verify(raw.replace(place, place[:-1] + b"z"), dnsfunc=dns)


def test_what_servers_do_to_spaces_and_folding_breaks_nothing() -> None:
    raw = _one()
    tidied = raw.replace(b"Subject: A subject", b"subject:  A\r\n\tsubject ") + b"\r\n\r\n"
    assert tidied != raw
    assert dkim.verify(tidied, dnsfunc=dns)


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@example.net", "a\nb", "a\rb", "a\x00b", "a\x85b", "a\u2028b", "a\x0bb"])
def test_no_line_break_gets_into_a_header(evil: str) -> None:
    with pytest.raises(HeaderError, match="line break or control character"):
        prepare(Content(language="en", subject=evil, text=""), sender=SENDER, domain="example.org")
    with pytest.raises(HeaderError):
        _one(to=Mailbox(address="reader@example.net", name=evil))
    with pytest.raises(HeaderError):
        _one(message_id=evil)
    with pytest.raises(HeaderError):
        _one(leaving=Leaving(address="https://example.org/" + evil))
    with pytest.raises(AddressError):
        _one(to=evil + "@example.net")
    with pytest.raises(HeaderError):
        prepare(Content(language=evil, subject="s", text=""), sender=SENDER, domain="example.org")
    with pytest.raises(HeaderError):
        prepare(Content(language="en", subject="s", text=""), sender=SENDER, domain="example.org", extra={"Feedback-ID": evil})
    with pytest.raises(HeaderError):
        prepare(Content(language="en", subject="s", text=""), sender=SENDER, domain="example.org", extra={evil: "value"})


@pytest.mark.parametrize(
    "subject",
    ["=?utf-8?q?not_encoded?=", "x" * 400, "a " * 200, "é" * 300, "𝔘" * 200, "tail of spaces   inside", "semi; colon, comma; " * 12],
)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    raw = prepare(Content(language="en", subject=subject, text=""), sender=SENDER, domain="example.org").fill(
        to="reader@example.net", date=datetime(2026, 11, 22, 9, tzinfo=UTC)
    )
    header = email.message_from_bytes(raw)["Subject"]
    assert "".join(str(make_header([part])) for part in decode_header(_unfolded(header))) == subject.strip()


def test_a_subject_beyond_reason_is_refused() -> None:
    with pytest.raises(HeaderError, match="longer than 500"):
        prepare(Content(language="en", subject="x" * 501, text=""), sender=SENDER, domain="example.org")


@pytest.mark.parametrize(
    ("written", "known"),
    [("Name@Example.ORG", "Name@example.org"), ("a@bücher.example", "a@xn--bcher-kva.example"), (" a+b@x.org ", "a+b@x.org")],
)
def test_addresses_are_known_as_servers_know_them(written: str, known: str) -> None:
    assert checked(written) == known


@pytest.mark.parametrize(
    "wrong", ["", "a", "a@", "@b.org", "a@b", "a b@c.org", '"a b"@c.org', "a..b@c.org", "é@c.org", "a@-b.org", "a@b.org>"]
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(AddressError):
        checked(wrong)


def test_a_sender_is_read_as_people_write_it() -> None:
    assert mailbox('"Network, on Migration" <a@x.org>') == Mailbox(address="a@x.org", name="Network, on Migration")
    with pytest.raises(AddressError):
        mailbox("Network on Migration")


def test_a_slot_without_value_and_half_a_slot_are_refused() -> None:
    with pytest.raises(SlotError, match="'leave' has no value"):
        _prepared(slot("leave")).fill(
            to="a@example.net", date=datetime(2026, 11, 22, tzinfo=UTC), leaving=Leaving(address="https://example.org/")
        )
    with pytest.raises(SlotError, match="half of a slot"):
        _prepared("\ue000leave")
    with pytest.raises(SlotError, match="line break"):
        _prepared(slot("leave")).fill(
            to="a@example.net",
            date=datetime(2026, 11, 22, tzinfo=UTC),
            leaving=Leaving(address="https://example.org/"),
            slots={"leave": "a\nb"},
        )


def test_what_fills_a_slot_in_html_is_escaped() -> None:
    content = Content(language="en", subject="s", text=slot("name"), html=f"<p>{slot('name')}</p>")
    raw = prepare(content, sender=SENDER, domain="example.org").fill(
        to="a@example.net", date=datetime(2026, 11, 22, tzinfo=UTC), slots={"name": "<b>&"}
    )
    parts = _parts(email.message_from_bytes(raw))
    assert parts["text/plain"] == "<b>&\n"
    assert parts["text/html"] == "<p>&lt;b&gt;&amp;</p>\n"


def test_a_list_needs_a_way_to_leave_it_and_a_single_mail_has_none() -> None:
    with pytest.raises(ValueError, match="way to leave"):
        _one(leaving=None)
    single = prepare(Content(language="en", subject="s", text="t"), sender=SENDER, domain="example.org")
    with pytest.raises(ValueError, match="way to leave"):
        single.fill(to="a@example.net", date=datetime(2026, 11, 22, tzinfo=UTC), leaving=Leaving(address="https://example.org/"))


def test_a_single_mail_says_that_a_machine_wrote_it_and_a_date_without_zone_is_refused() -> None:
    single = prepare(Content(language="en", subject="s", text="t"), sender=SENDER, domain="example.org")
    raw = single.fill(to="a@example.net", date=datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))))
    message = email.message_from_bytes(raw)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Sun, 22 Nov 2026 09:00:00 +0000"
    with pytest.raises(ValueError, match="no time zone"):
        single.fill(to="a@example.net", date=datetime(2026, 11, 22))  # noqa: DTZ001  # what is refused


def test_message_ids_follow_their_key_and_are_random_without_one() -> None:
    assert message_id_of("issue/1", "example.org") == message_id_of("issue/1", "example.org") != message_id_of("issue/2", "example.org")
    assert email.message_from_bytes(_one())["Message-ID"] != email.message_from_bytes(_one())["Message-ID"]


def test_quoted_printable_lines_break_softly_wherever_a_slot_stands() -> None:
    for length in range(160):
        text = "x" * length + slot("leave") + "=" * (length % 7) + " tail \n"
        raw = _prepared(text).fill(
            to="a@example.net",
            date=datetime(2026, 11, 22, tzinfo=UTC),
            leaving=Leaving(address="https://example.org/"),
            slots={"leave": "é=" * (length // 2)},
        )
        _check_bytes(raw)
        _, _, body = raw.partition(b"\r\n\r\n")
        assert quopri.decodestring(body.replace(b"\r\n", b"\n")).decode() == text.replace(slot("leave"), "é=" * (length // 2))
