"""The look: colours with enough contrast by day and by night, sheets that mirror by themselves, colours in one place."""

import re
from itertools import product

import pytest

from shared.web import assets

SHEETS = {path.name: path.read_text(encoding="utf-8") for path in sorted(assets.STATIC.glob("*.css"))}
INK_ON_PAPER = [
    *product(("ink", "quiet", "link", "link-strong"), ("paper", "surface", "wash", "chosen")),
    *product(("bad-ink",), ("paper", "surface", "wash")),
    *product(("on-band", "band-quiet"), ("band",)),
    ("on-accent", "accent"),
    ("on-danger", "danger"),
    *((f"{tone}-ink", f"{tone}-paper") for tone in ("neutral", "info", "good", "warning", "bad")),
]
"""Texts on their grounds: at least 4.5 (WCAG 2.2, 1.4.3)."""
EDGES = [
    *product(("edge", "focus", "accent", "danger"), ("paper", "surface", "wash")),
    ("band-focus", "band"),
    *product(("focus",), [f"{tone}-paper" for tone in ("neutral", "info", "good", "warning", "bad")]),
]
"""What shows where something is: at least 3 (WCAG 2.2, 1.4.11)."""
PHYSICAL = re.compile(
    r"^\s*(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)\b|(?:left|right|top|bottom|width|height"
    r"|(?:min|max)-(?:width|height)):|(?:text-align|float|clear): (?:left|right)|border-(?:top|bottom)-(?:left|right)-radius).*$",
    re.MULTILINE,
)
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(|: (?:white|black|red|gray|grey)\b", re.IGNORECASE)


def palette(scheme: str) -> dict[str, str]:
    day = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", SHEETS["tokens.css"]))
    return day if scheme == "light" else day | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", SHEETS["dark.css"]))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(scheme: str) -> None:
    colours = palette(scheme)
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pairs, least in ((INK_ON_PAPER, 4.5), (EDGES, 3.0))
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < least
    }
    assert weak == {}


def test_day_and_night_have_the_same_colours() -> None:
    day, night = [set(re.findall(r"--([\w-]+): #", SHEETS[name])) for name in ("tokens.css", "dark.css")]
    assert day == night
    assert day


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_mirror_by_themselves(name: str) -> None:
    assert PHYSICAL.findall(SHEETS[name]) == []


@pytest.mark.parametrize("name", sorted(set(SHEETS) - {"tokens.css", "dark.css"}))
def test_colours_are_named_and_never_written_where_they_are_used(name: str) -> None:
    on_paper = re.sub(r"@media print \{\s*:root \{.*?\}", "", SHEETS[name], flags=re.DOTALL)
    assert COLOUR.findall(on_paper) == []


@pytest.mark.parametrize("name", SHEETS)
def test_every_value_that_is_used_is_given_somewhere(name: str) -> None:
    given = set(re.findall(r"(--[\w-]+):", "".join(SHEETS.values())))
    assert set(re.findall(r"var\((--[\w-]+)", SHEETS[name])) - given == set()


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_foreign_is_loaded(name: str) -> None:
    assert re.findall(r"url\(|@import|@font-face", SHEETS[name]) == []


@pytest.mark.parametrize("name", SHEETS)
def test_every_rule_is_closed(name: str) -> None:
    # One that is left open swallows all that follow, and no browser complains.
    sheet = re.sub(r"/\*.*?\*/", "", SHEETS[name], flags=re.DOTALL)
    assert sheet.count("{") == sheet.count("}")
