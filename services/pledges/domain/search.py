"""Words that are looked for, brought into the form in which the database keeps those of a pledge (`search_words`). No I/O.

Letters of one kind are one: capitals and small ones, with accents and without; the alefs and yehs of Arabic, its vowel signs left out;
full-width and half-width. Chinese has no spaces, so each of its characters is a word, and several stand side by side as they were
written. The database's function does the same in the same order: a test compares the two.
"""

import re
import unicodedata

WORDS_MAX = 12
# Shorter ones would find too much by their beginning alone.
PREFIX_CHARACTERS = 3

MARKS = r"[\u00ad\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
NO_LETTER = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f"
    r"\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f]"
)
ALIKE = ("ىةٱ٠١٢٣٤٥٦٧٨٩", "يها0123456789")
"""Letters and digits that readers of Arabic take for one another, and what stands for them."""

_ARTICLE = "ال"


def folded(text: str) -> str:
    """Return the words of a text in the form in which they are compared, with a space between any two."""
    plain = re.sub(MARKS, "", unicodedata.normalize("NFKD", text.lower())).translate(str.maketrans(*ALIKE))
    return " ".join(re.sub(NO_LETTER, " ", plain.replace("\0", " ")).split())


def has_words(text: str) -> bool:
    """Say whether there is anything to look for."""
    return bool(folded(text))


def tsquery_of(text: str) -> str:
    """Return what `to_tsquery('simple', …)` takes: every word is to be there, longer ones by their beginning."""
    terms = [term for word in folded(text).split() for term in re.findall(rf"{HAN}+|(?:(?!{HAN}).)+", word)]
    return " & ".join(_term(term) for term in terms[:WORDS_MAX])


def _term(term: str) -> str:
    if re.fullmatch(rf"{HAN}+", term):
        return "(" + " <-> ".join(f"'{character}'" for character in term) + ")"
    if term.startswith(_ARTICLE) and len(term) > len(_ARTICLE) + PREFIX_CHARACTERS - 1:
        term = term.removeprefix(_ARTICLE)
    if re.fullmatch(r"[\u0600-\u06ff]+", term):  # with the article or without
        return f"({_beginning(term)} | {_beginning(_ARTICLE + term)})"
    return _beginning(term)


def _beginning(word: str) -> str:
    return f"'{word}':*" if len(word) >= PREFIX_CHARACTERS else f"'{word}'"
