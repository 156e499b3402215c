"""HTML from people: what stays of it, and that nothing of an attack does."""

import contextlib
import re
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from shared.web.rich_text import HTML_MAX_CHARACTERS, TooLongError, clean

ELEMENTS = frozenset(
    {"p", "br", "strong", "em", "b", "i", "a", "ul", "ol", "li", "blockquote", "cite", "q", "abbr", "h2", "h3", "h4", "span", "sub", "sup"}
)
ATTRIBUTES = {"lang", "dir", "href", "title", "rel"}
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")

KEPT = [
    ("a paragraph", "<p>Two <strong>words</strong>.</p>", "<p>Two <strong>words</strong>.</p>"),
    ("language and direction", '<p lang="ar" dir="rtl">سلام</p>', '<p lang="ar" dir="rtl">سلام</p>'),
    ("within a line", '<p>A <span lang="fr-CA">mot</span></p>', '<p>A <span lang="fr-CA">mot</span></p>'),
    ("a direction in capitals", '<p dir="RTL">x</p>', '<p dir="rtl">x</p>'),
    ("lists and headings", "<h2>A</h2><ul><li>b</li></ul>", "<h2>A</h2><ul><li>b</li></ul>"),
    (
        "a link",
        '<a href="https://un.org/a?b=c&amp;d=e#f">x</a>',
        '<a href="https://un.org/a?b=c&amp;d=e#f" rel="noopener noreferrer">x</a>',
    ),
    ("a mail link", '<a href="mailto:a@example.org">x</a>', '<a href="mailto:a@example.org" rel="noopener noreferrer">x</a>'),
    ("signs that are text", "1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
    ("text of unknown elements", "<article><font color=red>x</font></article>", "x"),
    ("marks of one letter", "a\u200fb\u200ec\u061cd", "a\u200fb\u200ec\u061cd"),
    ("a family emoji", "👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
]


@pytest.mark.parametrize(("what", "html", "expected"), KEPT, ids=[row[0] for row in KEPT])
def test_what_stays(what: str, html: str, expected: str) -> None:
    assert clean(html) == expected, what
    assert isinstance(clean(html), Markup)


SCRIPTED = "javascript:alert(1)"
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "script in capitals with a space": "<ScRiPt >alert(1)</sCrIpT >",
    "script that ends within a script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "script never closed": "<script>alert(1)//",
    "script split by NUL": "<scr\0ipt>alert(1)</scr\0ipt>",
    "script of another place": '<script src="//evil.example/x.js"></script>',
    "handler": '<p onclick="alert(1)">x</p>',
    "handler without a space": "<img/src=x/onerror=alert(1)>",
    "handler behind a slash": "<p/onmouseover=alert(1)>x",
    "handler on an allowed element": '<span onfocus=alert(1) tabindex=1 autofocus lang="en">x</span>',
    "picture that reports": '<img src="https://evil.example/pixel.gif">',
    "svg": "<svg onload=alert(1)><circle/></svg>",
    "svg with a script": "<svg><script>alert&#40;1&#41;</script></svg>",
    "svg that animates an address": "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>",
    "svg use of data": "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='alert(1)'/>#x\"></use></svg>",
    "math": "<math><mtext></p><mglyph><style><img src=x onerror=alert(1)>",
    "mutation by math and style": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "mutation by a title": '<abbr title="</abbr><img src=x onerror=alert(1)>">x</abbr>',
    "mutation by svg and style": "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "mutation by forms": "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "mutation by a textarea": "<textarea><p title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "mutation by a template": "<template><s><template><s><img src=x onerror=alert(1)>x</s></template></s></template>",
    "mutation by a comment": "<!--<img src='--><img src=x onerror=alert(1)>//'>",
    "mutation by a bang": "<!--!><img src=x onerror=alert(1)>-->",
    "mutation by cdata": "<svg><![CDATA[<p title=']]><img src=x onerror=alert(1)>'></svg>",
    "mutation by select": "<select><template><img src=x onerror=alert(1)></template></select>",
    "mutation by plaintext": "<plaintext><img src=x onerror=alert(1)>",
    "mutation by xmp": '<xmp><p title="</xmp><img src=x onerror=alert(1)>"></xmp>',
    "style element": "<style>@import 'https://evil.example/x.css'; body{display:none}</style>",
    "style attribute": '<p style="position:fixed;inset:0;background:url(https://evil.example)">x</p>',
    "class of ours": '<p class="notice" id="main">x</p>',
    "meta refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "base": '<base href="https://evil.example/"><a href="/x">x</a>',
    "form": '<form action="https://evil.example"><input name="password"><button formaction="javascript:alert(1)">x</button></form>',
    "frame": '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "object": '<object data="javascript:alert(1)"></object><embed src="javascript:alert(1)">',
    "link element": '<link rel="stylesheet" href="https://evil.example/x.css">',
    "details": "<details open ontoggle=alert(1)>x</details>",
    "video": "<video><source onerror=alert(1)></video>",
    "marquee": "<marquee onstart=alert(1)>x</marquee>",
    "address that runs": f'<a href="{SCRIPTED}">x</a>',
    "address that runs, in capitals": '<a href="JaVaScRiPt:alert(1)">x</a>',
    "address that runs, behind controls": '<a href="\x01\x02 java\tscript\n:alert(1)">x</a>',
    "address that runs, as entities": '<a href="&#106;&#97;vascript&colon;alert&lpar;1&rpar;">x</a>',
    "address that runs, with a tab as entity": '<a href="java&Tab;script&NewLine;:alert(1)">x</a>',
    "address that runs, behind a scheme": '<a href="https:javascript:alert(1)">x</a>',
    "address of data": '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
    "address of vbscript": '<a href="vbscript:msgbox(1)">x</a>',
    "address of a file": '<a href="file:///etc/passwd">x</a>',
    "address of a blob": '<a href="blob:https://un.org/1">x</a>',
    "address without a scheme": '<a href="//evil.example/x">x</a>',
    "address on our own site": '<a href="/desk/sign-out">x</a>',
    "address with backslashes": '<a href="https:\\\\evil.example">x</a>',
    "address that pretends another host": '<a href="https://un.org@evil.example/">x</a>',
    "address with a broken host": '<a href="https://[::1">x</a>',
    "mail with hidden addressees": '<a href="mailto:a@example.org?bcc=b@evil.example&body=I+agree">x</a>',
    "link to a window of its own": '<a href="https://un.org" target="_blank" ping="https://evil.example" download>x</a>',
    "language that is markup": '<p lang="en&quot; onclick=&quot;alert(1)">x</p>',
    "language without end": f'<p lang="{"a" * 5000}">x</p>',
    "direction that is none": '<p dir="rtl onclick=alert(1)">x</p>',
    "override of direction": "user\u202egnp.exe",
    "override of direction, as entity": "user&#x202E;gnp.exe&#8238;",
    "embedding without end": "<p>\u202b\u202b\u202btext</p>after",
    "isolate without end": "<p>\u2067text</p>after",
    "bdo": '<bdo dir="rtl">evil</bdo>',
    "halves of characters": "a\ud83dscript\udc00",
    "controls": "a\x00b\x08c\x1bd\x7fe\x85f",
    "unclosed everything": "<p><b><i><a href='https://un.org'><ul><li>x",
    "an attribute never closed": '<a href="https://un.org',
    "a tag never closed": "<p",
    "processing instruction": "<?xml-stylesheet href='javascript:alert(1)'?>x",
    "doctype": '<!DOCTYPE html [<!ENTITY x "y">]>&x;',
    "conditional comment": "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "elements of Word": "<o:p></o:p><w:sdt><script>alert(1)</script></w:sdt>",
    "an element with a colon": "<a:script xmlns:a='http://www.w3.org/1999/xhtml'>alert(1)</a:script>",
    "Jinja": "{{ config }}{% include 'x' %}",
}


class Seen(HTMLParser):
    """Every element and attribute that a second parser, not the sanitiser's, finds."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"never closed: {name}" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.faults.append(f"element {tag}")
        if tag != "br":
            self.open.append(tag)
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.faults.append(f"attribute {name}")
            if name == "href" and not followed_safely(value or ""):
                self.faults.append(f"address {value}")
            if name == "lang" and not re.fullmatch("[A-Za-z0-9-]{2,40}", value or ""):
                self.faults.append(f"language {value}")
            if name == "dir" and value not in {"ltr", "rtl", "auto"}:
                self.faults.append(f"direction {value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"unexpected end of {tag}")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data}")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"declaration {data}")


def followed_safely(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return not parts.query
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and not re.search(r"[\\\s]", address)


def harmless(html: str) -> str:
    cleaned = clean(html)
    assert Seen(cleaned).faults == []
    assert not TURNING.search(cleaned)
    cleaned.encode()  # no halves of characters, which neither a page nor a mail can be written with
    assert "\0" not in cleaned
    assert clean(cleaned) == cleaned  # what is read again is read the same
    return cleaned


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_leave_nothing(attack: str) -> None:
    harmless(attack)
    # Hidden in what else people write, and cut off at any place: an editor's paste ends where it ends.
    harmless(f"<p>Before {attack} after</p>")
    for end in range(0, len(attack), 7):
        harmless(f"<ul><li>{attack[:end]}")


@pytest.mark.parametrize(
    "attack", ["<script>alert(1)</script>", "<style>p{}</style>", "<svg><text>alert(1)</text></svg>", "<iframe>alert(1)</iframe>"]
)
def test_what_is_no_text_for_readers_goes_with_its_element(attack: str) -> None:
    assert clean(attack) == ""


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*ATTACKS.values(), "<p>", "</p>", "<b>", "</b>", "<a href='https://un.org'>", "</a>", "<table>", '"', "'", ">", "<!--", "-->"]
        ),
        max_size=8,
    )
)
def test_attacks_joined_in_any_way_leave_nothing(parts: list[str]) -> None:
    harmless("".join(parts))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
def test_any_text_is_taken(text: str) -> None:
    harmless(text)


def unlike(count: int, between: str) -> str:
    return "".join(f"<{'bi'[number % 2]} lang=en-{number:04}>{between}" for number in range(count))


HUGE = {
    "characters": "x" * (HTML_MAX_CHARACTERS + 1),
    "tags": "<b>" * 100_000,
    "within one another": "<ul><li>" * 200,
    "emphasis opened again": unlike(2_000, "<p>"),
    "ends": "</p>" * 60_000,
    "links opened and never closed": "<a href=https://un.org>" * 9_000,
    "formatting that is opened again": ("<b>" * 60 + "<p>" * 60) * 40,
}


@pytest.mark.parametrize("html", HUGE.values(), ids=HUGE)
def test_too_much_is_refused_before_it_costs_much(html: str) -> None:
    began = time.process_time()
    with pytest.raises(TooLongError):
        clean(html)
    assert time.process_time() - began < 5


COSTLY = {
    "emphasis opened again": unlike(200, "<p>") + "<p>" * 50,
    "little emphasis, much text": unlike(20, "<p>") + "<p>x" * 4_900,
    "links": "".join(f"<a href=https://un.org/{number}><p>" for number in range(2_400)),
    "links in tables": "".join(f"<table><td><a href=https://un.org/{number}>" for number in range(1_600)),
    "ends of what was never open": "<b><p>" * 1_200 + "</b></p></i>" * 800,
    "forms and frames": "<object><b lang=x><marquee><i>" * 1_200,
    "attributes": "<p " + " ".join(f"a{number}=1" for number in range(15_000)) + ">x",
    "entities": "&lt;" * 40_000,
}


@pytest.mark.parametrize("html", COSTLY.values(), ids=COSTLY)
def test_what_is_taken_costs_little(html: str) -> None:
    began = time.process_time()
    with contextlib.suppress(TooLongError):
        clean(html)
    assert time.process_time() - began < 5


def test_a_long_article_is_taken() -> None:
    article = '<p lang="en">A sentence with <a href="https://un.org">a link</a>.</p>' * 1_000
    assert len(clean(article)) > 60_000
