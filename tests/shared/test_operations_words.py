"""What the operations pages say: bytes made readable, ids read, figures weighed. No database, no page."""

import json

import pytest

from shared import i18n
from shared.operations.deliveries import ParkedCounts
from shared.operations.figures import FIGURES, figures_shown
from shared.operations.readable import SHOWN_CHARACTERS, Oddity, indented, readable
from shared.operations.story import read_id
from shared.operations.words import say_figure
from shared.watchdog import State

NOTHING = ParkedCounts(waiting=0, behind=0, dead=0)
WELL = {"outbox_unsent": 0, "outbox_age_seconds": 0.0, "lag": 0, "consumer": "idle", "relay_leads": True, "trouble": ""}
UUID = "01a201e0-d554-731b-84e0-fea3c281a47a"


@pytest.mark.parametrize(
    ("value", "text", "oddity"),
    [
        pytest.param(b"Caf\xc3\xa9", "Café", Oddity.NONE, id="text"),
        pytest.param(None, "", Oddity.NULL, id="null"),
        pytest.param(b"", "", Oddity.EMPTY, id="empty"),
        pytest.param(b"a\xff\xfeb", "a\\xff\\xfeb", Oddity.NOT_UTF8, id="not UTF-8"),
        pytest.param(b"a\x00\x1b[31mb", "a\\x00\\x1b[31mb", Oddity.UNSEEN, id="control characters"),
        pytest.param("safe\u202efdp.exe".encode(), "safe\\u202efdp.exe", Oddity.UNSEEN, id="a mark that turns the rest round"),
        pytest.param("a\u200bb".encode(), "a\\u200bb", Oddity.UNSEEN, id="a space without width"),
        pytest.param("مرحبا".encode(), "مرحبا", Oddity.NONE, id="Arabic"),
        pytest.param(b"\xff\x00", "\\xff\\x00", Oddity.NOT_UTF8, id="both"),
        pytest.param(b'{"a":1}', '{\n  "a": 1\n}', Oddity.NONE, id="JSON"),
        pytest.param(b'{"a":1', '{"a":1', Oddity.NONE, id="JSON cut off"),
    ],
)
def test_bytes_are_shown_whole_and_what_is_no_text_by_its_code(value: bytes | None, text: str, oddity: Oddity) -> None:
    read = readable(value)
    assert (read.text, read.oddity, read.size) == (text, oddity, len(value or b""))


def test_indenting_changes_nothing_but_spaces() -> None:
    written = '{"n":1.00000000000000000001,"a":[1,{},[]],"a":"x, {y} \\" \\\\","z":[true,null]}'
    shown = indented(written)
    assert shown is not None
    assert "1.00000000000000000001" in shown
    assert shown.count('"a": ') == 2  # a field that stands twice is a fault worth seeing
    assert json.loads(shown) == json.loads(written)


@pytest.mark.parametrize("depth", [21, 100_000])
def test_json_built_to_be_deep_is_shown_as_it_came(depth: int) -> None:
    written = b"[" * depth + b"]" * depth
    assert readable(written).text == written.decode()[:SHOWN_CHARACTERS]


def test_long_values_are_cut_and_say_so() -> None:
    read = readable(b"x" * (SHOWN_CHARACTERS + 1))
    assert (len(read.text), read.cut, read.size) == (SHOWN_CHARACTERS, True, SHOWN_CHARACTERS + 1)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        pytest.param(UUID, True, id="as written"),
        pytest.param(f"  {UUID.upper()}\n", True, id="pasted"),
        pytest.param(UUID.replace("-", ""), True, id="trace id"),
        pytest.param(f"00-{UUID.replace('-', '')}-84e0fea3c281a47a-01", True, id="traceparent"),
        pytest.param(f"{{{UUID}}}", False, id="in braces"),
        pytest.param(f"urn:uuid:{UUID}", False, id="urn"),
        pytest.param(UUID[:-1], False, id="cut short"),
        pytest.param("practice-1", False, id="a subject"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_an_id_is_read_as_people_paste_it(given: str, understood: bool) -> None:
    assert str(read_id(given)) == (UUID if understood else "None")


def said(figures: dict[str, object], parked: ParkedCounts = NOTHING) -> dict[str, tuple[str, str]]:
    return {figure.name: (str(say_figure(figure, "en").text), figure.tone) for figure in figures_shown(WELL | figures, parked)}


def test_a_service_that_is_well_shows_no_alarm() -> None:
    shown = said({})
    assert tuple(shown) == FIGURES
    assert {tone for _, tone in shown.values()} <= {"good", "neutral"}


@pytest.mark.parametrize(
    ("figures", "name", "text", "tone"),
    [
        pytest.param({"consumer": "stuck"}, "consumer", "stuck", "bad", id="stuck"),
        pytest.param({"consumer": "database-away"}, "consumer", "database away", "bad", id="database away"),
        pytest.param({"consumer": "broker-away"}, "consumer", "Kafka away", "warning", id="Kafka away"),
        pytest.param({"consumer": None, "lag": None}, "lag", "none", "neutral", id="listens to nothing, so no lag"),
        pytest.param({"lag": None}, "lag", "not known", "warning", id="Kafka did not say the lag"),
        pytest.param({"lag": 12345}, "lag", "12,345", "neutral", id="lag"),
        pytest.param({"relay_leads": None}, "relay", "tells nothing", "neutral", id="tells nothing"),
        pytest.param({"relay_leads": False}, "relay", "stands by", "neutral", id="another process leads"),
        pytest.param({"relay_leads": True, "trouble": "x"}, "relay", "paused", "warning", id="relay in trouble"),
        pytest.param({"outbox_unsent": 3, "outbox_age_seconds": 9.4}, "outbox_age", "9 s", "neutral", id="young outbox"),
        pytest.param({"outbox_unsent": 3, "outbox_age_seconds": 600}, "outbox_age", "10 min", "warning", id="late outbox"),
        pytest.param({"outbox_unsent": 3, "outbox_age_seconds": 90_000}, "outbox_age", "25 h", "warning", id="very late outbox"),
    ],
)
def test_a_figure_says_how_to_take_it(figures: dict[str, object], name: str, text: str, tone: str) -> None:
    assert said(figures)[name] == (text, tone)


def test_dead_events_are_the_worst() -> None:
    shown = said({}, ParkedCounts(waiting=1, behind=2, dead=3))
    assert [shown[name] for name in FIGURES[5:8]] == [("1", "warning"), ("2", "warning"), ("3", "bad")]


@pytest.mark.parametrize("state", State)
def test_every_state_of_the_watchdog_has_words_and_a_reason(state: State) -> None:
    figure = figures_shown(WELL | {"consumer": state.value}, NOTHING)[0]
    assert i18n.translate("en", figure.key)
    assert i18n.translate("en", figure.reason_key)
