"""An issue as a mail: read back by a parser that did not write it, in every language, and never more than mail programs take."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.newsletter.compose.blocks import Block, Button, Divider, Heading, Item, Passage, Picture
from services.newsletter.compose.edition import Edition, NowhereWrittenError, said
from services.newsletter.compose.look import COLOURS
from services.newsletter.compose.plain import FOOT, columns
from services.newsletter.compose.variants import LEAVE, MOST_BYTES, Variant, preview, variant, variants, weight
from shared.approval.content import digest, fingerprint
from shared.events.codes import LANGUAGES, Language, Level, SourceKind
from shared.i18n import direction, translate
from shared.mail.bodies import slot
from shared.mail.message import Content, prepare
from tests.newsletter.editions import BLOCKS, EDITION, of_many_items
from tests.newsletter.test_copies import OUTGOING
from tests.shared.web_app import Page

ROOT = Path(__file__).parents[2]
VARIANTS: Mapping[str, Variant] = variants(EDITION)
OF_EACH = pytest.mark.parametrize("language", LANGUAGES)


class Mail(Page):
    """A mail's markup with the language and direction that each text of it stands in, as programs hear them."""

    def __init__(self, text: str) -> None:
        self.said: list[tuple[str, str, str]] = []  # text, language, direction
        self.headings: list[tuple[int, str]] = []
        self.placed: list[tuple[Mapping[str, str], str]] = []  # attributes of an element, and its direction
        self._within: list[tuple[str, str]] = [("", "")]
        super().__init__(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        given = dict(attrs)
        here = (given.get("lang", self._within[-1][0]) or "", given.get("dir", self._within[-1][1]) or "")
        self.placed.append((self.elements[-1][1], here[1]))
        if "alt" in given:
            self.said.append((given["alt"] or "", *here))
        if tag not in self.VOID:
            self._within.append(here)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        self._within.pop()

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if data.strip() and "head" not in self._open:
            self.said.append((data.strip(), *self._within[-1]))
        if any(re.fullmatch("h[1-6]", tag) for tag in self._open):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data.strip())


def edition(*blocks: Block, **changed: Any) -> Edition:
    return replace(EDITION, **{"blocks": blocks, "languages": ("en",), **changed})


def texts(block: Block) -> Iterator[Mapping[Language, str]]:
    for name in ("title", "summary", "label", "alternative", "caption"):
        if found := getattr(block, name, None):
            yield found


def words_of(attributes: Mapping[str, str]) -> str:
    return attributes.get("style", "")


@OF_EACH
def test_mail_is_whole_markup_and_says_its_language_and_direction_thrice(language: Language) -> None:
    page = Mail(VARIANTS[language]["html"])
    assert page.faults == []
    runs = direction(language)
    (html,), article = page.all("html"), page.all("div")[0]
    assert (html["lang"], html["dir"]) == (article["lang"], article["dir"]) == (language, runs)
    assert article["role"] == "article"
    assert f'<td dir="{runs}">' in VARIANTS[language]["html"]  # in Outlook's own table
    assert ("<title>" + VARIANTS[language]["subject"]) in VARIANTS[language]["html"]


@OF_EACH
@pytest.mark.parametrize("form", ["html", "web"])
def test_every_text_stands_in_its_own_language_and_none_lacks(language: Language, form: str) -> None:
    page = Mail(
        f'<div lang="{language}" dir="{direction(language)}">{VARIANTS[language][form]}</div>'
        if form == "web"
        else VARIANTS[language][form]
    )
    heard = {text: (lang, runs) for text, lang, runs in page.said}
    for block in BLOCKS:
        for texts_ in texts(block):
            shown = said(texts_, language)
            assert shown is not None
            found = [where for text, where in heard.items() if shown.text.partition("**")[0].strip() in text]
            assert found, shown.text
            assert (shown.language, direction(shown.language)) in found, (shown.text, found)
    for text, lang, runs in page.said:
        if lang:
            assert runs == direction(lang), text
        else:
            assert (text, runs) in {(block.entity, "auto") for block in BLOCKS if isinstance(block, Item)}


