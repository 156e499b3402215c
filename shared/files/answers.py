"""Files handed out: pictures that we drew may be shown, everything else is a download that no browser looks into."""

import re
import unicodedata
from urllib.parse import quote

from fastapi import Request, Response

SHOWN = frozenset({"image/jpeg", "image/png"})
"""What may be shown in a page, because only we make it."""
# A file is no page: nothing in it is run or loaded, also where somebody opens it by itself.
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_NAME_MAX_CHARACTERS = 100


def shown(request: Request, *, data: bytes, media_type: str, sha256: str, public: bool = False) -> Response:
    """Return a picture that we drew, to be shown; raises ValueError for any other kind. An address with its hash never shows another.

    Where staff alone may see it, the headers of private pages (`keep_private`) stand above what is said of keeping here.
    """
    if media_type not in SHOWN:
        raise ValueError(f"{media_type} is not drawn by us: hand it out by `download`")
    kept = "public, max-age=31536000, immutable" if public else "private, max-age=31536000, immutable"
    headers = {"ETag": f'"{sha256}"', "Cache-Control": kept, "Content-Security-Policy": _POLICY}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers={**headers, "Content-Disposition": "inline"})


def download(*, data: bytes, name: str) -> Response:
    """Return a file as it came, to be kept on disk; `name` may be anything, and is only proposed (RFC 6266)."""
    safe = file_name(name)
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", safe)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}",
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": _POLICY,
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


def file_name(name: str) -> str:
    """Return a name that is no path, has no control or turning mark in it and an end that people see; `file` where nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    readable = "".join(sign if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} else "" for sign in last)
    trimmed = re.sub(r'[<>:"|?*]', "_", readable).strip(" .")
    stem, dot, ending = trimmed.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: _NAME_MAX_CHARACTERS - 11]}.{ending}"
    return trimmed[:_NAME_MAX_CHARACTERS] or "file"
