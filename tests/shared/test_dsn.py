"""PostgreSQL URLs: TLS as libpq's URLs ask for it."""

import ssl
from pathlib import Path

import pytest

from shared.dsn import connecting
from tests.shared.certificates import authority

PLAIN = "postgresql://tidings:secret@db/tidings"


def test_url_without_tls_says_nothing_of_it() -> None:
    url, arguments = connecting(PLAIN)
    assert url.render_as_string(hide_password=False) == "postgresql+asyncpg://tidings:secret@db/tidings"
    assert arguments == {}


def test_own_words_of_libpq_leave_the_url_and_others_stay() -> None:
    url, arguments = connecting(f"{PLAIN}?host=/run/postgresql&sslmode=disable")
    assert dict(url.query) == {"host": "/run/postgresql"}
    assert arguments == {"ssl": False}
    assert connecting(f"{PLAIN}?sslmode=prefer")[1] == {"ssl": "prefer"}


@pytest.mark.parametrize(
    ("mode", "verified", "named"),
    [("require", ssl.CERT_NONE, False), ("verify-ca", ssl.CERT_REQUIRED, False), ("verify-full", ssl.CERT_REQUIRED, True)],
)
def test_modes_check_as_much_as_they_say(mode: str, verified: ssl.VerifyMode, named: bool) -> None:
    context = connecting(f"{PLAIN}?sslmode={mode}")[1]["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (verified, named)


def test_certificate_of_an_authority_alone_asks_for_everything(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(authority().certificate)
    context = connecting(f"{PLAIN}?sslrootcert={tmp_path}/ca.pem")[1]["ssl"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("query", ["sslmode=verify-full&sslrootcert=system", "sslrootcert=system"])
def test_whom_the_system_trusts_is_trusted_where_that_is_said(query: str) -> None:
    context = connecting(f"{PLAIN}?{query}")[1]["ssl"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats() == ssl.create_default_context().cert_store_stats()


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sslmode=sometimes", "sslmode=sometimes is none of disable"),
        ("sslrootcert=/nowhere", "cannot be read: No such file"),
        ("sslmode=require&sslrootcert=system", "sslrootcert=system wants sslmode=verify-full"),
    ],
)
def test_what_is_wrong_is_said(query: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        connecting(f"{PLAIN}?{query}")
