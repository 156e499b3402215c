"""What a mail looks like. Mail programs read styles from the element alone, so each has its own; colours turn at night by their class.

Distances and alignment are given by side, chosen by the direction of the text: Outlook does not know start and end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from shared.i18n import Direction

# Width of the sheet, and of a picture on it, in pixels.
SHEET = 600
MARGIN = 32
PICTURE = SHEET - 2 * MARGIN


@dataclass(frozen=True, kw_only=True)
class Colour:
    """One colour, by day and by night."""

    sets: str  # the property
    day: str
    night: str


COLOURS: Mapping[str, Colour] = {
    "desk": Colour(sets="background-color", day="#eef2f5", night="#0a1016"),
    "sheet": Colour(sets="background-color", day="#ffffff", night="#15202a"),
    "band": Colour(sets="background-color", day="#00466e", night="#0d3048"),
    "on-band": Colour(sets="color", day="#ffffff", night="#ffffff"),
    "on-band-quiet": Colour(sets="color", day="#d6e8f4", night="#c3dcec"),
    "ink": Colour(sets="color", day="#16232e", night="#e6ecf1"),
    "quiet": Colour(sets="color", day="#4a5b68", night="#aebbc6"),
    "link": Colour(sets="color", day="#005b8f", night="#8accf4"),
    "line": Colour(sets="border-color", day="#d3dbe1", night="#33424f"),
    "rule": Colour(sets="border-color", day="#00629b", night="#5aaee0"),
    "fill": Colour(sets="background-color", day="#00629b", night="#8accf4"),
    "on-fill": Colour(sets="color", day="#ffffff", night="#062231"),
    "wash": Colour(sets="background-color", day="#f6f8fa", night="#111a22"),
}

_FONT = (
    "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','Noto Sans Arabic','PingFang SC','Microsoft YaHei',"
    "Tahoma,Arial,sans-serif"
)
_TEXT = "font-size:16px;line-height:1.6"
_SMALL = "font-size:14px;line-height:1.6"

# Name: its colours, and its other styles; {start} and {end} are sides.
_LOOKS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "body": (("desk",), "margin:0;padding:0;-webkit-text-size-adjust:100%"),
    "desk": (("desk",), f"{_FONT};text-align:{{start}}"),
    "sheet": (("sheet", "ink"), f"max-width:{SHEET}px;margin:0 auto"),
    "above": (("ink",), f"{_SMALL};padding:12px {MARGIN}px"),
    "band": (("band", "on-band"), f"padding:28px {MARGIN}px 32px"),
    "network": (("on-band-quiet",), "margin:0 0 8px;font-size:15px;line-height:1.5"),
    "h1": (("on-band",), "margin:0;font-size:28px;line-height:1.3;font-weight:700"),
    "number": (("on-band-quiet",), "margin:12px 0 0;font-size:15px;line-height:1.5"),
    "inside": ((), f"padding:32px {MARGIN}px 8px"),
    "h2": (("ink",), "margin:8px 0 16px;font-size:22px;line-height:1.35;font-weight:700"),
    "h3": (("ink",), "margin:8px 0 12px;font-size:18px;line-height:1.4;font-weight:700"),
    "h4": (("ink",), "margin:8px 0 12px;font-size:16px;line-height:1.5;font-weight:700"),
    "group": (("link", "rule"), "margin:8px 0 20px;padding:0 0 6px;border-bottom:2px solid;font-size:16px;line-height:1.5;font-weight:700"),
    "item": (("line",), "margin:0 0 28px;padding-{start}:16px;border-{start}:3px solid"),
    "source": (("quiet",), "margin:0 0 2px;font-size:14px;line-height:1.5"),
    "when": (("ink",), "margin:0 0 2px;font-size:15px;line-height:1.5;font-weight:700"),
    "title": (("ink",), "margin:0 0 8px;font-size:18px;line-height:1.4;font-weight:700"),
    "whose": (("quiet",), f"margin:0;{_SMALL}"),
    "p": (("ink",), f"margin:0 0 16px;{_TEXT}"),
    "ul": (("ink",), f"margin:0 0 16px;padding:0;padding-{{start}}:24px;{_TEXT}"),
    "ol": (("ink",), f"margin:0 0 16px;padding:0;padding-{{start}}:24px;{_TEXT}"),
    "li": ((), "margin:0 0 6px"),
    "blockquote": (("quiet", "line"), "margin:0 0 16px;padding-{start}:16px;border-{start}:3px solid"),
    "a": (("link",), "text-decoration:underline"),
    "fill": (("fill",), "border-radius:4px"),
    "button": (("on-fill",), "display:inline-block;padding:12px 24px;font-size:16px;line-height:1.4;font-weight:700;text-decoration:none"),
    "picture": ((), f"display:block;width:100%;max-width:{PICTURE}px;height:auto;border:0"),
    "caption": (("quiet",), f"margin:8px 0 0;{_SMALL}"),
    "divider": (("line",), "margin:32px 0;border:0;border-top:1px solid"),
    "foot": (("wash", "quiet"), f"padding:24px {MARGIN}px 32px"),
    "small": (("quiet",), f"margin:0 0 12px;{_SMALL}"),
}
# Mail programs that know it show no more of these than people of the page: what is hidden, and what keeps the next text out of the list.
HIDDEN = Markup("display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all")
_SIDES: Mapping[Direction, Mapping[str, str]] = {"ltr": {"start": "left", "end": "right"}, "rtl": {"start": "right", "end": "left"}}


_SIDES_NARROW = frozenset({"above", "band", "inside", "foot"})  # on a telephone


@dataclass(frozen=True)
class Look:
    """The looks of a mail that runs in one direction."""

    direction: Direction

    def __call__(self, name: str, direction: Direction | None = None) -> Markup:
        """Return `class` and `style` for an element; `direction` is that of its text where it is another than the mail's."""
        colours, styles = _LOOKS[name]
        runs = direction or self.direction
        parts = [f"{COLOURS[colour].sets}:{COLOURS[colour].day}" for colour in colours if COLOURS[colour].sets != "border-color"]
        parts += [styles.format(**_SIDES[runs])] if styles else []
        # Behind the border, whose shorthand would put it back.
        parts += [f"border-color:{COLOURS[colour].day}" for colour in colours if COLOURS[colour].sets == "border-color"]
        if runs != self.direction:
            parts.append(f"text-align:{_SIDES[runs]['start']}")
        named = [*colours, "side"] if name in _SIDES_NARROW else colours
        classes = f'class="{" ".join(named)}" ' if named else ""
        return Markup(f'{classes}style="{";".join(parts)}"')  # noqa: S704  # all of it stands above

    def of_writing(self, direction: Direction) -> Mapping[str, str]:
        """Return the looks of what people write, for `writing.html`."""
        return {name: self(name, direction) for name in ("p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "a")}


def night() -> Markup:
    """Return the rules that turn the colours where the reader's system is dark."""
    rules = "".join(f".{name}{{{colour.sets}:{colour.night}!important}}" for name, colour in COLOURS.items())
    return Markup("@media (prefers-color-scheme:dark){{{}}}").format(Markup(rules))  # noqa: S704  # all of it stands above
