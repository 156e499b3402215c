"""A browser without a screen: cookies, redirects, and the forms of a page filled in and sent."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

ANSWER_SECONDS = 30


class WalkError(Exception):
    """A step of the walk does not hold."""


@dataclass(kw_only=True)
class Form:
    """A form as it stands on a page, with what is filled in already."""

    action: str
    posts: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=dict)  # that could be ticked and are not, the last of each name

    def filled(self, values: Mapping[str, str | Sequence[str]]) -> list[tuple[str, str]]:
        """Return what is sent: what stands there, but for the fields that are filled in anew."""
        sent = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            sent += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return sent


@dataclass(frozen=True, kw_only=True)
class Page:
    """An answer."""

    status: int
    address: str  # where redirects led
    headers: Message = field(repr=False)
    body: str = field(repr=False)

    @property
    def path(self) -> str:
        """The path of its address."""
        return urlsplit(self.address).path

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @cached_property
    def _read(self) -> "_Reader":
        reader = _Reader()
        reader.feed(self.body)
        return reader

    @property
    def forms(self) -> Sequence[Form]:
        """The forms on it."""
        return self._read.forms

    @property
    def links(self) -> Sequence[str]:
        """Where its links lead, each once, in their order."""
        return list(dict.fromkeys(self._read.links))

    @property
    def words(self) -> str:
        """Its words."""
        return " ".join(" ".join(self._read.words).split())

    @property
    def main(self) -> str:
        """Its body without head and sections, where every page has the same."""
        return self.body.partition("<main")[2].partition("</main>")[0]

    def form(self, action: str) -> Form:
        """Return the form that is posted to an address that ends so; raises WalkError without one."""
        for found in filter(lambda form: form.posts, self.forms):
            if (found.action.partition("?")[0] or self.path).endswith(action):
                return found
        raise WalkError(f"{self.path} has no form for {action}; it says: {_cut(self.said)}")

    @property
    def said(self) -> str:
        """The words of what stands between head and foot."""
        reader = _Reader()
        reader.feed(self.main or self.body)
        return " ".join(" ".join(reader.words).split())


class Browser:
    """Somebody's browser; `base` is the address of the system."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self.cookies = CookieJar()
        # Proxies are for the world; what is walked here is this machine.
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))

    def look(self, path: str, **query: str) -> Page:
        """Return a page, whatever its status."""
        address = urljoin(self.base + "/", path)
        return self._ask(Request(f"{address}?{urlencode(query)}" if query else address))  # noqa: S310  # of the system's own address

    def open(self, path: str, **query: str) -> Page:
        """Return a page; raises WalkError where it is not there for this reader."""
        return _good(self.look(path, **query))

    def send(self, page: Page, action: str, /, **values: str | Sequence[str]) -> Page:
        """Fill in and send the form of a page whose address ends so; raises WalkError where it is refused.

        In a field's name `__` stands for a point and `_` before a digit for a hyphen: `title__en`, `first_1`.
        """
        form = page.form(action)
        return self.post(urljoin(page.address, form.action or page.address), form.filled({_name(key): one for key, one in values.items()}))

    def post(self, path: str, fields: Sequence[tuple[str, str]] = ()) -> Page:
        """Send fields to an address as a form does; raises WalkError where they are refused."""
        address = urljoin(self.base + "/", path)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _good(self._ask(Request(address, urlencode(fields).encode(), headers, method="POST")))  # noqa: S310

    def post_bytes(self, address: str, content: bytes, headers: Mapping[str, str]) -> Page:
        """Send bytes as a program does, whatever the answer."""
        return self._ask(Request(address, content, dict(headers), method="POST"))  # noqa: S310

    def _ask(self, request: Request) -> Page:
        if request.get_method() == "POST":
            request.add_header("Origin", self.base)
        if not request.has_header("Accept"):
            request.add_header("Accept", "text/html")
        request.add_header("Accept-Language", "en")
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return Page(status=answer.status, address=answer.url, headers=answer.headers, body=answer.read().decode())
        except HTTPError as refused:
            with refused:
                body = refused.read().decode("utf-8", "replace")
                return Page(status=refused.code, address=refused.url, headers=refused.headers, body=body)
        except (URLError, OSError) as error:
            raise WalkError(f"{request.full_url} does not answer: {getattr(error, 'reason', error)}") from error


def _good(page: Page) -> Page:
    if page.status >= 400:
        raise WalkError(f"{page.path} answers {page.status}: {_cut(page.said)}")
    return page


def _cut(words: str) -> str:
    return words if len(words) <= 300 else words[:300] + " …"


def _name(key: str) -> str:
    return re.sub(r"_(\d)", r"-\1", key.replace("__", "."))


class _Reader(HTMLParser):
    """Reads forms, links and words off a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._select = ""
        self._options: list[tuple[str, bool]] = []
        self._area: list[str] | None = None
        self._area_name = ""
        self._inside = False  # a form
        self._silent = False  # within a script or style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in {"script", "style"}:
            self._silent = True
        elif tag == "form":
            self.forms.append(Form(action=given.get("action", ""), posts=given.get("method", "").lower() == "post"))
            self._inside = True
        elif self._inside and tag == "input":
            self._input(given)
        elif self._inside and tag == "select":
            self._select, self._options = given.get("name", ""), []
        elif self._inside and tag == "option" and self._select:
            self._options.append((given.get("value", ""), "selected" in given))
        elif self._inside and tag == "textarea":
            self._area, self._area_name = [], given.get("name", "")

    def _input(self, given: Mapping[str, str]) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if not name or kind in {"submit", "button", "file", "image", "reset"} or "disabled" in given:
            return
        if kind in {"checkbox", "radio"} and "checked" not in given:
            self.forms[-1].boxes[name] = given.get("value", "on")
            return
        self.forms[-1].fields.append((name, given.get("value", "on" if kind in {"checkbox", "radio"} else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag in {"script", "style"}:
            self._silent = False
        elif tag == "select" and self._select:
            chosen = next((value for value, selected in self._options if selected), self._options[0][0] if self._options else "")
            self.forms[-1].fields.append((self._select, chosen))
            self._select = ""
        elif tag == "textarea" and self._area is not None:
            # A browser takes the first line end after the tag away.
            self.forms[-1].fields.append((self._area_name, "".join(self._area).removeprefix("\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.append(data)
        elif not self._silent:
            self.words.append(data)


def paths_in(pages: Sequence[Page], beginning: str) -> Iterator[str]:
    """Give the paths of all links on these pages that begin so."""
    for page in pages:
        for link in page.links:
            path = urlsplit(urljoin(page.address, link)).path
            if path.startswith(beginning):
                yield path