def test_issue_lacks_something_in_most_languages_so_that_this_proves_something() -> None:
    items = [block for block in BLOCKS if isinstance(block, Item)]
    assert all(any(language not in item.title for item in items) for language in LANGUAGES)


@OF_EACH
def test_all_that_has_sides_has_them_as_its_text_runs(language: Language) -> None:
    sides = [
        (runs, side)
        for attributes, runs in Mail(VARIANTS[language]["html"]).placed
        for side in re.findall(r"(?:text-align|padding|border)[-:](left|right)\b", words_of(attributes))
    ]
    assert len(sides) > 8
    assert set(sides) <= {("ltr", "left"), ("rtl", "right")}


def test_text_that_stands_in_starts_on_its_own_side() -> None:
    titles = [attributes for attributes in Mail(VARIANTS["ar"]["html"]).all("h4") if attributes.get("lang") in {"en", "fr"}]
    assert len(titles) == 2
    assert all("text-align:left" in words_of(attributes) for attributes in titles)


@OF_EACH
@pytest.mark.parametrize("form", ["html", "web"])
def test_headings_are_in_order_and_items_in_groups_from_global_to_national(language: Language, form: str) -> None:
    page = Mail(VARIANTS[language][form])
    levels = [level for level, _ in page.headings]
    assert levels[0] == (1 if form == "html" else 2)
    assert levels.count(1) == (form == "html")
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    names = [words for _, words in page.headings]
    groups = [translate(language, f"newsletter.mail.level.{level}") for level in Level]
    assert [name for name in names if name in groups] == groups


def test_groups_begin_anew_where_something_else_stands_between() -> None:
    national, global_ = (replace(BLOCKS[3], id=f"n{at}") for at in range(2)), replace(BLOCKS[4], id="g")
    first, second = national
    page = Mail(variant(edition(first, Heading(id="x", title={"en": "Then"}), global_, second), "en")["html"])
    names = [words for _, words in page.headings]
    assert names.index("National") < names.index("Then") < names.index("Global") < len(names) - 1 - names[::-1].index("National")


@pytest.mark.parametrize("form", ["html", "web"])
def test_heading_within_a_text_stands_below_that_of_its_section_until_a_line_ends_it(form: str) -> None:
    def small(name: str) -> Passage:
        return Passage(id=name, text={"en": f"# {name}"})

    blocks = (small("a"), Heading(id="h", title={"en": "H"}), small("b"), small("c"), Divider(id="d"), small("e"))
    page = Mail(variant(edition(*blocks), "en")[form])
    assert [heading for heading in page.headings if heading[0] > 1] == [(2, "a"), (2, "H"), (3, "b"), (3, "c"), (2, "e")]


@OF_EACH
def test_mail_has_what_every_reader_needs(language: Language) -> None:
    made = VARIANTS[language]
    page = Mail(made["html"])
    ways = {attributes.get("href") for attributes in page.all("a")}
    assert {slot(LEAVE), f"{EDITION.public_url}/newsletter/archive/7?lang={language}"} <= ways
    for key in ("web", "why", "leave", "identity", "network"):
        for form in ("html", "text"):
            sentence = translate(language, f"newsletter.mail.{key}")
            told = page.text if form == "html" else made["text"]
            assert re.sub(r"\s", "", sentence) in re.sub(r"[\s\u200f]", "", told), (key, form)
    assert made["text"].count(slot(LEAVE)) == 1
    for attributes in page.all("img"):
        assert attributes["alt"]
        assert int(attributes["width"]) <= 536


