"""Templates, code and catalogues agree: every key has its sentence, every sentence its use, every key four languages."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from shared.i18n import LANGUAGES, LOCALES, fill, read_catalogue

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
NEVER_ONE = {"problem.too-large.detail", "staff.odd.cut"}
"""Sentences that count what is never one: bytes, in thousands."""
COUNTED = re.compile(r"\{n\} (?!(?:of|are|s|min|h)\b)[a-z]")
"""A number and what it counts; units that are written short do not change with the number."""
ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")
TURNED_ROUND = re.compile(r"(?<![A-Za-z0-9] )(?<![\w.:/-])\d+[-/+]\d|://(?!\w)|(?<!\w)[-+_/@#]\w|[A-Za-z0-9]_(?!\w)")
"""What reads wrong between Arabic words (UAX #9): numbers that a hyphen joins, and a sign before or after a Latin word."""
# Functions whose first or second argument is a key.
TRANSLATING = {"t", "translate", "look_up", "PydanticCustomError"}


@cache
def catalogue(language: str) -> Catalog:
    return read_catalogue(language)


def messages(language: str) -> dict[str, Message]:
    return {identifier_of(message): message for message in catalogue(language) if message.id}


def identifier_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def sentences_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def pattern(parts: list[str | None]) -> str:
    """Return a pattern of the keys that these parts can make; None stands for what is only known at run time."""
    return "".join(r"[a-z0-9_-]+" if part is None else re.escape(part) for part in parts)


class Uses:
    """Keys that code and templates name: certainly meant as keys (`needed`), and possibly (`literals`, `patterns`)."""

    def __init__(self) -> None:
        self.needed: dict[str, str] = {}
        self.literals: set[str] = set()
        self.patterns: dict[str, str] = {}
        self.endings: set[str] = set()  # put behind a key that is named elsewhere: `key ~ ".what"`

    def uses(self, key: str) -> bool:
        return (
            key in self.literals
            or any(re.fullmatch(pattern, key) for pattern in self.patterns)
            or any(key.endswith(ending) and key.removesuffix(ending) in self.literals for ending in self.endings)
        )

    def read_template(self, path: Path) -> None:
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        self.literals.update(node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str))
        for concat in tree.find_all(nodes.Concat):
            self._made_of([str(node.value) if isinstance(node, nodes.Const) else None for node in concat.nodes], path)
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args and isinstance(call.args[0], nodes.Const):
                self.needed[call.args[0].value] = path.name

    def read_code(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        slugs = path.parts[-2:] == ("web", "problem.py")
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.literals.add(node.value)
            elif isinstance(node, ast.JoinedStr) and not slugs:  # there, keys are made of slugs, which are literals elsewhere
                self._made_of([str(part.value) if isinstance(part, ast.Constant) else None for part in node.values], path)
            elif isinstance(node, ast.Call):
                self._read_call(node, path)

    def _made_of(self, parts: list[str | None], path: Path) -> None:
        first = parts[0]
        if first is not None and re.fullmatch(r"([a-z0-9_-]+\.)+", first):
            self.patterns[pattern(parts)] = path.name
        if len(parts) == 2 and first is None and parts[1] is not None and re.fullmatch(r"(\.[a-z0-9_-]+)+", parts[1]):
            self.endings.add(parts[1])

    def _read_call(self, call: ast.Call, path: Path) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
        words = [argument.value if isinstance(argument, ast.Constant) else None for argument in call.args]
        if name in TRANSLATING:
            self.needed.update({word: path.name for word in words[:2] if isinstance(word, str) and KEY.fullmatch(word)})
        if isinstance(words[0] if words else None, int) and len(words) > 1 and isinstance(words[1], str):
            self._read_problem(name, [str(word or "") for word in words], path)
        for keyword in call.keywords:
            if keyword.arg and (keyword.arg == "key" or keyword.arg.endswith("_key")) and isinstance(keyword.value, ast.Constant):
                word = keyword.value.value
                if isinstance(word, str) and KEY.fullmatch(word):
                    self.needed[word] = path.name

    def _read_problem(self, name: str, words: list[str], path: Path) -> None:
        if name not in {"Problem", "__init__"}:
            return
        _, slug, title, detail = (*words, "", "")[:4]
        self.needed[title or f"problem.{slug}.title"] = path.name
        self.needed[detail or f"problem.{slug}.detail"] = path.name


@cache
def found_uses() -> Uses:
    uses = Uses()
    for folder in ("shared", "services"):
        for path in sorted((ROOT / folder).rglob("*.html")) + sorted((ROOT / folder).rglob("*.txt")):
            if "templates" in path.parts:
                uses.read_template(path)
        for path in sorted((ROOT / folder).rglob("*.py")):
            uses.read_code(path)
    uses.literals.update(uses.needed)
    for word in list(uses.literals):
        uses.literals.update({f"problem.{word}.title", f"problem.{word}.detail"})
    return uses


def test_every_key_that_is_named_has_an_english_sentence() -> None:
    known = messages("en")
    assert {key: place for key, place in found_uses().needed.items() if key not in known} == {}


def test_every_key_made_at_run_time_can_have_a_sentence() -> None:
    known = messages("en")
    sections = {key.partition(".")[0] for key in known}
    # Code makes other dotted names too, of consumer groups and loggers: those begin with no section of the catalogue.
    made = {pattern: place for pattern, place in found_uses().patterns.items() if pattern.partition("\\")[0] in sections}
    assert {pattern: place for pattern, place in made.items() if not any(re.fullmatch(pattern, key) for key in known)} == {}


def test_every_sentence_is_used() -> None:
    assert [key for key in messages("en") if not found_uses().uses(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_whole_in_every_language(language: str) -> None:
    known = messages(language)
    assert [key for key in messages("en") if key not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_a_key_that_english_lacks(language: str) -> None:
    assert set(messages(language)) - set(messages("en")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice(language: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (LOCALES / language).glob("*.po"))
    counted = Counter(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_whole_reviewed_and_have_the_places_of_the_english_ones(language: str) -> None:
    assert list(_faults(language)) == []


def _faults(language: str) -> Iterator[str]:
    english = messages("en")
    for key, message in messages(language).items():
        sentences = sentences_of(message)
        if message.fuzzy or not all(sentences):
            yield f"{key}: empty or fuzzy"
        if message.pluralizable != english[key].pluralizable:
            yield f"{key}: counts in one language and not in the other"
        if message.pluralizable and len(sentences) != catalogue(language).num_plurals:
            yield f"{key}: {len(sentences)} plural forms of {catalogue(language).num_plurals}"
        named = set[str]().union(*map(places, sentences))
        wanted = set[str]().union(*map(places, sentences_of(english[key])))
        if named != wanted:
            yield f"{key}: places {sorted(named)}, in English {sorted(wanted)}"


def test_english_sentences_that_count_have_a_singular() -> None:
    counting = {key for key, message in messages("en").items() if not message.pluralizable and COUNTED.search(str(message.string))}
    assert counting - NEVER_ONE == set()


@pytest.mark.parametrize("value", ["IOM (Geneva)", "2031-02-03", "/data/0", "+09:30", "/"])
def test_what_fills_a_place_of_an_arabic_sentence_stands_in_isolates_once(value: str) -> None:
    for key, message in messages("ar").items():
        for sentence in sentences_of(message):
            # Numbers are left out: bare digits read the same both ways, and a count gets the language's separators.
            named = [name for _, name, _, _ in Formatter().parse(sentence) if name not in {None, "n"}]
            filled = fill(sentence, "ar", {"n": 3} | dict.fromkeys(places(sentence) - {"n"}, value))
            assert filled.count(f"\u2068{value}\u2069") == len(named), key
            assert "\u2068\u2068" not in filled, key


def test_what_an_arabic_sentence_itself_writes_in_latin_or_digits_is_not_turned_round() -> None:
    bare = {key: ISOLATED.sub("", sentence) for key, message in messages("ar").items() for sentence in sentences_of(message)}
    assert {key: sentence for key, sentence in bare.items() if TURNED_ROUND.search(sentence)} == {}
