"""Pledges: one is told of when it is made, and once more when it is fulfilled."""

from collections.abc import Iterator
from typing import Any

from services.newsletter.domain.items import Item, item_of, summaries_of
from shared.events.codes import Level, PledgeState, Scope
from shared.events.pledges import Pledge, PledgeFulfilled, PledgePublished
from shared.heard import Told
from shared.i18n import translate

_LEVELS = {Scope.GLOBAL: Level.GLOBAL, Scope.REGIONAL: Level.REGIONAL, Scope.NATIONAL: Level.NATIONAL, Scope.LOCAL: Level.NATIONAL}


def items_of_pledge(told: Told) -> Iterator[Item]:
    """Yield the item of a new pledge, and the one of its fulfilment; a report of its owner corrects both and is no news by itself.

    Invented sample data never reach readers.
    """
    latest = told.last(Pledge)
    if latest is None or latest.data.synthetic:
        return
    pledge = latest.data
    facts: dict[str, Any] = {
        "language": pledge.language,
        "title": pledge.title,
        "entity": pledge.entity,
        "level": _LEVELS[pledge.scope],
        "countries": pledge.countries,
        "objectives": pledge.objectives,
        "standing": pledge.state.value,
        "address": pledge.address,
    }
    if told.is_news(PledgePublished):
        yield item_of(told, latest, label="pledge", summary=summaries_of(pledge.text), **facts)
    fulfilled = told.last(PledgeFulfilled)
    if fulfilled is not None and told.is_news(PledgeFulfilled):
        taken_back = translate("en", "staff.source.not-fulfilled") if pledge.state is not PledgeState.FULFILLED else None
        summary = summaries_of(fulfilled.data.note or pledge.text)
        facts |= {"milestone": "fulfilled", "label": "pledge-fulfilled", "withdrawn_because": taken_back}
        yield item_of(told, latest, summary=summary, **facts)
