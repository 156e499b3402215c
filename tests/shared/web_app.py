"""A small app that has what every service's app has, for the tests of the pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from starlette.types import Scope

from shared.web import staff
from shared.web.forms import Fault
from shared.web.pages import Banner, Pages
from shared.web.problem import Problem
from shared.web.request_state import cause_of
from shared.web.staff import StaffKey, require_staff
from shared.web.wiring import install

KEY = "only-those-who-read-the-terminal-know"
TITLE = {"fr": "Former des agents consulaires <vite>", "ar": "تدريب الموظفين القنصليين"}
WHEN = datetime(2026, 6, 16, 7, 0, tzinfo=UTC)
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FAULT = Fault(field="title", pointer="/title", part="body", code="missing", key="fault.missing", params={})


class AwayError(Exception):
    """Stands for a database that is not there."""


class Practice(BaseModel):
    """What the sample app's JSON door takes."""

    title: str = Field(max_length=5)
    address: str = ""


def _sent_by_programs(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/webhooks/")


def sample_app(public_url: str = "http://127.0.0.1:8000", *, banner: Banner | None = None) -> FastAPI:
    """Return an app with a public page, a staff page, doors that fail in every way, and a door for programs."""
    app = FastAPI(openapi_url=None)
    pages = Pages(public_url=public_url, zone="Europe/Zurich", templates={"sample": Path(__file__).parent / "web_templates"}, banner=banner)
    install(
        app,
        pages=pages,
        staff_key=StaffKey(key=KEY, secure=public_url.startswith("https:")),
        sent_by_programs=_sent_by_programs,
        limit_of=lambda scope: 10 if scope["path"] == "/small" else 1000,
        unavailable=lambda error: isinstance(error, AwayError),
    )
    app.include_router(staff.router)

    @app.get("/practices/{word}")
    async def practice(request: Request, word: str) -> HTMLResponse:
        return pages.render(request, "sample/practice.html", title=TITLE, when=WHEN, typed=word, faults=[FAULT])

    @app.get("/desk/pool", dependencies=[Depends(require_staff)])
    async def pool(request: Request) -> HTMLResponse:
        return pages.render(request, "sample/pool.html")

    @app.post("/desk/pool", dependencies=[Depends(require_staff)])
    async def change_pool(word: Annotated[str, Form()]) -> dict[str, str]:
        return {"word": word}

    @app.api_route("/changed", methods=["POST", "PUT", "PATCH", "DELETE"])
    async def changed(request: Request) -> dict[str, object]:
        return {"bytes": len(await request.body())}

    @app.post("/small")
    async def small(word: Annotated[str, Form()]) -> dict[str, str]:
        return {"word": word}

    @app.post("/webhooks/{partner}")
    async def webhook(partner: str, practice: Practice) -> dict[str, str]:
        return {"partner": partner, "title": practice.title}

    @app.get("/fails/{how}")
    async def fails(how: str) -> Response:
        if how == "away":
            raise AwayError("postgres at 10.0.0.7 said no")
        if how == "taken":
            raise Problem(409, "refused", "problem.refused.title", "base.title", {"page": "<b>x</b>", "site": "y"}, receipt="r-1")
        raise RuntimeError("the password is hunter2")

    @app.get("/receipt")
    async def receipt(request: Request) -> dict[str, str]:
        cause = cause_of(request)
        return {"id": cause.id, "trace_id": cause.trace_id}

    return app


@asynccontextmanager
async def browser(app: FastAPI, *, base_url: str = "http://127.0.0.1:8000", client: str = "192.0.2.7") -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that asks as a browser does, with an Origin on what it sends."""
    transport = httpx.ASGITransport(app=app, client=(client, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=base_url, headers={**BROWSER, "Origin": base_url}) as asker:
        yield asker


class Page(HTMLParser):
    """What a page's markup says, with the faults that a browser would quietly repair."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.faults: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        if self._open:
            self.faults.append(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if "<" in (self.get_starttag_text() or "")[1:]:
            self.faults.append(f"markup in an attribute: {self.get_starttag_text()}")
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"unexpected </{tag}>")

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of one name."""
        return [attributes for name, attributes in self.elements if name == tag]
