"""X's weighted length, by the rules that twitter-text publishes (configuration 3); its own cases give the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.social.networks.x.counting import LIMIT, weighted_length

ROOT = Path(__file__).parents[2]
LONG = "a" * 60 + "."


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("Safe migration", 14, id="Latin counts 1"),
        pytest.param("Миграция", 8, id="Cyrillic counts 1"),
        pytest.param("الهجرة", 6, id="Arabic counts 1"),
        pytest.param("安全移民", 8, id="Chinese counts 2"),
        pytest.param("“quoted” – and…", 16, id="quotation marks and dashes 1, the ellipsis 2"),
        pytest.param("e\u0301", 1, id="composed before it is counted"),
        pytest.param("one\r\ntwo", 7, id="the end of a line 1, as browsers send it"),
        pytest.param("see https://example.org/" + "a" * 200, 4 + 23, id="a long link counts 23"),
        pytest.param("http://a.fr", 23, id="and so does a short one"),
        pytest.param("see un.org for more", 4 + 23 + 9, id="a link without a scheme"),
        pytest.param("see report.pdfx", 15, id="no link without a top-level domain"),
        pytest.param("mail a@un.org", 13, id="a mail address is no link"),
        pytest.param("(https://un.org/en).", 1 + 23 + 2, id="brackets and full stop are outside the link"),
        pytest.param("https://un.org/a https://un.org/b", 23 + 1 + 23, id="each link"),
        pytest.param("https://例え.jp/x", 23, id="a link in another script"),
        pytest.param("https://t.co/abc123défg", 23 + 3, id="X's own links end where their letters end"),
        pytest.param("12 #1 *", 7, id="digits, hash and star are no emoji"),
        pytest.param("1️⃣ #️⃣", 5, id="keycaps are"),
        pytest.param("©", 2, id="a sign that may be an emoji counts as one"),
        pytest.param("👍🏽", 2, id="skin tone"),
        pytest.param("👨‍👩‍👧‍👦", 2, id="family"),
        pytest.param("🇨🇭🇫🇷", 4, id="two flags"),
        pytest.param("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 2, id="a flag by tags"),
        pytest.param("🇨", 2, id="half a flag"),
        pytest.param("👍👍", 4, id="two emoji side by side"),
        pytest.param("❤️‍🔥", 2, id="heart on fire (2020)"),
        pytest.param("🏳️‍⚧️", 2, id="transgender flag (2020)"),
        pytest.param("🫱🏻‍🫲🏿", 2, id="handshake of two skin tones (2021)"),
        pytest.param("🧑🏽‍⚕️", 2, id="health worker with skin tone (2019)"),
        pytest.param("🫠", 2, id="melting face (2021)"),
        pytest.param("🫨", 2, id="shaking face (2022)"),
        pytest.param("🙂‍↔️", 2, id="head shaking (2023)"),
        pytest.param("🐦‍🔥", 2, id="phoenix (2023)"),
        pytest.param("🫩", 2, id="face with bags under eyes (2024)"),
        pytest.param("🇨🇶", 2, id="flag of Sark (2024)"),
    ],
)
def test_counts_as_x_does(text: str, length: int) -> None:
    assert weighted_length(text) == length


def test_a_text_at_the_limit_and_one_above() -> None:
    words = (LONG * 10)[: LIMIT - 24]
    assert weighted_length(f"{words} https://tidings.example.org/practices/one") == LIMIT
    assert weighted_length("移" * 140) == LIMIT
    assert weighted_length("移" * 140 + "a") == LIMIT + 1


def test_counting_needs_nothing_that_newer_pythons_lack() -> None:
    # The package that finds links reads a table by pkg_resources when it is imported whole; Python has none from 3.12 on.
    count = "from services.social.networks.x.counting import weighted_length; print(weighted_length('see un.org'))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['pkg_resources'] = None; {count}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("27\n", "")
