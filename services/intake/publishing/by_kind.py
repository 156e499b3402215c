"""Which part publishes which kind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.intake.domain import StoredSubmission
from services.intake.publishing import contributions, news, practices, promotions, talks
from shared.db import Transaction


class Publisher(Protocol):
    """What is done with an accepted submission of one kind, in the transaction that decides so."""

    async def accept(
        self, tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str
    ) -> str | None:
        """Keep and tell what a submission has become; returns the address of its public page, None where it has none of its own."""
        ...

    async def correct(self, tx: Transaction, found: StoredSubmission, fields: Mapping[str, Any], *, at: datetime, public_url: str) -> None:
        """Change what was published, and tell it again with a higher revision."""
        ...

    async def withdraw(self, tx: Transaction, found: StoredSubmission, *, reason: str, at: datetime, public_url: str) -> None:
        """Take back what was published, and tell those who may have plans with it."""
        ...

    async def standing(self, tx: Transaction, submission_id: UUID) -> Mapping[str, Any] | None:
        """Return the public fields of what a submission has become, as they stand now; None where it has not become anything."""
        ...


PUBLISHERS: Mapping[str, Publisher] = {
    "practice": practices,
    "talk": talks,
    "news": news,
    "contribution": contributions,
    "promotion": promotions,
}
"""The part that publishes each kind on which intake decides."""
