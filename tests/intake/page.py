"""Reading a page as a reader does: its text, its links, its forms, its data; and its markup, where something wrong could hide."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import httpx

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """A page taken apart."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.data: list[Any] = []  # the content of its JSON-LD blocks
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self._block = False
        self.feed(markup)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        self._block = tag == "script" and attributes.get("type") == "application/ld+json"

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()
        self._block = False

    def handle_data(self, data: str) -> None:
        if self._block:
            self.data.append(json.loads(data))
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is to be read, its white space made one."""
        return " ".join("".join(self.texts).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of the elements of a tag that have these attributes."""
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        """The attributes of the one such element."""
        [found] = self.all(tag, **wanted)
        return found

    def values(self) -> Mapping[str, str]:
        """What the inputs of its forms hold."""
        return {found["name"]: found.get("value", "") for found in self.all("input") if "name" in found}


def page(answer: httpx.Response, status: int = 200) -> Page:
    """The page that an answer carries, which must have this status and run no foreign or inline script."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text[:2000]
    found = Page(answer.text)
    assert [one for one in found.all("script") if one.get("type") != "application/ld+json" and not one.get("src", "").startswith("/")] == []
    assert [name for _, attributes in found.elements for name in attributes if name.startswith("on") or name == "style"] == []
    return found
