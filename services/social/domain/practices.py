"""Posts about practices of the public repository."""

from collections.abc import Iterator

from services.social.domain.drafts import Draft, compose, draft_of
from shared.events.intake import PracticePublished
from shared.heard import Told


def drafts_of_practice(told: Told) -> Iterator[Draft]:
    """Yield the draft that a published practice gives."""
    published = told.last(PracticePublished)
    if published is None or not told.is_news(PracticePublished):
        return
    practice = published.data
    address = practice.address
    yield draft_of(
        told,
        published,
        label="practice",
        language=practice.language,
        title=practice.title,
        texts={language: compose(title=title, entity=practice.entity, address=address) for language, title in practice.title.items()},
        address=address,
    )
