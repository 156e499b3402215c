"""TIDINGS_SMTP: what it means, and what is wrong with one that cannot be meant."""

import pytest

from shared.mail.server import Encryption, MailServer, parse_mail_server


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mx.example.org", MailServer(host="mx.example.org", port=25, encryption=Encryption.STARTTLS)),
        ("smtp://localhost:2525", MailServer(host="localhost", port=2525, encryption=Encryption.NONE)),
        ("smtp://[::1]:2525", MailServer(host="::1", port=2525, encryption=Encryption.NONE)),
        (
            "smtp://localhost?starttls=required&connections=3",
            MailServer(host="localhost", port=25, encryption=Encryption.STARTTLS, connections=3),
        ),
        ("smtp://mx.example.org:25?starttls=no", MailServer(host="mx.example.org", port=25, encryption=Encryption.NONE)),
        (
            "smtps://us%40er:p%2Fw@mx.example.org",
            MailServer(host="mx.example.org", port=465, encryption=Encryption.TLS, user="us@er", password="p/w"),
        ),
        ("smtp://u:p@mx.example.org", MailServer(host="mx.example.org", port=587, encryption=Encryption.STARTTLS, user="u", password="p")),
    ],
)
def test_a_url_is_read(url: str, expected: MailServer) -> None:
    assert parse_mail_server(url) == expected


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://mx.example.org", "smtp://"),
        ("smtp:///", "smtp://"),
        ("smtp://mx.example.org:70000", "port"),
        ("smtp://mx.example.org?starttls=maybe", "neither"),
        ("smtps://mx.example.org?starttls=required", "first byte"),
        ("smtp://u:p@mx.example.org?starttls=no", "in clear"),
        ("smtp://mx.example.org?connections=0", "1 to"),
        ("smtp://mx.example.org?connections=²", "1 to"),
        ("smtp://mx.example.org?connection=3", "option"),
        ("smtp://:p@mx.example.org", "user"),
    ],
)
def test_what_is_wrong_is_named(url: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_mail_server(url)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_mail_server("smtps://u:secret@mx.example.org"))
