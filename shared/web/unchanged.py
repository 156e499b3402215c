"""Answers that are sent again only when they are other ones: entity tags (RFC 9110, sections 8.8.3 and 13.1.2)."""

from collections.abc import Mapping
from hashlib import sha256

from fastapi import Request, Response


def etag_of(*parts: str) -> str:
    """Return the tag of an answer that is another one whenever one of these parts is."""
    return f'"{sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'


def unchanged(request: Request, etag: str, headers: Mapping[str, str]) -> Response | None:
    """Return 304 where the asker has this very answer, else None. `headers` are those that the whole answer would have."""
    if "*" not in (known := _tags(request)) and etag not in known:
        return None
    return Response(status_code=304, headers={**headers, "ETag": etag})


def _tags(request: Request) -> frozenset[str]:
    told = ",".join(request.headers.getlist("if-none-match"))
    # A proxy that packs an answer makes its tag a weak one; to be shown, it is the same.
    return frozenset(tag.strip().removeprefix("W/") for tag in told.split(",") if tag.strip())
