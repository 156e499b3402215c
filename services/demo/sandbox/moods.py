"""How the sandbox misbehaves when it is told to: everything that X, what stands before it, or the line to it may do to a request."""

import asyncio
import socket
import struct
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock

# No client of ours waits so long; a test that hangs for ever tells less than one that fails.
HANG_SECONDS = 120.0


class Kind(StrEnum):
    """What a request is for."""

    POST = "post"
    TIMELINE = "timeline"
    MEDIA = "media"


class Mood(StrEnum):
    """What becomes of a request."""

    RATE_LIMITED = "rate-limited"  # 429, with the time until which
    DUPLICATE = "duplicate"  # 403 as for a text that stands there, though it does not
    FORBIDDEN = "forbidden"  # 403
    NO_CREDIT = "no-credit"  # 402
    UNAUTHORIZED = "unauthorized"  # 401
    FAILS_BEFORE = "fails-before"  # 503 in HTML, nothing taken
    FAILS_AFTER = "fails-after"  # 503 in HTML, taken
    EMPTY_AFTER = "empty-after"  # 500 without a body, taken
    HANGS_BEFORE = "hangs-before"  # no answer, nothing taken
    HANGS_AFTER = "hangs-after"  # no answer, taken
    HALF_A_BODY = "half-a-body"  # taken; the answer breaks off
    HTML_AFTER = "html-after"  # taken; 200 with a page instead of JSON
    REFUSED_IN_HTML_AFTER = "refused-in-html-after"  # taken; what stands before X says 403
    RESET_BEFORE = "reset-before"  # the connection is cut, nothing taken
    RESET_AFTER = "reset-after"  # the connection is cut, taken


_PLAIN = {Mood.RATE_LIMITED, Mood.DUPLICATE, Mood.FORBIDDEN, Mood.NO_CREDIT, Mood.UNAUTHORIZED, Mood.FAILS_BEFORE}
_NOT_TAKEN = _PLAIN | {Mood.HANGS_BEFORE, Mood.RESET_BEFORE}
_PAGE = b"<!doctype html><title>Something went wrong</title><p>Try again."
_DETAILS = {
    Mood.DUPLICATE: (403, "Forbidden", "You are not allowed to create a Tweet with duplicate content."),
    Mood.FORBIDDEN: (403, "Forbidden", "You are not permitted to perform this action."),
    Mood.NO_CREDIT: (402, "Payment Required", "Your account has no credits."),
    Mood.UNAUTHORIZED: (401, "Unauthorized", "Unauthorized"),
    Mood.RATE_LIMITED: (429, "Too Many Requests", "Too Many Requests"),
}


class Moods:
    """What the next requests meet: what was asked for, else what `choose` says, else nothing in particular."""

    def __init__(self) -> None:
        self.met: Counter[tuple[Kind, Mood]] = Counter()
        self.choose: Callable[[Kind], Mood | None] = lambda _: None
        self.reached: Callable[[Kind, Mood | None], Awaitable[None]] | None = None  # told when a request is taken, before its answer
        self.pause_seconds = 900  # of a 429
        self._next: dict[Kind, deque[Mood]] = {kind: deque() for kind in Kind}

    def ask_for(self, kind: Kind, moods: Iterable[Mood]) -> None:
        """Have the next requests of a kind meet these, in order."""
        self._next[kind].extend(moods)

    def take(self, kind: Kind) -> Mood | None:
        """Return what this request meets."""
        asked = self._next[kind]
        mood = asked.popleft() if asked else self.choose(kind)
        if mood is not None:
            self.met[kind, mood] += 1
        return mood


def kind_of(path: str) -> Kind | None:
    """Return what a request at a path of X is for, None for one of the sandbox's own."""
    if path.startswith("/2/tweets"):
        return Kind.POST
    if path.startswith("/2/users/"):
        return Kind.TIMELINE
    return Kind.MEDIA if path.startswith("/2/media/") else None


class Moody:
    """The sandbox's application behind its moods."""

    def __init__(self, app: ASGIApp, moods: Moods) -> None:
        self._app = app
        self._moods = moods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, well or badly."""
        kind = kind_of(scope["path"]) if scope["type"] == "http" else None
        if kind is None:
            await self._app(scope, receive, send)
            return
        mood = self._moods.take(kind)
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if mood not in _NOT_TAKEN:
            await self._app(scope, receive, keep)
        if self._moods.reached is not None:
            await self._moods.reached(kind, mood)
        await self._answer(mood, answer, receive, send)

    async def _answer(self, mood: Mood | None, answer: list[Message], receive: Receive, send: Send) -> None:
        match mood:
            case None:
                for message in answer:
                    await send(message)
            case Mood.HANGS_BEFORE | Mood.HANGS_AFTER:
                await _hang(receive)
            case Mood.RESET_BEFORE | Mood.RESET_AFTER:
                _cut(send)
            case Mood.HALF_A_BODY:
                body = b"".join(message.get("body", b"") for message in answer)
                await send(answer[0])
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                _close(send)
            case Mood.FAILS_BEFORE | Mood.FAILS_AFTER:
                await _say(send, 503, _PAGE, "text/html")
            case Mood.EMPTY_AFTER:
                await _say(send, 500, b"", "text/plain")
            case Mood.HTML_AFTER:
                await _say(send, 200, _PAGE, "text/html")
            case Mood.REFUSED_IN_HTML_AFTER:
                await _say(send, 403, _PAGE, "text/html")
            case _:
                status, title, detail = _DETAILS[mood]
                said = orjson.dumps({"title": title, "detail": detail, "type": "about:blank", "status": status})
                until = str(int(clock.now().timestamp()) + self._moods.pause_seconds).encode()
                limit = [(b"x-rate-limit-limit", b"0"), (b"x-rate-limit-reset", until)] if mood is Mood.RATE_LIMITED else []
                await _say(send, status, said, "application/json", limit)


async def _say(send: Send, status: int, body: bytes, media_type: str, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _hang(receive: Receive) -> None:
    try:
        async with asyncio.timeout(HANG_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _close(send: Send) -> None:
    _transport(send).close()


def _cut(send: Send) -> None:
    transport = _transport(send)
    # With a linger of nothing, the other side gets a reset instead of an end.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _transport(send: Send) -> Any:
    """Return the connection behind an answer: no application is meant to have it, but a bad line is not meant either."""
    sender: Any = send
    sender.__self__.disconnected = True  # else uvicorn logs as a fault of ours what is wanted
    return sender.__self__.transport
