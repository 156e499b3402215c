"""What a form brings as a file, read within limits: the size is checked on the way in, its name and told type are not looked at."""

import asyncio
import re
from collections.abc import Callable

from starlette.datastructures import FormData, UploadFile
from starlette.types import Scope

from shared.files.pictures import UPLOAD_MAX_BYTES, DrawnPicture, PictureRefusedError, Refusal, draw_again
from shared.web.safety import FORM_MAX_BYTES


def takes_files(*paths: str) -> Callable[[Scope], int]:
    """Return the limit of bodies for a service whose addresses of these patterns take one file; give it as `Service.limit_of`.

    Each is a regular expression of the whole path: `/social/posts/[^/]+/pictures`.
    """
    patterns = [re.compile(path) for path in paths]

    def limit_of(scope: Scope) -> int:
        wide = scope["method"] == "POST" and any(pattern.fullmatch(scope["path"]) for pattern in patterns)
        return UPLOAD_MAX_BYTES + FORM_MAX_BYTES if wide else FORM_MAX_BYTES

    return limit_of


async def picture_of(form: FormData, field: str) -> DrawnPicture:
    """Return the picture that a form brings in this field, drawn again; raises PictureRefusedError, also where there is none."""
    upload = form.get(field)
    if not isinstance(upload, UploadFile):
        raise PictureRefusedError(Refusal.MISSING)
    # One byte more than is taken tells that there is more.
    return await asyncio.to_thread(draw_again, await upload.read(UPLOAD_MAX_BYTES + 1))
