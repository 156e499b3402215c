"""The five thematic areas of the Fund and the seventeen priorities of the work plan 2021-2022."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from shared.reference.loader import Provenance, first, items, numbers, provenance, read, titles
from shared.reference.titles import Titles


@dataclass(frozen=True, kw_only=True)
class ThematicArea:
    """One of the areas under which the Fund groups the objectives."""

    n: int  # 1 to 5
    title: Titles
    objectives: tuple[int, ...]  # the Fund's own grouping; empty: no source that was read gives it
    objectives_in_workplan: tuple[int, ...]  # only what the work plan's sections under this area name together
    workplan_sections: tuple[str, ...]  # codes of priorities
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `thematic-area:3`."""
        return f"thematic-area:{self.n}"


class PriorityKind(StrEnum):
    """The part of the work plan in which a priority stands."""

    CORE = "core"  # core working groups
    GROUP = "group"  # thematic working groups that continue
    THEMATIC = "thematic"  # thematic priorities of the period


@dataclass(frozen=True, kw_only=True)
class ThematicPriority:
    """One section of the work plan."""

    code: str
    kind: PriorityKind
    title: Titles
    objectives: tuple[int, ...]  # empty where the section names none
    area: int | None  # number of the thematic area; core priorities have none
    lead: tuple[str, ...]  # names as printed; empty where nobody is named for the whole section
    activities: int
    activities_with_deadline: int
    provenance: Provenance

    @property
    def key(self) -> str:
        """Return the key that no other record has: `thematic-priority:core-1`."""
        return f"thematic-priority:{self.code}"


@cache
def areas() -> tuple[ThematicArea, ...]:
    """Return the five areas in their order."""
    found = []
    for row in read("thematic-areas"):
        title = titles(row, "title")
        grouping = numbers(row["objectives"])
        unknown = () if grouping else ("objectives not seen",)
        found.append(
            ThematicArea(
                n=int(row["n"]),
                title=title,
                objectives=grouping,
                objectives_in_workplan=numbers(row["objectives_in_workplan"]),
                workplan_sections=items(row["workplan_sections"]),
                provenance=provenance(row, *unknown, title=title),
            )
        )
    return tuple(found)


def area(n: int) -> ThematicArea:
    """Return thematic area number `n`. Raises UnknownCodeError outside 1 to 5."""
    return first((found for found in areas() if found.n == n), otherwise=f"there is no thematic area {n}; they are numbered 1 to 5")


@cache
def priorities() -> tuple[ThematicPriority, ...]:
    """Return the seventeen priorities in the order of the work plan."""
    found = []
    for row in read("thematic-priorities"):
        title = titles(row, "title")
        found.append(
            ThematicPriority(
                code=row["code"],
                kind=PriorityKind(row["kind"]),
                title=title,
                objectives=numbers(row["objectives"]),
                area=int(row["thematic_area"]) if row["thematic_area"] else None,
                lead=items(row["lead"]),
                activities=int(row["activities"]),
                activities_with_deadline=int(row["activities_with_deadline"]),
                provenance=provenance(row, title=title),
            )
        )
    return tuple(found)


def priority(code: str) -> ThematicPriority:
    """Return the priority with `code`, for example `thematic-6`. Raises UnknownCodeError when there is none."""
    return first((found for found in priorities() if found.code == code), otherwise=f"there is no thematic priority {code!r}")
