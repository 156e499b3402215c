"""A service that takes submissions, as those that review pledges and dates will: for the time from the door to the effect."""

from uuid import UUID

from sqlalchemy import Column, Table, Uuid, insert

from shared.db import Transaction, metadata
from shared.events.intake import SubmissionReceived
from shared.listening import Received, each, listeners

TABLES = metadata()
arrived = Table(
    "arrived",
    TABLES,
    Column("receipt", Uuid, primary_key=True),
)


async def note_arrival(tx: Transaction, event: Received[SubmissionReceived]) -> None:
    """Take a submission as the service that reviews its kind would."""
    await tx.execute(insert(arrived), {"receipt": UUID(event.subject)})


LISTENS = listeners(each(SubmissionReceived, note_arrival))
