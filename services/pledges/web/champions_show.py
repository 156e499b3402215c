"""Champion countries as everybody sees them: dated, sourced records, never the current list."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from services.pledges.store import champions
from services.pledges.store.champions import Champion
from shared import i18n
from shared.db import Database
from shared.events.codes import Region
from shared.reference.champions import completeness
from shared.reference.countries import by_name, country
from shared.web import wording
from shared.web.pages import Pages, Sentence
from shared.web.request_state import reader_language

PATH = "/pledges/champions"
_YEAR, _MONTH = len("2021"), len("2021-02")


def router(database: Database, pages: Pages) -> APIRouter:
    """Return the page of the champions."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(request: Request) -> Response:
        """Show every record as a tile in each region in which its country lies, and as a list with its source."""
        reader = reader_language(request)
        async with database.transaction() as tx:
            kept = await champions.listing(tx)
            changed_at = await champions.changed_at(tx)
        place = {found.alpha2: number for number, found in enumerate(by_name(reader))}
        records = [record(one, reader) for one in sorted(kept, key=lambda one: place[one.country])]
        whole = completeness()
        return pages.render(
            request,
            "pledges/champions.html",
            records=records,
            changed_on=changed_at.date() if changed_at else None,
            stated=whole.stated,
            stated_year=whole.stated_year,
            regions=_by_region(records, reader),
            footnotes=wording.footnotes([one.country for one in kept], reader),
        )

    return router


def record(one: Champion, reader: str) -> dict[str, Any]:
    """Return a record as a page shows it."""
    return {
        "country": one.country,
        "name": wording.country_name(one.country, reader),
        "since": when(one.since, reader),
        "seen": when(one.seen, reader),
        "until": when(one.until, reader),
        "source": one.source,
        "verified": one.verified,
        "note": one.note,
    }


def when(text: str | None, reader: str) -> str | None:
    """Return a day, a month or a year as people write it, as exactly as it is known."""
    if not text:
        return None
    first = date.fromisoformat(text + "0000-01-01"[len(text) :])
    return {_YEAR: text, _MONTH: i18n.month(first, reader)}.get(len(text)) or i18n.day(first, reader)


def _by_region(records: Sequence[Mapping[str, Any]], reader: str) -> Sequence[tuple[Sentence | None, Sequence[Mapping[str, Any]]]]:
    """Return each region with the records whose countries lie in it; at the end, without a name, those that lie in none."""
    homes = {one["country"]: country(one["country"]).home_regions for one in records}
    found: list[tuple[Sentence | None, Sequence[Mapping[str, Any]]]] = [
        (wording.region_title(region.value, reader), [one for one in records if region.value in homes[one["country"]]]) for region in Region
    ]
    found.append((None, [one for one in records if not homes[one["country"]]]))
    return [(title, own) for title, own in found if own]
