"""Bars that lie: one a figure, with its label above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

LINE = 20  # pixels from one line of text to the next
BAR = 14
GAP = 10  # below each bar
FALL = 3  # between a label and its bar: letters hang below their line
LONGEST = 86.0  # per cent of the breadth: the number stands behind the bar
# More do not stand beside one another on the narrowest screen (360 px).
LABEL_CHARACTERS = 38


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar with its label."""

    code: str
    lines: tuple[str, ...]  # of the label
    value: int
    label_at: int  # pixels from the top, of the label's first line
    y: int  # of the bar's upper edge
    x: float  # per cent from the left, of the bar's left edge
    width: float  # per cent
    number_x: float  # per cent from the left, where the number begins, as the page is read


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A whole chart."""

    height: int  # pixels
    bars: tuple[Bar, ...]


def bars(figures: Sequence[tuple[str, str, int]], *, mirrored: bool = False) -> Bars:
    """Return a chart of code, label and value; the longest bar stands for the largest value. `mirrored` begins at the right."""
    most = max((value for _, _, value in figures), default=0)
    placed, top = [], 0
    for code, label, value in figures:
        lines = tuple(wrap(label, LABEL_CHARACTERS)) or ("",)
        width = round(LONGEST * value / most, 3) if most else 0.0
        y = top + len(lines) * LINE + FALL
        placed.append(
            Bar(
                code=code,
                lines=lines,
                value=value,
                label_at=top + LINE - 5,
                y=y,
                x=round(100 - width, 3) if mirrored else 0.0,
                width=width,
                number_x=round(100 - width, 3) if mirrored else width,
            )
        )
        top = y + BAR + GAP
    return Bars(height=max(top, 1), bars=tuple(placed))
