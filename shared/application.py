"""The web application of one process: the pages of every service that runs in it, and what the process says of itself."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Scope

from shared.auth.require import of_service
from shared.db import Database, is_away
from shared.operations import web as operations
from shared.parts import Parts
from shared.readiness import summary
from shared.service import Running
from shared.web.safety import bears_token, form_limit
from shared.web.wiring import install


def application(running: Sequence[Running], parts: Parts) -> FastAPI:
    """Return the ASGI application for these services; their work is begun and ended elsewhere."""
    # FastAPI's own documentation pages load their scripts from another host.
    app = FastAPI(title="Tidings", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health_router(running))
    for one in running:
        database = one.service.database
        people = [] if database is None else [Depends(of_service(database))]
        # Operations first: a service may have an address of one free part, `/calendar/{slug}`, and their names are none.
        for router in (*([] if database is None else [_operations(one, database, parts)]), *one.service.routers):
            app.include_router(router, dependencies=people)
    doors = [one.service.sent_by_programs for one in running if one.service.sent_by_programs is not None]
    limits = [one.service.limit_of for one in running if one.service.limit_of is not None]
    install(
        app,
        pages=parts.shared_pages(),
        verifier=parts.verifier,
        sent_by_programs=_any_of([bears_token, *doors]),
        limit_of=_largest_of([form_limit, *limits]),
        unavailable=is_away,
    )
    return app


def _operations(one: Running, database: Database, parts: Parts) -> APIRouter:
    async def figures() -> Mapping[str, object]:
        found = await one.figures()
        return asdict(found) if found else {}

    return operations.router(one.service.name, database, parts.shared_pages(), figures, one.service.facts, one.service.sweeps)


def health_router(running: Sequence[Running]) -> APIRouter:
    """Return /healthz (the process answers), /readyz (each part with its reason) and /metrics; a gateway routes none of them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    @router.get("/readyz")
    async def readyz() -> Response:
        # All at once: with the database away each service waits for its own answer.
        checks = await asyncio.gather(*(one.checks() for one in running))
        status, body = summary([check for of_one in checks for check in of_one])
        return JSONResponse(body, status_code=status)

    @router.get("/metrics")
    async def prometheus(request: Request) -> Response:
        del request
        # All at once: with the database away each service waits for its own answer.
        await asyncio.gather(*(one.measure() for one in running))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _any_of(predicates: Sequence[Callable[[Scope], bool]]) -> Callable[[Scope], bool]:
    return lambda scope: any(predicate(scope) for predicate in predicates)


def _largest_of(limits: Sequence[Callable[[Scope], int]]) -> Callable[[Scope], int]:
    return lambda scope: max(limit(scope) for limit in limits)
