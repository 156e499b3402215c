"""The tables of sending; they belong to the newsletter's schema."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from services.newsletter.sending.rules import AudienceState
from services.newsletter.store import TABLES

kept_keys = Table(
    "kept_keys",
    TABLES,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

subscribers = Table(
    "subscribers",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("address", LargeBinary, nullable=False),  # sealed; empty once erased
    Column("address_hash", LargeBinary, nullable=False),  # keyed: finds an address, and keeps a suppression after erasure
    Column("domain", Text, nullable=False),  # in clear, for pauses by domain; empty once erased
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("suppressed_because", Text, nullable=False, server_default=""),  # empty unless suppressed
    Column("paused_until", DateTime(timezone=True)),  # issues pass them by until then
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("subscribers_address_hash_idx", "address_hash", unique=True),
    Index("subscribers_state_idx", "state", "language"),
)

sends = Table(
    "sends",
    TABLES,
    Column("issue_id", Uuid, primary_key=True),
    Column("variants", JSONB, nullable=False),  # by language, exactly what was approved
    Column("approved_hash", Text, nullable=False),  # of `variants`; compared again before anything leaves
    Column("fallback", Text, nullable=False),  # the language of those whose own has no variant
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("waits_until", DateTime(timezone=True)),  # its hour came on a day on which nothing is sent
    Column("expires_at", DateTime(timezone=True), nullable=False),  # after it nothing leaves until a person has looked
    Column("state", Text, nullable=False),
    Column("held_because", Text, nullable=False, server_default=""),
    Column("audience", Integer, nullable=False, server_default=text("0")),  # rows when it was frozen: what the rest must add up to
    Column("frozen_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("told", Integer, nullable=False, server_default=text("0")),  # how often issue.sent.v1 was told
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

audience = Table(
    "audience",
    TABLES,
    Column("issue_id", Uuid, primary_key=True),
    Column("subscriber_id", Uuid, primary_key=True),  # no foreign key: the ledger outlives an erased subscriber
    Column("language", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("sender", Uuid),  # who has, or last had, it in hand
    Column("link", Integer),  # which of the sender's connections started it
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("first_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in AudienceState)})", name="state"),
    Index("audience_due_idx", "next_at", postgresql_where=text("state IN ('planned', 'deferred')")),
    Index("audience_sender_idx", "sender", postgresql_where=text("state IN ('claimed', 'started')")),
)

attempts = Table(
    "attempts",
    TABLES,
    Column("issue_id", Uuid, primary_key=True),
    Column("subscriber_id", Uuid, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("outcome", Text, primary_key=True),  # one try may have two: uncertain, and what its sender found after all
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("phase", Text, nullable=False),
    Column("code", Integer, nullable=False),  # 0 without an answer
    Column("reply", Text, nullable=False),
    Column("queue_id", Text, nullable=False),
    Column("message_id", Text, nullable=False, index=True),
    Column("sender", Uuid, nullable=False),
    Column("link", Integer),
)

senders = Table(
    "senders",
    TABLES,
    Column("id", Uuid, primary_key=True),  # of one life of a process
    Column("name", Text, nullable=False),
    Column("connections", Integer, nullable=False),
    Column("trouble", Text, nullable=False, server_default=""),  # why it sends nothing; empty when it does
    Column("began_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

slow_ways = Table(
    "slow_ways",
    TABLES,
    Column("way", Text, primary_key=True),  # a domain, or * for the mail server itself
    Column("until", DateTime(timezone=True), nullable=False),
    Column("step", Integer, nullable=False),  # how often in a row it was slowed
    Column("because", Text, nullable=False),  # the server's own words
)
