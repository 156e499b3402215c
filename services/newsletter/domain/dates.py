"""Dates of the calendar that are nobody else's, and deadlines that come near."""

from collections.abc import Iterator
from typing import Any

from services.newsletter.domain.items import Item, item_of, level_of
from shared.events.calendar import CalendarDate, DatePublished, DeadlineNear
from shared.events.codes import DateKind, Level
from shared.heard import Told
from shared.i18n import translate
from shared.listening import Received
from shared.pauses.stretches import FORBIDDING

PRINTED = frozenset(
    {
        DateKind.MEETING,
        DateKind.INTERNATIONAL_DAY,
        DateKind.REGIONAL_REVIEW,
        DateKind.REPORT,
        DateKind.TRAINING,
        DateKind.STEERING_COMMITTEE,
        DateKind.OTHER,
    }
)
"""The kinds of date that readers are told of as soon as they stand."""


def items_of_date(told: Told) -> Iterator[Item]:
    """Yield the item of a date without a source, and the one of a deadline that is near: once, wherever it moves afterwards.

    A date with a source is that of a Talk, a pledge or a text, of which readers hear anyway. What has become a blackout or an embargo
    gives nothing: its words are for those who send alone, and what it was keeps its own until it is withdrawn.
    """
    published, latest = told.last(DatePublished), told.last(CalendarDate)
    if latest is not None and latest.data.kind in FORBIDDING:
        return
    if published is not None and latest is not None and told.is_news(DatePublished) and _is_printed(published.data):
        stands = _is_printed(latest.data)
        kind = latest.data.kind if stands else published.data.kind
        because = None if stands else translate("en", "staff.source.not-given")
        yield item_of(told, latest, label=kind.value, withdrawn_because=because, **_facts_of_date(latest))
    near = told.last(DeadlineNear)
    if near is not None and told.is_news(DeadlineNear):
        if latest is None or near.revision > latest.revision:
            yield item_of(told, near, milestone="near", label="deadline", **_facts_of_deadline(near))
        else:
            yield item_of(told, latest, milestone="near", label="deadline", **_facts_of_date(latest))


def _is_printed(date: CalendarDate) -> bool:
    return date.source is None and date.kind in PRINTED


def _facts_of_date(event: Received[CalendarDate]) -> dict[str, Any]:
    date = event.data
    return {
        "language": date.language,
        "title": date.title,
        "summary": date.summary or {},
        "level": level_of(date.countries, date.regions),
        "countries": date.countries,
        "objectives": date.objectives,
        "when": date.when.model_dump(mode="json"),
        "place": date.place or "",
        "address": date.address,
    }


def _facts_of_deadline(event: Received[DeadlineNear]) -> dict[str, Any]:
    near = event.data
    return {
        "language": next(iter(near.title)),
        "title": near.title,
        "summary": {},
        "level": Level.GLOBAL,
        "when": near.due.model_dump(mode="json"),
        "address": near.address,
    }
