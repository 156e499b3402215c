"""Answers that are sent again only when they are other ones: entity tags (RFC 9110, sections 8.8.3 and 13.1.2)."""

import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from fastapi import Request, Response

SHARED = Path(__file__).parents[1]
# What words days, fills templates and knows when clocks change, though it is not ours.
_LIBRARIES = ("babel", "jinja2", "tzdata")


@cache
def written_by(service: Path) -> str:
    """Return what changes with anything that the service in this folder makes answers of, so that an upgrade is not taken for what
    readers have already: code, templates, catalogues and reference data, its own and the shared ones; read once a process.
    """
    found = sha256(sys.version.encode())
    for library in _LIBRARIES:
        found.update(f"{library} {version(library)}\0".encode())
    for folder in (service, SHARED):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                content = path.read_bytes()
                found.update(f"{path.relative_to(folder)} {len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


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
