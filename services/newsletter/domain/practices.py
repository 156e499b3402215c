"""Practices of the public repository."""

from collections.abc import Iterator

from services.newsletter.domain.items import Item, item_of, level_of
from shared.events.intake import PracticePublished
from shared.heard import Told


def items_of_practice(told: Told) -> Iterator[Item]:
    """Yield the item that a published practice gives."""
    published = told.last(PracticePublished)
    if published is None or not told.is_news(PracticePublished):
        return
    practice = published.data
    yield item_of(
        told,
        published,
        label="practice",
        language=practice.language,
        title=practice.title,
        summary=practice.summary,
        entity=practice.entity,
        level=level_of(practice.countries),
        countries=practice.countries,
        objectives=practice.objectives,
        address=practice.address,
    )