@OF_EACH
def test_preheader_is_the_first_text_and_nobody_sees_it_twice(language: Language) -> None:
    page = Mail(VARIANTS[language]["html"])
    shown = said(EDITION.preheader, language)
    assert shown is not None
    first, lang, _ = page.said[0]
    assert first.startswith(shown.text)
    assert lang == shown.language
    (hidden,) = [attributes for attributes in page.all("div") if "display:none" in words_of(attributes)]
    assert "mso-hide:all" in hidden["style"]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("when", ["day", "night"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "sheet"),
        ("quiet", "sheet"),
        ("link", "sheet"),
        ("quiet", "wash"),
        ("link", "wash"),
        ("on-band", "band"),
        ("on-band-quiet", "band"),
        ("on-fill", "fill"),
    ],
)
def test_words_can_be_read_by_day_and_by_night(when: str, ink: str, paper: str) -> None:
    assert contrast(getattr(COLOURS[ink], when), getattr(COLOURS[paper], when)) >= 4.5


def test_every_colour_turns_at_night() -> None:
    html = VARIANTS["en"]["html"]
    night = html.partition("prefers-color-scheme:dark")[2].partition("</style>")[0]
    for _, attributes in Mail(html).elements:
        classes = set(attributes.get("class", "").split()) - {"side"}
        named = {COLOURS[name].sets for name in classes}
        written = set(re.findall(r"(?<![\w-])(color|background-color|border-color):", words_of(attributes)))
        assert written == named, attributes
        assert all(f".{name}{{" in night for name in classes)


def test_mail_loads_nothing_but_its_pictures_and_needs_no_style_sheet() -> None:
    for made in VARIANTS.values():
        page = Mail(made["html"])
        assert {tag for tag, _ in page.elements} & {"link", "script", "iframe", "form", "object", "video"} == set()
        assert "url(" not in made["html"]
        assert "@import" not in made["html"]


EVIL = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'><a href="javascript:alert(1)">x</a></div></table><!-- {{ 7*7 }} {% raw %}'


@pytest.mark.parametrize("form", ["html", "web"])
def test_nothing_that_people_write_acts_anywhere(form: str) -> None:
    evil: Mapping[Language, str] = {"en": EVIL}
    made = variant(
        edition(
            Heading(id="h", title=evil),
            Passage(
                id="t",
                text={
                    "en": f'{EVIL}\n\n- {EVIL}\n\n[x](javascript:alert(1)) [{EVIL}](https://un.org/) [y](https://un.org/"onclick=alert(1))'
                },
            ),
            Item(
                id="i",
                title=evil,
                summary=evil,
                entity=EVIL,
                level=Level.GLOBAL,
                source_kind=SourceKind.NEWS,
                source_id=EVIL,
                address="https://un.org/a?b=1&c=%22",
            ),
            Button(id="b", label=evil, address="https://un.org/"),
            Picture(id="p", address="https://un.org/p.png", width=10, height=10, alternative=evil, caption=evil),
            subject=evil,
            preheader=evil,
        ),
        "en",
    )[form]
    page = Mail(made)
    assert [fault for fault in page.faults if "markup in an attribute" not in fault] == []
    assert {tag for tag, _ in page.elements} & {"script", "iframe", "form"} == set()
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), attributes
        assert re.match("https?://|mailto:|\ue000leave", attributes.get("href", "https://")), (tag, attributes)
    assert "49" not in page.text
    assert page.text.count("alert(1)") >= 10  # all of it is there, as text


def test_slot_that_somebody_writes_is_no_slot() -> None:
    forged = f"a {slot('leave')} {slot('password')} \ue000"
    made = variant(edition(Passage(id="t", text={"en": forged}), Heading(id="h", title={"en": forged}), preheader={"en": forged}), "en")
    content = Content(language="en", subject="x", text=made["text"], html=made["html"])
    prepared = prepare(content, sender=OUTGOING.sender, domain="example.org")
    assert [sorted(set(part.slots)) for part in prepared.parts] == [["leave"], ["leave"]]
    assert made["text"].count(slot(LEAVE)) == 1


@OF_EACH
def test_issue_of_forty_items_is_not_cut_off(language: Language) -> None:
    made = variant(of_many_items(40), language)
    assert weight(made) < MOST_BYTES
    assert preview(of_many_items(40), language).is_too_long is False


