"""The environment, read: what is right is typed, what is wrong is named with its fault and an example."""

from pathlib import Path

import pytest

from shared import settings
from shared.settings import Settings, SettingsError, database_of


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env of this machine
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)


def test_without_anything_set_everything_is_embedded_on_loopback() -> None:
    found = settings.read()
    assert (found.kafka, found.database, found.host, found.port) == ("embedded", "embedded", "127.0.0.1", 8000)
    assert found.address == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("KAFKA", "kafka", "host:port"),
        ("KAFKA", "kafka:99999", "host:port"),
        ("DATABASE", "mysql://db/tidings", "PostgreSQL"),
        ("DATABASE", "postgresql://db", "database name"),
        ("PORT", "eighty", "integer"),
        ("PUBLIC_URL", "tidings.example.org", "web address"),
        ("LOG", "xml", "'text' or 'json'"),
        ("SMTP", "mail.example.org", "smtp://"),
        ("SMTP", "smtp://mail.example.org:99999", "port is not a number"),
        ("SMTP", "smtp://user:secret@mail.example.org?starttls=no", "in clear"),
        ("MAIL_FROM", "news", "no domain"),
        ("MAIL_DOMAIN", "no domain", "no domain"),
        ("DKIM_SELECTOR", "a b", "name in the DNS"),
        ("TIMEZONE", "Mars/Olympus", "no IANA time zone"),
        ("TRUSTED_PROXIES", "10.0.0.2,gateway", "'gateway' is no IP address"),
    ],
)
def test_a_wrong_value_is_named_with_its_fault_and_an_example(monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str) -> None:
    monkeypatch.setenv(f"TIDINGS_{name}", value)
    with pytest.raises(SettingsError) as raised:
        settings.read()
    message = str(raised.value)
    assert message.startswith(f"TIDINGS_{name} is wrong:")
    assert fault in message
    assert f"For example: TIDINGS_{name}=" in message


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("newest,older\n")
    monkeypatch.setenv("TIDINGS_DATA_KEYS_FILE", str(tmp_path / "secret"))
    assert [key.get_secret_value() for key in settings.read().data_keys] == ["newest", "older"]


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDINGS_STAFF_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=r"TIDINGS_STAFF_KEY_FILE names .*missing, which cannot be read"):
        settings.read()


def test_a_service_may_have_a_database_role_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE", "postgresql://owner@db/tidings")
    monkeypatch.setenv("TIDINGS_DATABASE_INTAKE", "postgresql://intake@db/tidings")
    found = settings.read()
    assert database_of(found, "intake") == "postgresql+asyncpg://intake@db/tidings"
    assert database_of(found, "social") == "postgresql+asyncpg://owner@db/tidings"


def test_secrets_are_not_in_what_a_log_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_STAFF_KEY", "a-key-nobody-may-see")
    monkeypatch.setenv("TIDINGS_DATA_KEYS", "one-secret,two-secret")
    monkeypatch.setenv("TIDINGS_SMTP", "smtp://user:relay-secret@mail.example.org")
    shown = repr(settings.read())
    assert "nobody-may-see" not in shown
    assert "one-secret" not in shown
    assert "relay-secret" not in shown
