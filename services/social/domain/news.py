"""Posts about statements, press releases, blog articles and news items."""

from collections.abc import Iterator

from services.social.domain.drafts import Draft, compose_all, draft_of
from shared.events.intake import NewsPublished
from shared.heard import Told


def drafts_of_news(told: Told) -> Iterator[Draft]:
    """Yield the draft that something published on the news pages gives."""
    published = told.last(NewsPublished)
    if published is None or not told.is_news(NewsPublished):
        return
    news, label = published.data, published.data.kind.value
    yield draft_of(
        told,
        published,
        label=label,
        language=news.language,
        title=news.title,
        texts=compose_all(news.title, label=label, entity=news.entity, address=news.address),
        address=news.address,
    )
