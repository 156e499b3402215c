"""Statements, press releases, blog articles and news items."""

from collections.abc import Iterator

from services.newsletter.domain.items import Item, item_of, summaries_of
from shared.events.intake import NewsPublished
from shared.heard import Told


def items_of_news(told: Told) -> Iterator[Item]:
    """Yield the item that something published on the news pages gives; readers are told which kind of text it is."""
    published = told.last(NewsPublished)
    if published is None or not told.is_news(NewsPublished):
        return
    news = published.data
    yield item_of(
        told,
        published,
        label=news.kind.value,
        language=news.language,
        title=news.title,
        summary=summaries_of(news.text),
        entity=news.entity,
        level=news.level,
        countries=news.countries,
        objectives=news.objectives,
        address=news.address,
    )
