"""How mails leave, as the settings say it."""

from pathlib import Path

import pytest

from shared import settings as settings_
from shared.mail.address import Mailbox
from shared.mail.outgoing import Outgoing, outgoing
from shared.mail.server import Encryption, MailServer
from shared.settings import SettingsError
from tests.shared.mail_keys import pem


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in settings_.Settings.model_fields:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)


def _read(**given: str) -> Outgoing:
    return outgoing(settings_.read(**given))


def test_without_a_server_mails_wait_and_have_a_sender_nonetheless() -> None:
    found = _read()
    assert (found.server, found.signer, found.sender.domain) == (None, None, "tidings.localhost")
    demo = MailServer(host="127.0.0.1", port=2525, encryption=Encryption.NONE)
    assert outgoing(settings_.read(smtp="demo"), demo=demo).server == demo
    assert outgoing(settings_.read(), demo=demo).server == demo


def test_what_is_missing_is_named_with_an_example() -> None:
    with pytest.raises(SettingsError, match=r"TIDINGS_MAIL_FROM is missing: .* For example: TIDINGS_MAIL_FROM="):
        _read(smtp="smtp://mail.example.org")
    with pytest.raises(SettingsError, match=r"TIDINGS_DKIM_KEY is missing: .* For example: TIDINGS_DKIM_KEY_FILE=.*the key itself"):
        _read(dkim_selector="tests")
    with pytest.raises(SettingsError, match=r"TIDINGS_DKIM_SELECTOR is missing: .* For example: "):
        _read(dkim_key="x")
    with pytest.raises(SettingsError, match=r"TIDINGS_MAIL_DOMAIN is wrong: TIDINGS_MAIL_FROM is at example.org"):
        _read(mail_from="a@example.org", mail_domain="example.net")


def test_the_signing_domain_may_be_above_the_senders() -> None:
    found = _read(mail_from="Néws <a@news.example.org>", mail_domain="example.org")
    assert (found.sender, found.domain) == (Mailbox(address="a@news.example.org", name="Néws"), "example.org")


def test_the_key_comes_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_bytes(pem())
    monkeypatch.setenv("TIDINGS_DKIM_KEY_FILE", str(tmp_path / "dkim.pem"))
    found = _read(mail_from="a@example.org", dkim_selector="tests")
    assert found.signer is not None
    assert (found.signer.domain, found.signer.selector) == ("example.org", "tests")


@pytest.mark.parametrize(
    ("key", "fault"),
    [(pem(1024), "1024 bits"), (b"nonsense", "no private key"), (b"", "no private key")],
    ids=["too short", "no key", "empty"],
)
def test_a_key_that_providers_would_not_take_stops_the_start(key: bytes, fault: str) -> None:
    with pytest.raises(SettingsError, match=rf"TIDINGS_DKIM_KEY or TIDINGS_DKIM_KEY_FILE is wrong: .*{fault}.* For example"):
        _read(mail_from="a@example.org", dkim_selector="tests", dkim_key=key.decode())
