"""A form as a browser sends it: what was filled in, the file that came along, and what is wrong with either."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from services.intake.kinds.form import Filled, Posted, Widget, fields_of
from shared import i18n
from shared.events.kinds.parts import UNKNOWN_CONTACT, Submission
from shared.files.documents import ACCEPT, ACCEPT_WITH_PICTURES, Document, DocumentRefusedError, judge, judge_or_draw
from shared.files.pictures import UPLOAD_MAX_BYTES, PictureRefusedError
from shared.web.forms import Fault
from shared.web.request_state import reader_language

TRAP = "website"
"""A field that nobody sees; programs that fill in every form they find fill it in."""
ONCE = "once"
"""Drawn with the empty form, so that the same form sent twice is kept once."""
MORE = "more"
FILE = "file"
FILE_KINDS = frozenset({"pledge", "talk", "promotion", "contribution"})
"""Kinds that take one file: a pledge an annex, a Talk its concept note, a request for promotion a poster, a contribution a picture."""
PICTURE_KINDS = frozenset({"promotion", "contribution"})
"""Those whose file may be a picture, which is drawn again."""
_FIELDS_MAX = 500
_ONCE_CHARACTERS = 64


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A form that was sent, or the empty one."""

    filled: Filled
    document: Document | None = None
    file_fault: Fault | None = None  # what is wrong with the file

    @property
    def once(self) -> str:
        """The token drawn with the form."""
        return self.filled.one(ONCE)[:_ONCE_CHARACTERS]

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        """The file as a submission names it."""
        found = self.document
        return [{"sha256": found.sha256, "name": found.name, "media_type": found.media_type, "size": len(found.data)}] if found else []

    def read(
        self, model: type[Submission], *, faults: Sequence[Fault] = (), no_contact: bool = False
    ) -> tuple[Submission | None, Sequence[Fault]]:
        """Return the submission, or what is wrong; `faults` are those that were found already."""
        found = [*faults, *([self.file_fault] if self.file_fault else [])]
        values = self.filled.values()
        try:
            submission = model.model_validate(
                values | {"contact": None} if no_contact else values, context=UNKNOWN_CONTACT if no_contact else None
            )
        except ValidationError as error:
            return None, [*self.filled.faults(error), *found]
        found = [*self.filled.faults(None), *found]
        return (None, found) if found else (submission, ())

    def hash_of(self, submission: Submission, *more: str) -> str:
        """Return what is the same when the same form is sent again, and another when it was changed or begun anew."""
        content: dict[str, Any] = submission.model_dump(mode="json")
        parts = [self.once, *more, *(file["sha256"] for file in self.files)]
        written = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256("\0".join(parts).encode() + b"\0" + written).hexdigest()


def empty(model: type[Submission], request: Request) -> Sent:
    """Return the empty form, but for what a link to it has chosen already, such as the initiative that is asked about."""
    fields, asked = fields_of(model), request.query_params
    chosen = {
        field.name: [asked[field.name]] for field in fields if field.widget is Widget.CHOICE and asked.get(field.name) in field.options
    }
    return Sent(filled=Filled(fields=fields, posted=chosen, language=reader_language(request)))


async def read_form(request: Request, model: type[Submission]) -> Sent:
    """Return what a browser sent."""
    takes_file = model.kind_name in FILE_KINDS
    async with request.form(max_files=1 if takes_file else 0, max_fields=_FIELDS_MAX) as form:
        posted = _texts(form)
        document, fault = await _document(form, model.kind_name) if takes_file else (None, None)
    chosen = next((value for value in posted.get("language", ()) if value in i18n.CONTENT_LANGUAGES), None)
    filled = Filled(fields=fields_of(model), posted=posted, language=chosen or reader_language(request))
    return Sent(filled=filled, document=document, file_fault=fault)


def _texts(form: FormData) -> Posted:
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


def accepted_by(kind: str) -> str:
    """Return what the field for the file of a kind offers to choose from."""
    return ACCEPT_WITH_PICTURES if kind in PICTURE_KINDS else ACCEPT


async def _document(form: FormData, kind: str) -> tuple[Document | None, Fault | None]:
    upload = form.get(FILE)
    if not isinstance(upload, UploadFile) or not upload.filename:
        return None, None
    try:
        # One byte more than is taken tells that there is more.
        data = await upload.read(UPLOAD_MAX_BYTES + 1)
        return await asyncio.to_thread(judge_or_draw if kind in PICTURE_KINDS else judge, data, upload.filename), None
    except (DocumentRefusedError, PictureRefusedError) as error:
        return None, Fault(field=FILE, pointer="", part="body", code=error.refusal.value, key=error.key, params=error.params)
