"""Style sheets and pictures at `/static/<name>?v=<hash>`, kept by browsers for a year because a new content has a new address."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

STATIC = Path(__file__).parent / "static"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file that pages refer to."""

    content: bytes
    content_type: str
    version: str  # the first 12 digits of the content's SHA-256


@cache
def assets() -> dict[str, Asset]:
    """Return the static files by name, read once."""
    return {
        path.name: Asset(
            content=(content := path.read_bytes()),
            content_type=_CONTENT_TYPES[path.suffix],
            version=hashlib.sha256(content).hexdigest()[:12],
        )
        for path in sorted(STATIC.iterdir())
        if path.suffix in _CONTENT_TYPES
    }


def address_of(name: str) -> str:
    """Return the address of a static file with its version; raises KeyError for a name that is not there."""
    return f"/static/{name}?v={assets()[name].version}"


@router.get("/static/{name}", include_in_schema=False)
async def asset(request: Request, name: str, v: str = "") -> Response:
    """Return a static file."""
    found = assets().get(name)
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": _FOR_GOOD if v == found.version else _ASK_AGAIN, "ETag": f'"{found.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.content_type, headers=headers)
