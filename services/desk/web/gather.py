"""The pages that gather in the browser what each service knows."""

import json
import re
from collections.abc import Sequence
from functools import cache

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup, escape

from shared.auth.require import require, require_staff
from shared.events.asyncapi import asyncapi_document
from shared.events.catalogue import CatalogueRow, catalogue_rows
from shared.events.codes import Role
from shared.operations import base_of
from shared.operations.figures import FIGURES
from shared.operations.story import read_id
from shared.web.pages import Pages
from shared.web.problem import Problem


def router(pages: Pages, services: Sequence[str]) -> APIRouter:
    """Return the desk's pages; `services` are those whose operations and events are gathered."""
    pages.environment.filters["ticks"] = ticks
    pages.environment.globals["base_of"] = base_of
    router = APIRouter(prefix="/desk", dependencies=[Depends(require_staff)], include_in_schema=False)

    @router.get("/operations", dependencies=[Depends(require(Role.OPERATOR))])
    async def operations(request: Request) -> Response:
        """Show the table that the browser fills."""
        return pages.render(request, "desk/operations.html", services=services, figures=FIGURES)

    @router.get("/events")
    async def events(request: Request) -> Response:
        """Show what the services tell each other."""
        return pages.render(request, "desk/events.html", rows=_catalogue(), samples=_samples())

    @router.get("/events/asyncapi.json")
    async def asyncapi() -> Response:
        """Give the same as an AsyncAPI document."""
        return Response(_asyncapi(), media_type="application/json")

    @router.get("/events/find")
    async def find(request: Request, id: str = "") -> Response:  # noqa: A002  # the address's own word
        """Lead to the story of an id as somebody pasted it; show the box again where it is none."""
        asked = read_id(id)
        if asked is None:
            return pages.render(request, "desk/find.html", 422 if id else 200, id=id[:200])
        return RedirectResponse(f"/desk/events/{asked}", status_code=303)

    @router.get("/events/{event_id}")
    async def story(request: Request, event_id: str) -> Response:
        """Show the story of one thing, which the browser gathers from the services."""
        asked = read_id(event_id)
        if asked is None:
            raise Problem(404, "not-an-id", "staff.story.not-an-id.title", "staff.story.not-an-id.detail")
        return pages.render(request, "desk/story.html", asked=asked, services=services)

    return router


def ticks(text: str) -> Markup:
    """Return a sentence of the catalogue with its `words` as code."""
    return Markup(re.sub(r"`([^`]+)`", r'<code dir="ltr">\1</code>', str(escape(text))))  # noqa: S704  # escaped before


@cache
def _catalogue() -> Sequence[CatalogueRow]:
    return catalogue_rows()


@cache
def _samples() -> dict[str, str]:
    return {row.type: json.dumps(row.sample, ensure_ascii=False, indent=2) for row in _catalogue()}


@cache
def _asyncapi() -> bytes:
    return orjson.dumps(asyncapi_document(), option=orjson.OPT_INDENT_2)
