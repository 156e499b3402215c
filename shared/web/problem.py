"""Answers to what cannot be done: `application/problem+json` (RFC 9457) for programs, a page in the reader's language for people."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.i18n import translate
from shared.trace import trace_id_var
from shared.web.forms import Fault, faults_of
from shared.web.pages import Pages
from shared.web.request_state import reader_language

MEDIA_TYPE = "application/problem+json"
# A database that restarts is back within seconds; a sender that waits longer than this has lost nothing.
RETRY_AFTER_SECONDS = 5

_logger = logging.getLogger(__name__)

_SLUGS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    415: "unsupported-media-type",
    422: "bad-request",
}


class Problem(HTTPException):
    """Something that was asked for cannot be done; raise it where that is found out.

    `slug` names the kind for programs (`/problems/<slug>`); title and detail are keys, by default `problem.<slug>.title` and
    `problem.<slug>.detail`, filled with `params` (`n` chooses the plural). `members` are added to the JSON as they are, so they
    must hold nothing secret.
    """

    template: ClassVar[str] = "problem.html"

    def __init__(
        self,
        status: int,
        slug: str,
        title_key: str | None = None,
        detail_key: str | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(status, slug, headers)
        self.slug = slug
        self.title_key = title_key or f"problem.{slug}.title"
        self.detail_key = detail_key or f"problem.{slug}.detail"
        self.params = dict(params or {})
        self.members = members


class Unavailable(Problem):
    """A part that is needed is away; asking again later will do."""

    def __init__(self, retry_after_seconds: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(503, "unavailable", params={"n": retry_after_seconds}, headers={"Retry-After": str(retry_after_seconds)})


class TooManyRequests(Problem):
    """Somebody asks more often than this address bears."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(429, "too-many-requests", params={"n": retry_after_seconds}, headers={"Retry-After": str(retry_after_seconds)})


class TooLarge(Problem):
    """What was sent has more bytes than this address takes."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(413, "too-large", params={"n": limit_bytes}, limit_bytes=limit_bytes)


class Invalid(Problem):
    """Values do not have the form that is needed; `errors` names each by JSON pointer (RFC 6901)."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(422, "invalid", params={"n": len(faults)})
        self.faults = tuple(faults)


def wants_html(request: Request) -> bool:
    """Say whether the asker is a browser that will show the answer: `Accept` names HTML, and JSON not before it."""
    html = json = 0.0
    for part in request.headers.get("accept", "").split(","):
        media_type, _, parameters = part.strip().lower().partition(";")
        weight = _weight(parameters)
        if media_type.strip() in {"text/html", "application/xhtml+xml"}:
            html = max(html, weight)
        elif media_type.strip() == "application/json" or media_type.strip().endswith("+json"):
            json = max(json, weight)
    return html > 0 and html >= json


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def answer(request: Request, pages: Pages, problem: Problem) -> Response:
    """Return the response that tells `problem`, as a page or as JSON, in the reader's language."""
    headers = {**(problem.headers or {}), "Cache-Control": "no-store"}
    if wants_html(request):
        response: Response = pages.render(
            request, problem.template, problem.status_code, headers=headers, problem=problem, trace=trace_id_var.get()
        )
    else:
        language = reader_language(request)
        response = Response(
            orjson.dumps(_members(problem, language), default=str),
            status_code=problem.status_code,
            media_type=MEDIA_TYPE,
            headers={**headers, "Content-Language": language},
        )
        response.headers.add_vary_header("Accept-Language")
        response.headers.add_vary_header("Cookie")
    response.headers.add_vary_header("Accept")
    return response


def _members(problem: Problem, language: str) -> dict[str, object]:
    members: dict[str, object] = {
        "type": f"/problems/{problem.slug}",
        "title": translate(language, problem.title_key, **problem.params),
        "status": problem.status_code,
        "detail": translate(language, problem.detail_key, **problem.params),
        "trace_id": trace_id_var.get(),
    }
    if isinstance(problem, Invalid):
        members["errors"] = [
            {"in": fault.part, "pointer": fault.pointer, "code": fault.code, "detail": translate(language, fault.key, **fault.params)}
            for fault in problem.faults
        ]
    return members | dict(problem.members)


def problem_of(error: HTTPException, method: str) -> Problem:
    """Return the problem that a framework's bare HTTP error stands for; its own words are not shown."""
    if isinstance(error, Problem):
        return error
    status = error.status_code
    if status == 503:
        return Unavailable(_seconds(error))
    if status == 429:
        return TooManyRequests(_seconds(error))
    slug = _SLUGS.get(status) or ("refused" if status < 500 else "internal")
    return Problem(status, slug, params={"method": method}, headers=error.headers)


def _seconds(error: HTTPException) -> int:
    given = (error.headers or {}).get("Retry-After", "")
    return int(given) if given.isdecimal() else RETRY_AFTER_SECONDS


def install_handlers(app: FastAPI, pages: Pages) -> None:
    """Answer every problem, HTTP error and refused value that an endpoint of `app` raises."""

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code in {204, 304}:  # these have no body
            return Response(status_code=error.status_code, headers=error.headers)
        if 300 <= error.status_code < 400:  # leads elsewhere, and is no problem
            return Response(status_code=error.status_code, headers={**(error.headers or {}), "Cache-Control": "no-store"})
        return answer(request, pages, problem_of(error, request.method))

    async def refused_values(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            return answer(request, pages, Problem(400, "bad-request"))
        return answer(request, pages, Invalid(faults_of(error.errors(), located=True)))

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, refused_values)


class CatchErrors:
    """Answers what rises above the endpoints: problems found by a middleware, a part that is away, and our own faults.

    Our own faults are logged here, once, with the trace id that the answer carries; nothing of them is shown.
    """

    def __init__(self, app: ASGIApp, *, pages: Pages, unavailable: Callable[[BaseException], bool]) -> None:
        self._app = app
        self._pages = pages
        self._unavailable = unavailable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            _logger.info("the asker left before the request was whole")
        except Exception as error:
            problem = self._problem(error, scope["method"])
            if begun:
                raise  # too late to answer: the server breaks the connection off, so that half a page is not taken for a whole one
            await self._answer(Request(scope, receive), problem)(scope, receive, send)

    def _problem(self, error: Exception, method: str) -> Problem:
        if isinstance(error, HTTPException):
            return problem_of(error, method)
        if self._unavailable(error):
            _logger.warning("a part that this request needs is away: %s", type(error).__name__)
            return Unavailable()
        _logger.error("unexpected error", exc_info=error)
        return Problem(500, "internal")

    def _answer(self, request: Request, problem: Problem) -> Response:
        try:
            return answer(request, self._pages, problem)
        except Exception:
            # The fault may sit in the templates or the catalogue themselves.
            _logger.exception("the answer to an error could not be made")
            body = {"type": "/problems/internal", "title": HTTPStatus(500).phrase, "status": 500, "trace_id": trace_id_var.get()}
            return Response(orjson.dumps(body), status_code=500, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
