"""How often one asker may try."""

import pytest

from shared.web.rate import TokenBuckets, asker_of


def test_tries_come_back_one_by_one() -> None:
    at = 0.0
    buckets = TokenBuckets(tries=2, refill_seconds=12, clock=lambda: at)
    buckets.take("a")
    buckets.take("a")
    assert (buckets.wait_seconds("a"), buckets.wait_seconds("b")) == (12, 0)
    at = 11.0
    assert buckets.wait_seconds("a") == 1
    at = 12.0
    assert buckets.wait_seconds("a") == 0
    buckets.take("a")
    assert buckets.wait_seconds("a") == 12
    at = 1000.0
    buckets.take("a")
    buckets.take("a")
    assert buckets.wait_seconds("a") == 12


def test_many_askers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.rate._ASKERS_MAX", 3)
    buckets = TokenBuckets(tries=1, refill_seconds=12, clock=lambda: 0.0)
    for asker in "abcd":
        buckets.take(asker)
    assert [buckets.wait_seconds(asker) for asker in "abcd"] == [0, 12, 12, 12]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2::99", True),
        ("2001:db8:1:2::4", "2001:db8:1:3::4", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_asker_is_an_address_or_one_customers_network(one: str, other: str, same: bool) -> None:
    assert (asker_of(one) == asker_of(other)) is same
