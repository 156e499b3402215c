"""The tables of issues; they belong to the newsletter's schema."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Time,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.newsletter.store import TABLES

issue_rule = Table(
    "issue_rule",
    TABLES,
    Column("id", Boolean, primary_key=True),  # there is one
    Column("closes_day", Integer, nullable=False),
    Column("sends_day", Integer, nullable=False),
    Column("months_later", Integer, nullable=False),
    Column("sends_at", Time, nullable=False),
    Column("remind_days", Integer, nullable=False),
    Column("valid_hours", Integer, nullable=False),
    Column("languages", ARRAY(Text), nullable=False),  # the first is the fallback
    Column("revision", Integer, nullable=False),
    Column("changed_by", Text),
    Column("changed_at", DateTime(timezone=True)),
    CheckConstraint("id", name="single"),
)

issues = Table(
    "issues",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("month", Date, nullable=False),  # first day of the month that it gathers
    Column("number", Text, nullable=False),  # of the month: 2026-06
    Column("serial", Integer, nullable=False),  # counted from 1 over all the years; its address in the archive
    Column("closes_on", Date, nullable=False),  # the last day whose items are in it
    Column("sends_at", DateTime, nullable=False),  # as the clock on the wall of `zone` shows it
    Column("zone", Text, nullable=False),
    Column("remind_days", Integer, nullable=False),
    Column("valid_hours", Integer, nullable=False),  # after `sends_at`
    Column("languages", ARRAY(Text), nullable=False),
    Column("fallback", Text, nullable=False),  # what readers of other languages get
    Column("subject", JSONB, nullable=False),  # by language
    Column("preheader", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),  # counts changes of what stands in this row
    Column("changed_by", Text),
    Column("told", Integer, nullable=False, server_default=text("0")),  # how often its approval was told
    Column("cut_at", DateTime(timezone=True)),  # when the items of the pool were given to it; empty while it gathers
    Column("cut_by", Text),  # id of the person; empty where the clock did it
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Decides that there is one a month, however many open it at once.
    Index("issues_month_idx", "month", unique=True),
    Index("issues_number_idx", "number", unique=True),
    Index("issues_serial_idx", "serial", unique=True),
)

issue_blocks = Table(
    "issue_blocks",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("issue_id", Uuid, ForeignKey("issues.id"), nullable=False),
    Column("item_id", Uuid, ForeignKey("pool_items.id")),  # what it was made from; empty for what people write
    Column("place", Integer, nullable=False),
    Column("content", JSONB, nullable=False),  # as `compose.blocks.dump` gives it
    Column("source", JSONB(none_as_null=True)),  # texts of the item as taken over: what nobody has touched follows a correction
    Column("source_revision", Integer),  # of the item, when its texts were last taken over
    Column("revision", Integer, nullable=False),
    Column("changed_by", Text),
    Column("dropped_at", DateTime(timezone=True)),
    Column("dropped_by", Text),  # id of the person; empty where the machine did it
    Column("dropped_because", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("issue_blocks_issue_id_idx", "issue_id", "place"),
    Index("issue_blocks_item_idx", "issue_id", "item_id", unique=True, postgresql_where=text("item_id IS NOT NULL")),
)
