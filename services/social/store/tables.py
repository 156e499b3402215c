"""The tables of social media."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from services.social.domain.deliveries import CLAIMABLE
from shared.db import metadata

TABLES = metadata()

drafts = Table(
    "drafts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("source_kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("milestone", Text, nullable=False, server_default=""),  # what came of the source; empty for the source itself
    Column("label", Text, nullable=False, server_default=""),  # what it is about
    Column("event_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("when", JSONB(none_as_null=True)),
    Column("place", Text, nullable=False, server_default=""),
    Column("credit", Text, nullable=False, server_default=""),
    Column("files", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("networks", ARRAY(Text), nullable=False, server_default="{}"),  # wished for
    Column("wished", JSONB(none_as_null=True)),  # time wished for
    Column("standing", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("withdrawn_because", Text),  # in the words of who withdrew the source
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The source decides which draft it is, not a look before the insert: the same source told again finds its own draft.
    Index("drafts_source_idx", "source_kind", "source_id", "milestone", unique=True),
)

posts = Table(
    "posts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("draft_id", Uuid, ForeignKey("drafts.id")),  # that it was begun from
    Column("source_kind", Text),  # empty where a colleague wrote it freely
    Column("source_id", Text),
    Column("source_revision", Integer),  # of the source that it was written from
    Column("source_withdrawn", Text),  # why the source no longer stands
    Column("local_time", DateTime),  # when it is to leave, on the clock on the wall; empty while nobody has said
    Column("zone", Text, nullable=False),  # in which that clock hangs
    Column("until_time", DateTime),  # from when it must not leave any more, on the same clock
    Column("trace_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Two people who begin at once from one draft find the same post.
    Index("posts_draft_idx", "draft_id", unique=True),
    Index("posts_source_idx", "source_kind", "source_id"),
    Index("posts_trace_idx", "trace_id"),
    Index("posts_local_time_idx", "local_time"),
)

post_variants = Table(
    "post_variants",
    TABLES,
    Column("post_id", Uuid, ForeignKey("posts.id"), primary_key=True),
    Column("network", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("pictures", JSONB, nullable=False),
    Column("source_revision", Integer),  # of the source when these words were written
)

deliveries = Table(
    "deliveries",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("post_id", Uuid, nullable=False),  # the subject of what is told of it
    Column("cause", Text, nullable=False),  # the event or request it came from
    Column("trace_id", Text, nullable=False),
    Column("source_kind", Text),  # empty where a colleague wrote it freely
    Column("source_id", Text),
    Column("network", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("content", JSONB, nullable=False),  # text and pictures
    Column("content_hash", Text, nullable=False),
    Column("approved_hash", Text),  # what people have approved; empty until they have
    Column("local_time", DateTime, nullable=False),  # as wished, on the clock on the wall
    Column("zone", Text, nullable=False),  # in which that clock hangs
    Column("due_at", DateTime(timezone=True), nullable=False),  # the instant it means
    Column("not_before", DateTime(timezone=True), nullable=False),  # when something is to be done next: send, or look
    Column("quiet_until", DateTime(timezone=True)),  # its time came when nothing might be posted, or nothing about its source
    Column("state", Text, nullable=False),
    Column("waiting_for", Text),
    Column("looks", Integer, nullable=False, server_default="0"),  # into the timeline since the last attempt
    Column("sent_again", Integer, nullable=False, server_default="0"),  # after an unknown end
    Column("lease", Uuid),  # of the process that works on it; what is written carries it
    Column("lease_until", DateTime(timezone=True)),
    Column("place_id", Text),
    Column("place_address", Text),
    Column("published_at", DateTime(timezone=True)),
    Column("evidence", JSONB),  # what its present state rests on
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("deliveries_post_idx", "post_id", "network", "language", unique=True),
    Index("deliveries_place_idx", "network", "place_id", unique=True),
)
Index("deliveries_next_idx", deliveries.c.not_before, postgresql_where=deliveries.c.state.in_(CLAIMABLE))

attempts = Table(
    "attempts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("content_hash", Text, nullable=False),  # of what was about to leave
    Column("lease", Uuid, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("ended_at", DateTime(timezone=True)),  # empty while it is under way, or when whoever began it has died
    Column("outcome", Text),
    Column("evidence", JSONB),
)
Index("attempts_open_idx", attempts.c.delivery_id, unique=True, postgresql_where=attempts.c.ended_at.is_(None))

looks = Table(
    "looks",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("looked_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("found", Boolean),  # empty where the timeline could not be read
    Column("evidence", JSONB, nullable=False),
)

pictures = Table(
    "pictures",
    TABLES,
    Column("sha256", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

accounts = Table(
    "accounts",
    TABLES,
    Column("network", Text, primary_key=True),
    Column("posts_not_before", DateTime(timezone=True)),  # the network has asked for a pause
    Column("reads_not_before", DateTime(timezone=True)),
)
