"""X's weighted length of a text, by configuration 3 of twitter-text: what X itself counts before it takes a post."""

import unicodedata

import regex

from services.social.networks.x.urls import links

LIMIT = 280
LINK = 23  # whatever its length: X puts its own short address in its place
EMOJI = 2  # whatever it is joined from

# Characters that count 1 where all others count 2: Latin, Greek, Cyrillic, Arabic, and most others that are not ideographs.
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))

# An emoji as UTS #51 (section 1.4.9) lets it be joined: keycap, or base with skin tone, presentation or tags; such parts by joiners.
# Written by property, so that the emoji of next year count right as soon as the `regex` package knows them.
_PART = (
    r"(?:[0-9#*]\uFE0F?\u20E3"
    r"|(?![0-9#*])\p{Emoji}(?:\p{Emoji_Modifier}|\uFE0F\u20E3?)?(?:[\U000E0020-\U000E007E]+\U000E007F)?)"
)
_EMOJI = regex.compile(rf"\p{{Regional_Indicator}}{{2}}|{_PART}(?:\u200D{_PART})*")


def weighted_length(text: str) -> int:
    """Return how many of the 280 a text takes."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    length = position = 0
    for start, end in links(text):
        length += _without_links(text[position:start]) + LINK
        position = end
    return length + _without_links(text[position:])


def _without_links(text: str) -> int:
    length = position = 0
    for emoji in _EMOJI.finditer(text):
        length += _characters(text[position : emoji.start()]) + EMOJI
        position = emoji.end()
    return length + _characters(text[position:])


def _characters(text: str) -> int:
    return sum(1 if any(first <= ord(one) <= last for first, last in _LIGHT) else 2 for one in text)
