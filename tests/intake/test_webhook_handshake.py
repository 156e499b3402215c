"""The CloudEvents handshake is answered by the specification, and nothing of the asker's choosing gets into our headers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.webhooks.handshake import answer
from services.intake.webhooks.problem import Reason, Refusal


def test_grants_the_origin_that_asks_at_its_own_rate() -> None:
    headers = [(b"WebHook-Request-Origin", b"eventemitter.example.com"), (b"webhook-request-rate", b"60")]
    assert answer(headers, max_rate_per_minute=120) == {
        "Allow": "POST, OPTIONS",
        "WebHook-Allowed-Origin": "eventemitter.example.com",
        "WebHook-Allowed-Rate": "60",
    }


def test_grants_no_more_than_our_rate() -> None:
    for asked in ([], [(b"webhook-request-rate", b"121")]):
        granted = answer([(b"webhook-request-origin", b"example.org"), *asked], max_rate_per_minute=120)
        assert not isinstance(granted, Refusal)
        assert granted["WebHook-Allowed-Rate"] == "120"


def test_options_without_an_origin_is_no_handshake() -> None:
    assert answer([(b"webhook-request-callback", b"http://169.254.169.254/")], max_rate_per_minute=9) == {"Allow": "POST, OPTIONS"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"webhook-request-origin", b"https://example.org/"),
        (b"webhook-request-origin", b"example.org\r\nSet-Cookie: a=b"),
        (b"webhook-request-origin", b"*"),
        (b"webhook-request-origin", b"a" * 64),
        (b"webhook-request-origin", b"a." * 127 + b"a"),
        (b"webhook-request-origin", "exämple.org".encode()),
        (b"webhook-request-origin", b"-example.org"),
        (b"webhook-request-rate", b"0"),
        (b"webhook-request-rate", b"-5"),
        (b"webhook-request-rate", b"1e3"),
        (b"webhook-request-rate", b"9" * 5000),
    ],
)
def test_a_malformed_handshake_is_refused_by_its_header(name: bytes, value: bytes) -> None:
    headers = {b"webhook-request-origin": b"example.org", name: value}
    refusal = answer(list(headers.items()), max_rate_per_minute=120)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.params) == (Reason.HANDSHAKE_MALFORMED, {"header": name.decode()})


def test_two_origins_are_refused() -> None:
    refusal = answer([(b"webhook-request-origin", b"a.org"), (b"webhook-request-origin", b"b.org")], max_rate_per_minute=1)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.HEADER_REPEATED


@given(origin=st.binary(max_size=300), rate=st.binary(max_size=12))
@settings(deadline=None)
def test_whatever_is_asked_the_answer_is_clean(origin: bytes, rate: bytes) -> None:
    granted = answer([(b"webhook-request-origin", origin), (b"webhook-request-rate", rate)], max_rate_per_minute=120)
    if not isinstance(granted, Refusal):
        assert all(value.isascii() and value.isprintable() for value in granted.values())
