"""The tables of subscribing besides that of subscribers, which sending reads too."""

from sqlalchemy import Boolean, Column, DateTime, Index, LargeBinary, Table, Text, Uuid, text

from services.newsletter.store import TABLES

wishes = Table(
    "wishes",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("address", LargeBinary, nullable=False),  # sealed; empty once the wish has ended
    Column("address_hash", LargeBinary, nullable=False),  # keyed; counts what one address was sent
    Column("subscriber_id", Uuid),  # empty until somebody has looked whose address it is
    Column("language", Text, nullable=False),  # of the bulletin
    Column("page_language", Text, nullable=False),  # of the form, and of the mail that answers
    Column("version", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("client", LargeBinary, nullable=False),
    Column("mailed", Boolean, nullable=False, server_default=text("false")),  # whether a mail was put that answers it
    Column("token_hash", LargeBinary, unique=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Index("wishes_address_hash_idx", "address_hash", "asked_at"),
    Index("wishes_open_idx", "until", postgresql_where=text("state IN ('asked', 'mailed')")),
    Index("wishes_asked_at_idx", "asked_at"),
)

receipts = Table(
    "receipts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("subscriber_id", Uuid, nullable=False),  # no foreign key: a receipt outlives an address that nobody confirmed
    Column("act", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("words_language", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("given_at", DateTime(timezone=True)),
    Column("client", LargeBinary, nullable=False),
    Index("receipts_subscriber_id_idx", "subscriber_id", "at"),
)
