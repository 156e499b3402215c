"""What every request passes on its way in and every answer on its way out, as plain ASGI middlewares that let streams through."""

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import spans
from shared.spans import Kind, Span
from shared.trace import Cause, tracing
from shared.web.addresses import on_loopback, origin_of
from shared.web.problem import Problem, TooLarge
from shared.web.request_state import is_private, keep_cause

# Nothing but our own files is loaded, nothing inline is run, no other site may frame us. JSON-LD stands in data blocks, which the
# policy does not touch.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# For the calendar's list of dates, which other sites may show in a frame: it runs nothing and sends nothing.
FRAMED_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
# Not `no-referrer`: browsers then send `Origin: null` with our own forms. Tokens in our addresses still reach no other site.
REFERRER_POLICY = "same-origin"
HSTS_SECONDS = 365 * 24 * 3600
# A long form with its texts in six languages has 100 KiB; a webhook may have 256 KiB, and its door says so itself.
FORM_MAX_BYTES = 1024 * 1024

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Asked every few seconds or with every page: their lines would bury the others.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static/{name}"})
_NO_ROUTE = "(no such page)"  # in place of a path that may hold anything, a token or a name too
_LEFT_EARLY = 499  # no answer was sent because the asker had gone; nginx's number for it

_access = logging.getLogger("tidings.access")


class Tracing:
    """Gives each request a cause, puts its trace id on every log line and the answer, and writes an access line without personal data."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cause = Cause.start()
        keep_cause(scope.setdefault("state", {}), cause)
        began, span_began = time.perf_counter(), spans.now()
        status = _LEFT_EARLY

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["traceresponse"] = cause.traceparent
                headers["x-trace-id"] = cause.trace_id
            await send(message)

        with tracing(cause.trace_id):
            try:
                await self._app(scope, receive, send_traced)
            finally:
                template = path_template(scope)
                _access.log(
                    logging.DEBUG if template in _QUIET else logging.INFO,
                    "%s %s %d %d ms",
                    scope["method"] if scope["method"].isalpha() else "(odd method)",
                    template,
                    status,
                    (time.perf_counter() - began) * 1000,
                )
                if template not in _QUIET:
                    method = scope["method"] if scope["method"].isalpha() else "(odd method)"
                    spans.end(
                        Span(
                            name=f"{method} {template}",
                            kind=Kind.SERVER,
                            trace_id=cause.trace_id,
                            span_id=cause.span_id,
                            began=span_began,
                            attributes={"http.request.method": method, "http.route": template, "http.response.status_code": status},
                            failed=status >= 500,
                        )
                    )


def path_template(scope: Scope) -> str:
    """Return the route's path with its places unfilled, `/practices/{id}`: what may be logged and counted."""
    return str(getattr(scope.get("route"), "path", _NO_ROUTE))


class HeadAsGet:
    """Answers HEAD as GET without the body: link checkers and monitors ask so, and routes only name GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        inner: dict[str, Any] = {**scope, "method": "GET"}
        try:
            await self._app(inner, receive, send_head)
        finally:
            if "route" in inner:  # found further in, wanted by the access line further out
                scope["route"] = inner["route"]


class SecurityHeaders:
    """Sets what browsers must keep to; an answer that has set one of these itself keeps its own (the calendar's frame)."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": REFERRER_POLICY,
            "Permissions-Policy": PERMISSIONS_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if is_private(state):
                    headers["Cache-Control"] = "no-store"
                    headers["X-Robots-Tag"] = "noindex"
            await send(message)

        await self._app(scope, receive, send_safe)


class OriginCheck:
    """Refuses what another site's page sends in a reader's name (cross-site request forgery).

    `sent_by_programs` tells the requests that no page sends and that read no cookie: signed webhooks, bearer calls, one-click
    unsubscribing.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, sent_by_programs: Callable[[Scope], bool]) -> None:
        self._app = app
        self._public_url = public_url
        self._origin = origin_of(public_url)
        self._loopback = on_loopback(public_url)
        self._sent_by_programs = sent_by_programs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _CHANGING and not self._sent_by_programs(scope):
            headers = Headers(scope=scope)
            if not self._ours(headers):
                raise Problem(403, "origin-refused", params={"address": self._public_url})
        await self._app(scope, receive, send)

    def _ours(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        if origins:
            return len(origins) == 1 and self._is_ours(origins[0], headers)
        if "sec-fetch-site" in headers:
            return headers["sec-fetch-site"] == "same-origin"
        return self._is_ours(origin_of(headers.get("referer", "")), headers)

    def _is_ours(self, origin: str | None, headers: Headers) -> bool:
        if origin is None:
            return False
        if origin == self._origin:
            return True
        # On a machine of one's own, localhost and 127.0.0.1 are the same place; a foreign name that leads there is not (DNS rebinding).
        return self._loopback and on_loopback(origin) and origin == origin_of(f"http://{headers.get('host', '')}")


def bears_token(scope: Scope) -> bool:
    """Say whether a request carries a bearer token: no page of another site can make a browser add one."""
    return Headers(scope=scope).get("authorization", "").lower().startswith("bearer ")


class BodyCap:
    """Stops reading a body that is larger than its address takes, whether its length was told or not."""

    def __init__(self, app: ASGIApp, *, limit_of: Callable[[Scope], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and (len(told) > len(str(limit)) or int(told) > limit):
            raise TooLarge(limit)
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise TooLarge(limit)
            return message

        await self._app(scope, receive_counted, send)


def form_limit(scope: Scope) -> int:
    """Return the limit of every address that has none of its own."""
    del scope
    return FORM_MAX_BYTES
