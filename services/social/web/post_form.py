"""What a person has written into the form of one variant: read, checked field by field, and kept for the next showing where it is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData, UploadFile

from services.social.domain.content import Content, Picture
from services.social.networks.fitting import FITS
from services.social.posting.writing import Written
from shared.events.kinds.faults import fault_key
from shared.events.texts import TEXT_LENGTH, clean_text
from shared.files.pictures import DrawnPicture, PictureRefusedError
from shared.files.uploads import picture_of
from shared.web.forms import Fault


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The form of one variant as it came in."""

    name: str  # of the variant: x/en
    text: str
    seen: str  # the hash of the variant that its writer had before them; empty where the form has none
    alternatives: Mapping[str, str]  # by the hash of the picture
    new_alternative: str = ""
    faults: Sequence[Fault] = ()
    written: Written | None = None  # None where something is wrong
    drawn: DrawnPicture | None = None  # a new picture, to be kept with what is written

    @property
    def prefix(self) -> str:
        """What the names of its fields begin with: `x-en`."""
        return prefix_of(self.name)


@dataclass(kw_only=True)
class _Reading:
    prefix: str
    form: FormData
    faults: list[Fault] = field(default_factory=list)

    def text(self, name: str) -> str:
        value = self.form.get(f"{self.prefix}-{name}", "")
        return value if isinstance(value, str) else ""

    def cleaned(self, name: str, most: int) -> str:
        value = self.text(name)
        try:
            cleaned = str(clean_text(value))
        except PydanticCustomError as error:
            self.fault(name, error.type.removeprefix("fault."), error.context)
            return value
        if len(cleaned) > most:
            self.fault(name, "too-long", {"n": most})
        return cleaned

    def fault(self, name: str, code: str, params: Mapping[str, Any] | None = None, *, key: str = "") -> None:
        full = f"{self.prefix}-{name}"
        made = Fault(field=full, pointer=f"/{full}", part="body", code=code, key=key or fault_key(code), params=params or {})
        self.faults.append(made)


def prefix_of(name: str) -> str:
    """Return what the names of the fields of a variant begin with: `x-en` for `x/en`."""
    return name.replace("/", "-")


async def read(form: FormData, variant: Content) -> Filled:
    """Return what a form says about a variant; `remove` names a picture to be taken out. A new picture is drawn again, in a thread."""
    fit = FITS[variant.network]
    reading = _Reading(prefix=prefix_of(variant.name), form=form)
    text = reading.cleaned("text", TEXT_LENGTH)
    removed = form.get("remove")
    alternatives = {one.sha256: reading.text(f"alternative-{one.sha256}") for one in variant.pictures}
    pictures = [
        replace(one, alternative=_alternative(reading, f"alternative-{one.sha256}", fit.alternative_limit))
        for one in variant.pictures
        if one.sha256 != removed
    ]
    new_alternative = reading.text("alternative-new")
    drawn = await _new_picture(reading)
    if drawn is not None:
        alternative = _alternative(reading, "alternative-new", fit.alternative_limit)
        if len(pictures) >= fit.most_pictures:
            reading.fault("picture", "too-many-pictures", {"n": fit.most_pictures})
        elif drawn.sha256 in {one.sha256 for one in pictures}:
            reading.fault("picture", "same-picture")
        pictures.append(Picture(sha256=drawn.sha256, media_type=drawn.media_type, alternative=alternative))
    sent = form.get("seen", "")
    seen = sent if isinstance(sent, str) else ""
    written = Written(text=text, pictures=tuple(pictures), seen=seen)
    return Filled(
        name=variant.name,
        text=reading.text("text"),
        seen=seen,
        alternatives=alternatives,
        new_alternative=new_alternative,
        faults=tuple(reading.faults),
        written=None if reading.faults else written,
        drawn=drawn,
    )


def _alternative(reading: _Reading, name: str, most: int) -> str:
    cleaned = reading.cleaned(name, most)
    if not cleaned:
        reading.fault(name, "alternative-missing")
    return cleaned


async def _new_picture(reading: _Reading) -> DrawnPicture | None:
    """Return a picture that was chosen; a browser sends an empty file where none was."""
    name = f"{reading.prefix}-picture"
    upload = reading.form.get(name)
    if not isinstance(upload, UploadFile) or not (upload.filename or upload.size):
        return None
    try:
        return await picture_of(reading.form, name)
    except PictureRefusedError as error:
        reading.fault("picture", error.refusal.value, error.params, key=error.key)
        return None
