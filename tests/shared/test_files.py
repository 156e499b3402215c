"""Files from people: judged by their bytes, drawn again, handed out so that they can do nothing."""

import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from shared.files import pictures
from shared.files.answers import download, file_name, shown
from shared.files.pictures import UPLOAD_MAX_BYTES, PictureRefusedError, Refusal, draw_again
from shared.files.uploads import picture_of, takes_files
from shared.i18n import LANGUAGES, translate
from shared.web.pages import Pages
from shared.web.problem import Problem
from shared.web.request_state import keep_private
from shared.web.wiring import install
from tests.people import VERIFIER
from tests.shared.web_app import browser

SECRET = b"GPS 46.2276 6.1459 Jane Example"


_COLOURS: dict[str, tuple[int | tuple[int, ...], int | tuple[int, ...]]] = {
    "RGB": ((0, 0, 255), (255, 0, 0)),
    "RGBA": ((0, 0, 255, 255), (255, 0, 0, 255)),
    "CMYK": ((255, 255, 0, 0), (0, 255, 255, 0)),
    "L": (60, 200),
}


def photograph(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A picture whose corners tell which way up it is: red at the top left, the rest blue."""
    colour, corner = _COLOURS[mode]
    image = Image.new(mode, (width, height), colour)
    ImageDraw.Draw(image).rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=corner)
    return image


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def telling(kind: str) -> bytes:
    """A picture with metadata of every sort its kind has."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x0112] = 6  # lies on its side
    how: dict[str, Any] = {"exif": exif}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", SECRET.decode())
        info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        how["pnginfo"] = info
    if kind == "JPEG":
        how |= {"comment": SECRET, "xmp": SECRET, "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    if kind == "WEBP":
        how |= {"xmp": SECRET}
    if kind == "GIF":
        how = {"comment": SECRET}
    return saved(photograph(), kind, **how) + b"<script>" + SECRET


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg"), ("GIF", "image/png")]
)
def test_only_the_pixels_stay(kind: str, media_type: str) -> None:
    original = telling(kind)
    assert SECRET in original
    drawn = draw_again(original)
    assert (drawn.media_type, SECRET in drawn.data, b"script" in drawn.data) == (media_type, False, False)
    image = opened(drawn.data)
    assert Image.MIME[image.format or ""] == media_type
    assert image.getexif() == {}
    # What only says how dense the pixels are, or how they are stored, may stay.
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    assert (image.width, image.height) == (drawn.width, drawn.height)
    assert draw_again(original).sha256 == drawn.sha256


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_put_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = opened(draw_again(saved(photograph(), "JPEG", exif=exif, quality=95)).data).convert("RGB")
    assert image.size == ((60, 40) if orientation < 5 else (40, 60))
    # EXIF 2.32, tag Orientation: where the row and the column numbered nought are to be seen.
    right, low = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    red = image.getpixel((3 + right * (image.width - 7), 3 + low * (image.height - 7)))
    assert isinstance(red, tuple)
    assert red[0] > 200
    assert red[2] < 60


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_are_read(mode: str) -> None:
    image = opened(draw_again(saved(photograph(mode=mode), "JPEG", quality=95)).data)
    assert image.mode == "RGB"
    assert image.getpixel((3, 3)) != image.getpixel((50, 30))


def test_grey_of_sixteen_bits_keeps_its_shades() -> None:
    image = Image.new("I;16", (4, 4), 0x8000)
    shade = opened(draw_again(saved(image, "PNG")).data).convert("L").getpixel((1, 1))
    assert isinstance(shade, int)
    assert 120 < shade < 136


def test_transparency_stays() -> None:
    image = photograph(mode="RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    for kind in ("PNG", "WEBP"):
        drawn = draw_again(saved(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
        pixel = opened(drawn.data).getpixel((0, 0))
        assert (drawn.media_type, isinstance(pixel, tuple) and pixel[3]) == ("image/png", 0)


def test_large_pictures_are_made_smaller() -> None:
    drawn = draw_again(saved(photograph(5_000, 500), "JPEG"))
    assert (drawn.width, drawn.height) == (4_096, 410)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_a_network_would_refuse_for_its_bytes_is_written_smaller(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "RESULT_MAX_BYTES", 20_000)
    noise = Image.effect_noise((400, 300), 90).convert(mode)
    if mode == "RGBA":
        noise.putalpha(Image.effect_noise((400, 300), 90))
    drawn = draw_again(saved(noise, "PNG"))
    assert len(drawn.data) <= 20_000
    assert drawn.media_type == ("image/jpeg" if mode == "RGB" else "image/png")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, content: bytes, *more: bytes) -> bytes:
    """A PNG that says it has this size, whatever it holds."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def moving(kind: str) -> bytes:
    return saved(photograph(), kind, save_all=True, append_images=[Image.new("RGB", (60, 40), "green")], duration=100)


REFUSED: dict[str, tuple[Callable[[], bytes], Refusal]] = {
    "nothing": (lambda: b"", Refusal.MISSING),
    "too many bytes": (lambda: b"\xff\xd8\xff" + b"\0" * UPLOAD_MAX_BYTES, Refusal.TOO_LARGE),
    "HTML": (lambda: b"<html><script>alert(1)</script>", Refusal.NOT_A_PICTURE),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', Refusal.NOT_A_PICTURE),
    "PDF": (lambda: b"%PDF-1.7\n", Refusal.NOT_A_PICTURE),
    "ZIP": (lambda: b"PK\x03\x04", Refusal.NOT_A_PICTURE),
    "TIFF": (lambda: saved(photograph(), "TIFF"), Refusal.NOT_A_PICTURE),
    "BMP": (lambda: saved(photograph(), "BMP"), Refusal.NOT_A_PICTURE),
    "PostScript": (lambda: saved(photograph(), "EPS"), Refusal.NOT_A_PICTURE),
    "AVIF": (lambda: saved(photograph(), "AVIF"), Refusal.NOT_A_PICTURE),
    "a sound that begins as WebP does": (lambda: b"RIFF\x24\0\0\0WAVEfmt ", Refusal.NOT_A_PICTURE),
    "a moving GIF": (lambda: moving("GIF"), Refusal.ANIMATED),
    "a moving PNG": (lambda: moving("PNG"), Refusal.ANIMATED),
    "a moving WebP": (lambda: moving("WEBP"), Refusal.ANIMATED),
    "just too many pixels": (lambda: png(10_000, 5_001, zlib.compress(b"\0" * 10)), Refusal.TOO_MANY_PIXELS),
    "so many that the reader warns": (lambda: png(10_000, 10_000, zlib.compress(b"\0" * 10)), Refusal.TOO_MANY_PIXELS),
    "so many that the reader refuses": (lambda: png(60_000, 60_000, zlib.compress(b"\0" * 10)), Refusal.TOO_MANY_PIXELS),
    "a GIF of too many pixels": (
        lambda: b"GIF89a" + struct.pack("<HHBBB", 65_000, 65_000, 0, 0, 0) + b"\x2c" + b"\0" * 20,
        Refusal.TOO_MANY_PIXELS,
    ),
    "a text that swells to a gigabyte": (
        lambda: png(4, 4, zlib.compress(b"\0" * 20), chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 200_000_000))),
        Refusal.BROKEN,
    ),
    "no pixels": (lambda: png(0, 4, b""), Refusal.BROKEN),
    "half a JPEG": (lambda: saved(Image.effect_noise((300, 300), 50).convert("RGB"), "JPEG")[:9_000], Refusal.BROKEN),
    "half a PNG": (lambda: saved(Image.effect_noise((300, 300), 50).convert("RGB"), "PNG")[:9_000], Refusal.BROKEN),
    "half a WebP": (lambda: saved(Image.effect_noise((300, 300), 50).convert("RGB"), "WEBP")[:3_000], Refusal.BROKEN),
    "the first bytes alone": (lambda: b"\xff\xd8\xff", Refusal.BROKEN),
    "a PNG that says it is a JPEG": (lambda: b"\xff\xd8\xff" + saved(photograph(), "PNG"), Refusal.BROKEN),
}


@pytest.mark.parametrize(("make", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_why_in_every_language(make: Callable[[], bytes], refusal: Refusal) -> None:
    with pytest.raises(PictureRefusedError) as refused:
        draw_again(make())
    assert refused.value.refusal is refusal
    said = {translate(language, refused.value.key, **refused.value.params) for language in LANGUAGES}
    assert len(said) == len(LANGUAGES)
    assert refused.value.key not in said


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_no_change_of_a_byte_does_worse_than_a_refusal(kind: str) -> None:
    whole = bytearray(saved(photograph(24, 24), kind))
    for place in range(4, len(whole), max(1, len(whole) // 150)):
        for value in (0x00, 0xFF, whole[place] ^ 0x10):
            changed = bytearray(whole)
            changed[place] = value
            try:
                drawn = draw_again(bytes(changed))
            except PictureRefusedError:
                continue
            assert drawn.media_type in {"image/jpeg", "image/png"}


def uploads_app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    pages = Pages(public_url="http://127.0.0.1:8000")
    install(app, pages=pages, verifier=VERIFIER, limit_of=takes_files("/things/[^/]+/pictures"))
    kept: dict[str, tuple[bytes, str]] = {}

    @app.post("/things/{thing}/pictures")
    async def bring(request: Request, thing: str) -> dict[str, str]:
        del thing
        async with request.form(max_files=1, max_fields=5) as form:
            try:
                drawn = await picture_of(form, "picture")
            except PictureRefusedError as error:
                raise Problem(422, "invalid", detail_key=error.key, params={**error.params, "n": 1}) from error
        kept[drawn.sha256] = (drawn.data, drawn.media_type)
        return {"sha256": drawn.sha256}

    @app.get("/pictures/{sha256}")
    async def show(request: Request, sha256: str, private: bool = False) -> Response:
        data, media_type = kept[sha256]
        if private:
            keep_private(request)
        return shown(request, data=data, media_type=media_type, sha256=sha256, public=True)

    @app.get("/originals/{name:path}")
    async def original(name: str) -> Response:
        return download(data=b"<script>alert(1)</script>", name=name)

    return app


async def bring(asker: httpx.AsyncClient, data: bytes, name: str = "x.png", told: str = "image/png") -> httpx.Response:
    return await asker.post("/things/1/pictures", files={"picture": (name, data, told)}, headers={"Accept": "application/json"})


async def test_a_picture_is_brought_and_shown_whatever_it_calls_itself() -> None:
    async with browser(uploads_app()) as asker:
        answer = await bring(asker, saved(photograph(), "JPEG"), name="../../etc/passwd\0.html", told="text/html")
        assert answer.status_code == 200, answer.text
        seen = await asker.get(f"/pictures/{answer.json()['sha256']}")
        again = await asker.get(f"/pictures/{answer.json()['sha256']}", headers={"If-None-Match": seen.headers["etag"]})
        private = await asker.get(f"/pictures/{answer.json()['sha256']}?private=true")
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.headers["content-disposition"] == "inline"
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in seen.headers["content-security-policy"]
    assert seen.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")
    assert private.headers["cache-control"] == "no-store"


async def test_a_page_that_calls_itself_a_picture_is_refused_in_words() -> None:
    async with browser(uploads_app()) as asker:
        answer = await bring(asker, b"<html><script>alert(1)</script>")
        none = await asker.post("/things/1/pictures", data={"picture": "text"}, headers={"Accept": "application/json"})
    assert (answer.status_code, none.status_code) == (422, 422)
    assert answer.json()["detail"] == translate("en", "picture.not-a-picture")
    assert none.json()["detail"] == translate("en", "picture.missing")


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--b\r\nContent-Disposition: form-data; name="picture"; filename="x.png"\r\n\r\n'
        while True:
            read += 1024 * 1024
            yield b"\0" * 1024 * 1024

    async with browser(uploads_app()) as asker:
        asker.headers["Content-Type"] = "multipart/form-data; boundary=b"
        answer = await asker.post("/things/1/pictures", content=endless())
        assert answer.status_code == 413
        assert read <= UPLOAD_MAX_BYTES + 3 * 1024 * 1024
        # An address that takes no file has the limit of a form.
        read = 0
        elsewhere = await asker.post("/things/1/other", content=endless())
        assert elsewhere.status_code in {404, 413}
        assert read <= 3 * 1024 * 1024


NAMES = [
    ("a plain one", "Report 2026.pdf", "Report 2026.pdf"),
    ("a path", "../../etc/passwd", "passwd"),
    ("a path of Windows", "C:\\temp\\x.exe", "x.exe"),
    ("a line break", 'x"\r\nSet-Cookie: a=b', "xSet-Cookie_ a=b"),
    ("marks that turn", "invoice\u202efdp.exe", "invoicefdp.exe"),
    ("another script", "تقرير.pdf", "تقرير.pdf"),
    ("dots alone", "..", "file"),
    ("nothing", "", "file"),
    ("a long one", "a" * 500 + ".pdf", "a" * 89 + ".pdf"),
    ("halves of characters", "a\ud83d.txt", "a.txt"),
]


@pytest.mark.parametrize(("what", "name", "expected"), NAMES, ids=[row[0] for row in NAMES])
def test_names_are_only_names(what: str, name: str, expected: str) -> None:
    found = file_name(name)
    assert found.replace('"', "_") == expected if what != "a line break" else "\n" not in found
    answer = download(data=b"x", name=name)
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_an_original_is_a_download_that_no_browser_looks_into() -> None:
    async with browser(uploads_app()) as asker:
        answer = await asker.get("/originals/x.html")
    assert answer.headers["content-disposition"] == "attachment; filename=\"x.html\"; filename*=UTF-8''x.html"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"


def test_only_what_we_drew_is_shown() -> None:
    request = Request({"type": "http", "headers": []})
    with pytest.raises(ValueError, match="not drawn by us"):
        shown(request, data=b"<svg/>", media_type="image/svg+xml", sha256="a" * 64)