def test_issue_that_would_be_cut_off_is_called_too_long() -> None:
    seen = preview(of_many_items(120), "en")
    assert seen.is_too_long
    assert seen.bytes == weight(variant(of_many_items(120), "en")) > MOST_BYTES


def test_weight_holds_for_the_mail_that_leaves() -> None:
    made = VARIANTS["ar"]
    filled = made["html"].replace(slot(LEAVE), "https://bulletin.network.example.org/newsletter/u/" + "a" * 86)
    assert len(filled.encode()) <= weight(made)


def test_text_that_is_written_nowhere_stops_the_variant_and_names_its_block() -> None:
    with pytest.raises(NowhereWrittenError, match="title of block h"):
        variant(edition(Heading(id="h")), "en")
    with pytest.raises(NowhereWrittenError, match="subject"):
        variant(edition(subject={}), "en")


def test_preview_has_no_slot_and_is_else_what_is_sent() -> None:
    for language in LANGUAGES:
        seen, made = preview(EDITION, language), VARIANTS[language]
        nowhere = f"{EDITION.public_url}/newsletter/"
        assert seen.html == made["html"].replace(slot(LEAVE), nowhere)
        assert seen.text == made["text"].replace(slot(LEAVE), nowhere)
        assert "\ue000" not in seen.html + seen.text


def test_same_edition_gives_the_same_letters_in_another_process() -> None:
    code = (
        "from services.newsletter.compose.variants import variants; from shared.approval.content import fingerprint; "
        "from tests.newsletter.editions import EDITION; print(fingerprint(variants(EDITION)).whole)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert found == {fingerprint(VARIANTS).whole + "\n"}


def test_one_comma_makes_another_variant_and_leaves_the_other_languages_alone() -> None:
    passage = BLOCKS[0]
    assert isinstance(passage, Passage)
    changed = replace(passage, text={**passage.text, "fr": passage.text["fr"].replace(",", ";", 1)})
    after = variants(replace(EDITION, blocks=(changed, *BLOCKS[1:])))
    assert {language for language in LANGUAGES if digest(after[language]) != digest(VARIANTS[language])} == {"fr"}


@OF_EACH
def test_text_has_lines_of_78_columns_and_every_address_written_out(language: Language) -> None:
    text = VARIANTS[language]["text"]
    long = [line for line in text.split("\n") if columns(line) > 78 and "://" not in line]
    assert long == []
    for block in BLOCKS:
        if address := getattr(block, "address", None):
            assert isinstance(block, Picture) or f"\n{address}\n" in text
    assert "https://tidings.example.org/pledges/>" in text
    assert text.count(FOOT) == 1
    assert "**" not in text
    assert "](" not in text
    for line in text.split("\n"):
        assert not line.startswith(("，", "。", "、"))


def test_chinese_wraps_though_it_has_no_spaces() -> None:
    lines = VARIANTS["zh"]["text"].split("\n")
    assert sum(60 < columns(line) <= 78 and not line.isascii() and columns(line) > len(line) + 10 for line in lines) >= 2


def test_arabic_text_marks_the_lines_that_would_run_the_other_way() -> None:
    text = VARIANTS["ar"]["text"]
    assert "\n\u200f- ما جاء من أنحاء العالم\n" in text
    assert "\n\u200f=====" in text
    assert "\u2066<https://tidings.example.org/pledges/>\u2069" in text
    assert "\nhttps://tidings.example.org/practices/mobile-clinics\n" in text
    assert "\u200f" not in VARIANTS["en"]["text"]


@OF_EACH
def test_text_tells_what_the_mail_tells(language: Language) -> None:
    told = re.sub(r"\s|[\u2066-\u2069\u200f]", "", VARIANTS[language]["text"])
    for block in BLOCKS:
        for texts_ in texts(block):
            shown = said(texts_, language)
            assert shown is not None
            assert re.sub(r"\s|\*\*", "", shown.text) in told, shown.text
