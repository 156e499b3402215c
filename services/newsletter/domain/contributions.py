"""Contributions to the newsletter."""

from collections.abc import Iterator

from services.newsletter.domain.items import Item, item_of, summaries_of
from shared.events.intake import ContributionAccepted
from shared.heard import Told


def items_of_contribution(told: Told) -> Iterator[Item]:
    """Yield the item that an accepted contribution gives, at the level that its sender gave."""
    accepted = told.last(ContributionAccepted)
    if accepted is None or not told.is_news(ContributionAccepted):
        return
    contribution = accepted.data
    yield item_of(
        told,
        accepted,
        label="contribution",
        language=contribution.language,
        title=contribution.title,
        summary=summaries_of(contribution.text),
        entity=contribution.entity,
        level=contribution.level,
        credit=contribution.credit or "",
        files=[one.model_dump(mode="json") for one in contribution.files],
        address=contribution.link or "",
    )
