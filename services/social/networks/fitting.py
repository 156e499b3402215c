"""What fits on each network: how long a text may be, as the network itself counts, and how many pictures it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.social.domain.content import Content
from services.social.networks.x import counting, pictures
from shared.events.codes import Network


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The measures of one network."""

    count: Callable[[str], int]  # length of a text as the network counts it
    limit: int
    most_pictures: int
    alternative_limit: int  # characters of an alternative text

    def too_long(self, text: str) -> int:
        """Return by how much a text is too long; 0 where it fits."""
        return max(0, self.count(text) - self.limit)


FITS: Mapping[Network, Fit] = {
    Network.X: Fit(
        count=counting.weighted_length,
        limit=counting.LIMIT,
        most_pictures=pictures.MOST,
        alternative_limit=pictures.ALTERNATIVE_LIMIT,
    )
}
"""The networks that posts are written for today."""


def too_long(content: Content) -> int:
    """Return by how much the text of a variant is too long for its network; 0 where it fits."""
    return FITS[content.network].too_long(content.text)
