"""Documents from people: what one is follows from its bytes, and its name must not say otherwise. Nothing here opens or runs one.

Where a picture may come instead, it is one that we have drawn again."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from shared.files.answers import file_name
from shared.files.pictures import ENDINGS, TAKEN, UPLOAD_MAX_BYTES, draw_again, is_picture

MEDIA_TYPES: Mapping[str, str] = {
    "txt": "text/plain",
    "rtf": "application/rtf",
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
"""The documents that are taken, by the end of their name; the list is that of the Network's pledging form."""

ACCEPT = ",".join(f".{ending}" for ending in MEDIA_TYPES)
"""What a form's field for a file offers to choose from."""
ACCEPT_WITH_PICTURES = ",".join((*(f".{ending}" for ending in TAKEN), ACCEPT))
"""The same, where it may be a picture too."""

# The names of the streams in a compound file of Microsoft's, as its directory has them (MS-CFB, section 2.6.1).
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = {"doc": "WordDocument", "ppt": "PowerPoint Document", "xls": "Workbook"}
_OLD_WORKBOOK = "Book"  # of spreadsheets before 1997
_PACKAGES = {"docx": "word/document.xml", "pptx": "ppt/presentation.xml", "xlsx": "xl/workbook.xml"}
_MIMETYPE_MAX_BYTES = 100
_ENTRIES_MAX = 10_000  # of a package; a presentation with a thousand pictures has fewer
_ENTRY = b"PK\x01\x02"  # before every entry of a package's directory
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


class Refusal(StrEnum):
    """Why a document is not taken; its sentence is `document.<value>`."""

    TOO_LARGE = "too-large"
    NOT_TAKEN = "not-taken"  # none of the documents that are taken, as its bytes say
    OTHER_NAME = "other-name"  # its name says another kind than its bytes
    MACROS = "macros"  # it holds programs
    EMPTY = "empty"


class DocumentRefusedError(ValueError):
    """This document is not taken; `code` and `params` say why in the words of the catalogue."""

    def __init__(self, refusal: Refusal, *, taken: Sequence[str] = tuple(MEDIA_TYPES)) -> None:
        """`taken` are the ends of the names of what would have been taken."""
        super().__init__(refusal.value)
        self.refusal = refusal
        self.key = f"document.{refusal.value}"
        self.params: Mapping[str, Any] = _PARAMS.get(refusal, {})
        if refusal is Refusal.NOT_TAKEN:
            self.params = {"endings": ", ".join(taken)}


_PARAMS: Mapping[Refusal, Mapping[str, Any]] = {Refusal.TOO_LARGE: {"megabytes": UPLOAD_MAX_BYTES // 1024**2}}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document that is taken as it came."""

    data: bytes
    name: str  # that is no path, and ends as its kind does
    media_type: str

    @property
    def sha256(self) -> str:
        """The hash by which it is kept and asked for, in hexadecimal digits."""
        return sha256(self.data).hexdigest()


def judge(data: bytes, name: str) -> Document:
    """Return a document of one of the kinds that are taken; raises DocumentRefusedError. Takes long for large ones: call it in a thread."""
    if len(data) > UPLOAD_MAX_BYTES:
        raise DocumentRefusedError(Refusal.TOO_LARGE)
    if not data:
        raise DocumentRefusedError(Refusal.EMPTY)
    kind = _kind_of(data)
    if kind is None:
        raise DocumentRefusedError(Refusal.NOT_TAKEN)
    shown = file_name(name)
    if shown.rpartition(".")[2].lower() != kind:
        raise DocumentRefusedError(Refusal.OTHER_NAME)
    return Document(data=data, name=shown, media_type=MEDIA_TYPES[kind])


def judge_or_draw(data: bytes, name: str) -> Document:
    """Return a document as `judge` does, or a picture drawn again, named as what it has become; call it in a thread.

    Raises DocumentRefusedError, and PictureRefusedError for what begins like a picture.
    """
    if not is_picture(data):
        try:
            return judge(data, name)
        except DocumentRefusedError as error:
            raise DocumentRefusedError(error.refusal, taken=(*TAKEN, *MEDIA_TYPES)) from error
    drawn = draw_again(data)
    shown = file_name(name)
    stem = shown.rpartition(".")[0] or shown
    return Document(data=drawn.data, name=f"{stem}.{ENDINGS[drawn.media_type]}", media_type=drawn.media_type)


def _kind_of(data: bytes) -> str | None:
    if data.startswith(b"%PDF-"):
        return "pdf"
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if data.startswith(_COMPOUND):
        return _compound(data)
    if data.startswith(b"PK\x03\x04"):
        return _package(data)
    return "txt" if _is_text(data) else None


def _compound(data: bytes) -> str | None:
    found = [kind for kind, stream in _STREAMS.items() if _names(data, stream)]
    if not found and _names(data, _OLD_WORKBOOK):
        found = ["xls"]
    return found[0] if found else None


def _names(data: bytes, stream: str) -> bool:
    return stream.encode("utf-16-le") + b"\0\0" in data


def _package(data: bytes) -> str | None:
    # Before the directory is read: one of half a million entries takes hundreds of megabytes, and hides programs at its end.
    if data.count(_ENTRY) > _ENTRIES_MAX:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise DocumentRefusedError(Refusal.MACROS)
            if "[Content_Types].xml" in names:
                return next((kind for kind, part in _PACKAGES.items() if part in names), None)
            # OpenDocument keeps it unpacked, so nothing of what strangers send is ever unpacked here.
            if "mimetype" in names and package.getinfo("mimetype").compress_type == zipfile.ZIP_STORED:
                with package.open("mimetype") as entry:
                    told = entry.read(_MIMETYPE_MAX_BYTES).decode("ascii", "replace").strip()
                return next((kind for kind in ("odt", "odp", "ods") if MEDIA_TYPES[kind] == told), None)
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, DocumentRefusedError):
            raise
    return None


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
    except UnicodeDecodeError:
        return False
    return _NO_TEXT.search(text) is None
