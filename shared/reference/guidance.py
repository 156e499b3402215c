"""The seven themes of the Network's guidance and tools."""

from dataclasses import dataclass
from functools import cache

from shared.reference.loader import Provenance, first, numbers, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class GuidanceDocument:
    """The guidance published under a theme: its English title as printed, and the Network's page on it."""

    title: str  # in English
    address: str


@dataclass(frozen=True, kw_only=True)
class GuidanceTheme:
    """One theme under which the Network offers guidance."""

    code: str
    title: Titles
    objectives: tuple[int, ...]  # empty where no source names any
    priority: str | None  # code of the section of the work plan on the same matter
    document: GuidanceDocument | None  # one that was seen, not all there are; None where none was found
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `guidance-theme:access-to-services`."""
        return f"guidance-theme:{self.code}"


@cache
def guidance_themes() -> tuple[GuidanceTheme, ...]:
    """Return the seven themes in the order of the overview that lists them."""
    found = []
    for row in read("guidance-themes"):
        title = titles(row, "title")
        document = GuidanceDocument(title=row["document_en"], address=f"https://{row['document_address']}") if row["document_en"] else None
        found.append(
            GuidanceTheme(
                code=row["code"],
                title=title,
                objectives=numbers(row["objectives"]),
                priority=row["priority"] or None,
                document=document,
                provenance=provenance(row, *(() if document else ("document not found",)), title=title),
            )
        )
    return tuple(found)


def guidance_theme(code: str) -> GuidanceTheme:
    """Return the theme with `code`, for example `discrimination`. Raises UnknownCodeError when there is none."""
    return first((found for found in guidance_themes() if found.code == code), otherwise=f"there is no guidance theme {code!r}")
