"""What people write in plain paragraphs: what its signs mean, and that nothing else comes of it."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.newsletter.compose.blocks import parse
from shared.web import writing
from shared.web.forms import faults_of
from shared.web.rich_text import TooLongError, clean
from tests.shared.web_app import Page

REL = ' rel="noopener noreferrer"'


def html(text: str) -> str:
    return str(writing.html(writing.read(text), heading=3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\nTwo.\n\n\nThree.", "<p>One.<br>\nTwo.</p>\n<p>Three.</p>"),
        ("- one\n* two\n\n- three", "<ul><li>one</li><li>two</li><li>three</li></ul>"),
        ("- one\ngoes on\n- two", "<ul><li>one<br>\ngoes on</li><li>two</li></ul>"),
        ("Why:\n- one\nEnd", "<p>Why:</p>\n<ul><li>one<br>\nEnd</li></ul>"),
        ("1. one\n2) two", "<ol><li>one</li><li>two</li></ol>"),
        ("١. واحد\n٢. اثنان", "<ol><li>واحد</li><li>اثنان</li></ol>"),
        ("16. June is the day", "<p>16. June is the day</p>"),
        ("-5 degrees", "<p>-5 degrees</p>"),
        ("> said\n> more\n>\n> again", "<blockquote><p>said<br>\nmore</p><p>again</p></blockquote>"),
        ("## A title\nbelow", "<h3>A title</h3>\n<p>below</p>"),
        ("#hashtag", "<p>#hashtag</p>"),
        ("**very** and *a little* and 2*3*4", "<p><strong>very</strong> and <em>a little</em> and 2<em>3</em>4</p>"),
        ("**one *in* another**", "<p><strong>one <em>in</em> another</strong></p>"),
        ("5 * 3 ** 2 * 1", "<p>5 * 3 ** 2 * 1</p>"),
        (r"\*as it is\* \[x\](y)", "<p>*as it is* [x](y)</p>"),
        ("[the *list*](https://un.org/a_(b))", f'<p><a href="https://un.org/a_(b)"{REL}>the <em>list</em></a></p>'),
        ("[write](mailto:a@un.org)", f'<p><a href="mailto:a@un.org"{REL}>write</a></p>'),
        ("(see https://un.org/a.)", f'<p>(see <a href="https://un.org/a" dir="ltr"{REL}>https://un.org/a</a>.)</p>'),
        ("见https://un.org/甲。", f'<p>见<a href="https://un.org/" dir="ltr"{REL}>https://un.org/</a>甲。</p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](http://un.org/)", "<p>[x](http://un.org/)</p>"),
        ("[x](/desk/)", "<p>[x](/desk/)</p>"),
        ("[x](//evil.example)", "<p>[x](//evil.example)</p>"),
        ('[x](https://un.org/"onclick="x)', '<p>[x](https://un.org/"onclick="x)</p>'),
        ("<b>5 < 6 & 7</b>", "<p>&lt;b&gt;5 &lt; 6 &amp; 7&lt;/b&gt;</p>"),
        ("[](https://un.org)", f'<p>[](<a href="https://un.org" dir="ltr"{REL}>https://un.org</a>)</p>'),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_signs_mean_what_people_expect(text: str, expected: str) -> None:
    assert html(text) == expected


def test_small_heading_takes_the_level_of_its_place_or_is_a_strong_line() -> None:
    assert writing.html(writing.read("# A"), heading=2) == "<h2>A</h2>"
    assert writing.html(writing.read("# A")) == "<p><strong>A</strong></p>"


def test_attributes_are_written_into_elements_and_into_nothing_else() -> None:
    made = writing.html(writing.read("a <p> [b](https://un.org)\n\n> <a>"), attributes={"p": 'style="margin:0"', "a": 'class="link"'})
    assert made.count("<p ") == made.count('<p style="margin:0">') == 2
    assert made.count('<a class="link" href="https://un.org"') == made.count("class=") == 1
    assert Page(str(made)).faults == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a **b** [c](https://un.org) https://un.org/x", "a b c <https://un.org> <https://un.org/x>"),
        ("[a@un.org](mailto:a@un.org)", "<a@un.org>"),
        ("- a\n  b\n- c", "- a\n  b\n- c"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("> a\n>\n> b", "> a\n>\n> b"),
        ("# A\nb", "A\n\nb"),
    ],
)
def test_plain_text_keeps_the_shape_and_writes_links_out(text: str, expected: str) -> None:
    assert writing.plain(writing.read(text), lambda line, first, rest: first + line, link="<{}>".format) == expected


SIGNS = st.lists(
    st.sampled_from([*"ab *_[]()<>#>-.1\\\n\"'&:/@", "https://un.org", "](", "**", "\n\n", "ع", "中", "javascript:"]), max_size=60
).map("".join)


@given(SIGNS)
def test_whatever_is_written_becomes_plain_elements_with_honest_links(text: str) -> None:
    made = html(text)
    page = Page(made)
    assert page.faults == []
    assert {tag for tag, _ in page.elements} <= {"p", "br", "strong", "em", "a", "ul", "ol", "li", "h3", "blockquote"}
    for tag, attributes in page.elements:
        assert set(attributes) <= ({"href", "rel", "dir"} if tag == "a" else set()), made
        assert re.match("https://|mailto:", attributes.get("href", "https://"))
    assert clean(made) == made


@given(SIGNS.filter(lambda text: "](" not in text))
def test_no_letter_gets_lost_or_changes_its_place(text: str) -> None:
    def letters(said: str) -> str:
        return re.sub("[^abع中]", "", said)

    assert letters(Page(html(text)).text) == letters(text)
    assert letters(writing.plain(writing.read(text), lambda line, first, rest: first + line)) == letters(text)


@pytest.mark.parametrize("sign", ["[", "*", "**a ", "*a", "[a](", "> ", "https://", "1. ", "\\", "> x\n", "- x\n", "[a](https://x("])
def test_signs_without_end_are_read_in_no_time(sign: str) -> None:
    text = (sign * 10_000)[:10_000]
    began = time.process_time()
    with suppress(TooLongError):
        html(text)
    assert time.process_time() - began < 5  # it takes a tenth of a second; what grows with the square took minutes


def test_text_of_almost_nothing_but_signs_is_refused_by_its_field() -> None:
    with pytest.raises(ValidationError) as refused:
        parse({"kind": "text", "id": "x", "text": {"fr": "*a*" * 3_000}})
    (fault,) = faults_of(refused.value)
    assert (fault.field, fault.key) == ("text.fr", "fault.too-formatted")
