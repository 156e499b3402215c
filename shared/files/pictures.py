"""Pictures from people, drawn again: the pixels stay, and whatever else the file held (place, camera, a second file) does not."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import BoundedSemaphore
from typing import Any

from PIL import Image, ImageCms, ImageOps

UPLOAD_MAX_BYTES = 25 * 1024 * 1024
# What the best telephones take; held as four bytes each while it is drawn.
PIXELS_MAX = 50_000_000
# X takes no picture of more than 5 MB, and shows none wider or higher (docs.x.com, "Media best practices").
RESULT_MAX_BYTES = 5_000_000
SIDE_MAX = 4_096
_QUALITIES = (88, 80, 70)
_SMALLER = 0.75
# As many at once: each holds some 300 MB at the most.
_DRAWING = BoundedSemaphore(2)

_BEGINNINGS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF", "GIF": b"GIF8"}
ENDINGS: Mapping[str, str] = {"image/jpeg": "jpg", "image/png": "png"}
"""How the name of a picture that we drew ends, by its media type."""
TAKEN = ("jpg", "jpeg", "png", "webp", "gif")
"""How the names of pictures end that can be drawn again."""
_SEVERAL_IN_ONE = "MPO"  # a photograph with its depth or preview behind it; the first is the photograph


class Refusal(StrEnum):
    """Why a picture is not taken; its sentence is `picture.<value>`."""

    MISSING = "missing"  # no file was chosen
    TOO_LARGE = "too-large"  # the file has too many bytes
    NOT_A_PICTURE = "not-a-picture"  # neither JPEG nor PNG, WebP or GIF
    ANIMATED = "animated"  # it moves: the first frame alone might say another thing
    TOO_MANY_PIXELS = "too-many-pixels"
    BROKEN = "broken"  # begins like a picture and cannot be read to its end


class PictureRefusedError(ValueError):
    """This picture is not taken; `key` and `params` say why in the words of the catalogue."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.key = f"picture.{refusal.value}"
        self.params: Mapping[str, Any] = _PARAMS.get(refusal, {})


_PARAMS: Mapping[Refusal, Mapping[str, Any]] = {
    Refusal.TOO_LARGE: {"megabytes": UPLOAD_MAX_BYTES // 1024**2},
    Refusal.TOO_MANY_PIXELS: {"megapixels": PIXELS_MAX // 1_000_000},
}


@dataclass(frozen=True, kw_only=True)
class DrawnPicture:
    """A picture that we made ourselves, which may be shown in a page."""

    data: bytes
    media_type: str  # image/jpeg or image/png: what every mail program and network shows
    width: int  # in pixels
    height: int

    @property
    def sha256(self) -> str:
        """The hash by which it is kept and asked for, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def is_picture(data: bytes) -> bool:
    """Say whether these bytes begin as a picture does that can be drawn again."""
    kind = next((kind for kind, beginning in _BEGINNINGS.items() if data.startswith(beginning)), None)
    return kind is not None and (kind != "WEBP" or data[8:12] == b"WEBP")


def draw_again(data: bytes) -> DrawnPicture:
    """Return the picture upright and without metadata, at most SIDE_MAX wide and high, in at most RESULT_MAX_BYTES.

    Raises PictureRefusedError. Takes seconds: call it in a thread (`await asyncio.to_thread(draw_again, data)`).
    """
    if not data:
        raise PictureRefusedError(Refusal.MISSING)
    if len(data) > UPLOAD_MAX_BYTES:
        raise PictureRefusedError(Refusal.TOO_LARGE)
    if not is_picture(data):
        raise PictureRefusedError(Refusal.NOT_A_PICTURE)
    kind = next(kind for kind, beginning in _BEGINNINGS.items() if data.startswith(beginning))
    with _DRAWING:
        try:
            return _encoded(_pixels(data, kind), opaque_as_jpeg=kind in {"JPEG", "WEBP"})
        except PictureRefusedError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureRefusedError(Refusal.TOO_MANY_PIXELS) from error
        except Exception as error:  # a decoder fails on a broken file with whatever it was doing just then
            raise PictureRefusedError(Refusal.BROKEN) from error


def _pixels(data: bytes, kind: str) -> Image.Image:
    """Return the picture upright in RGB or RGBA, its size known to be bearable before the first pixel is made."""
    with Image.open(io.BytesIO(data), formats=[kind]) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise PictureRefusedError(Refusal.TOO_MANY_PIXELS)
        if getattr(opened, "is_animated", False) and opened.format != _SEVERAL_IN_ONE:
            raise PictureRefusedError(Refusal.ANIMATED)
        opened.draft("RGB", (SIDE_MAX, SIDE_MAX))  # a JPEG is read at a size near to what is wanted
        opened.load()
        image = ImageOps.exif_transpose(opened)
    image = _in_common_colours(image)
    image.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.LANCZOS)
    # Into a new picture: nothing that came with the old one can be written along.
    drawn = Image.new(image.mode, image.size)
    drawn.paste(image)
    return drawn


def _in_common_colours(image: Image.Image) -> Image.Image:
    """Return the picture in sRGB, with its transparency where it has some; a telephone's colours are wider, as it says in a profile."""
    transparent = "A" in image.getbands() or "transparency" in image.info
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # grey of 16 bits
        image = image.point(lambda value: value / 256).convert("L")
    if profile and image.mode == "RGB":
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # its colours are then a little off; that is no reason to refuse it
    image = image.convert("RGBA" if transparent else "RGB")
    if transparent and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _encoded(image: Image.Image, *, opaque_as_jpeg: bool) -> DrawnPicture:
    opaque = image.mode == "RGB"
    while True:
        for media_type, data in _tries(image, jpeg_first=opaque and opaque_as_jpeg, opaque=opaque):
            if len(data) <= RESULT_MAX_BYTES:
                return DrawnPicture(data=data, media_type=media_type, width=image.width, height=image.height)
        smaller = (max(1, int(image.width * _SMALLER)), max(1, int(image.height * _SMALLER)))
        image = image.resize(smaller, Image.Resampling.LANCZOS)


def _tries(image: Image.Image, *, jpeg_first: bool, opaque: bool) -> Iterator[tuple[str, bytes]]:
    """Yield what the picture becomes, best first: drawings stay exact while that fits."""
    if not jpeg_first:
        yield "image/png", _saved(image, "PNG", optimize=False, compress_level=6)
    if opaque:
        for quality in _QUALITIES:
            yield "image/jpeg", _saved(image, "JPEG", quality=quality, progressive=True)


def _saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()
