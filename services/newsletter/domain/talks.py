"""GCM Talks: one is announced, and once it was held it is told what came of it."""

from collections.abc import Iterator
from typing import Any

from services.newsletter.domain.items import Item, item_of, summaries_of
from shared.events.intake import Talk, TalkAccepted, TalkHeld
from shared.heard import Told


def items_of_talk(told: Told) -> Iterator[Item]:
    """Yield the announcement of a Talk, and what came of it; both follow where the Talk moves, and end where it is cancelled."""
    latest = told.last(Talk)
    if latest is None:
        return
    talk = latest.data
    facts: dict[str, Any] = {
        "language": talk.language,
        "title": talk.title,
        "entity": talk.entity,
        "level": talk.level,
        "countries": talk.countries,
        "objectives": talk.objectives,
        "when": talk.when.model_dump(mode="json"),
        "place": talk.place or "",
        "address": talk.address,
    }
    if told.is_news(TalkAccepted):
        yield item_of(told, latest, label="talk", summary=talk.summary, **facts)
    held = told.last(TalkHeld)
    if held is not None and told.is_news(TalkHeld):
        yield item_of(told, latest, milestone="held", label="talk-held", summary=summaries_of(held.data.outcome.summary), **facts)
