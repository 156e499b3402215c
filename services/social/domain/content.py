"""What exactly goes out on one network in one language, and the hash by which people approve it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from shared.approval.content import digest
from shared.events.codes import Language, Network


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a post; its bytes are kept apart, by their hash."""

    sha256: str
    media_type: str  # image/jpeg, image/png, image/webp, image/gif
    alternative: str  # what it shows, for those who cannot see it


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a network is given for one post: nothing else is sent, and nothing of it is left out."""

    network: Network
    language: Language
    text: str
    pictures: tuple[Picture, ...] = ()

    source: str = ""  # what it was written from, with its revision; a correction of the source makes it another content

    @property
    def name(self) -> str:
        """The name of this variant in an approval: `x/fr`."""
        return f"{self.network.value}/{self.language}"

    @property
    def sha256(self) -> str:
        """The hash that an approval is bound to: one comma more in any part of it makes another."""
        return digest(self.as_variant())

    def as_variant(self) -> dict[str, Any]:
        """Return what people approve: the whole of it, by name."""
        return {"network": self.network.value, "language": self.language, **self.as_kept()}

    def as_kept(self) -> dict[str, Any]:
        """Return text, pictures and source as the ledger keeps them."""
        pictures = [{"sha256": one.sha256, "media_type": one.media_type, "alternative": one.alternative} for one in self.pictures]
        return {"text": self.text, "pictures": pictures} | ({"source": self.source} if self.source else {})

    @classmethod
    def from_kept(cls, network: str, language: Language, kept: Mapping[str, Any]) -> Self:
        """Return the content that `as_kept` gave."""
        pictures = tuple(Picture(**one) for one in kept["pictures"])
        return cls(network=Network(network), language=language, text=kept["text"], pictures=pictures, source=kept.get("source", ""))
