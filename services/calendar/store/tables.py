"""The tables of the calendar."""

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import metadata

TABLES = metadata()

dates = Table(
    "dates",
    TABLES,
    Column("id", Uuid, primary_key=True),  # also the first part of its UID in feeds, for ever
    Column("slug", Text, nullable=False, unique=True),  # last part of its address; stays when title or time change
    Column("kind", Text, nullable=False),  # a DateKind
    Column("public", Boolean, nullable=False),  # false for blackouts, embargoes and what the team keeps to itself
    Column("language", Text, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("summary", JSONB, nullable=False),  # per language; empty where nobody has written one
    Column("place", Text),
    Column("entity", Text),  # who holds it
    Column("precision", Text, nullable=False),  # time, day, month, quarter, half, year, ongoing
    Column("starts_at", DateTime(timezone=True)),  # of a time
    Column("ends_at", DateTime(timezone=True)),
    Column("zone", Text),  # IANA name
    Column("first_day", Date, nullable=False),  # by the clock of its zone; of an approximate date, of its first period
    Column("last_day", Date),  # itself included; empty only for what is ongoing
    Column("windows", JSONB, nullable=False),  # of an approximate date: [{"first", "last"}]; empty for others
    Column("status", Text, nullable=False),  # a DateStatus
    Column("sequence", Integer, nullable=False),  # RFC 5546: counts changes of time and status
    Column("revision", Integer, nullable=False),  # of the last event told
    Column("regions", ARRAY(Text), nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Column("objectives", ARRAY(Integer), nullable=False),
    Column("principles", ARRAY(Text), nullable=False),
    Column("theme", Text),  # number of a thematic area
    Column("priority", Text),  # key of a thematic priority of the work plan
    Column("lead", ARRAY(Text), nullable=False),  # who leads, as printed
    Column("participants", ARRAY(Text), nullable=False),
    Column("links", JSONB, nullable=False),
    Column("source_kind", Text),  # of what it is the date: talk, pledge, news, issue
    Column("source_id", Text),
    Column("source_address", Text),  # its own page
    Column("submission_id", Uuid, unique=True),  # that it came from
    Column("import_key", Text, unique=True),  # such as wp-001, so that the same row is taken once
    Column("yearly", Text),  # import key of the named day that this is one year's instance of; empty for what comes once
    Column("follows", Uuid, ForeignKey("dates.id")),  # the meeting that a deadline moves with
    Column("days_before", Integer),  # how long before that meeting the deadline is
    Column("plan", JSONB),  # what the work plan says of an activity beyond the date; empty for others
    Column("done_on", Date),  # of an activity or deadline that is done
    Column("done_note", JSONB),  # per language
    Column("historic", Boolean, nullable=False),  # was over when it came in: nobody is told of it as news
    Column("synthetic", Boolean, nullable=False),  # invented sample data; whatever shows it says so
    Column("cancelled_at", DateTime(timezone=True)),
    Column("cancelled_because", JSONB),  # per language
    Column("trace_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),  # LAST-MODIFIED in feeds
    Index("dates_days_idx", "first_day", "last_day"),
    # One date of each kind for a thing; of one embargo after the other there may be several.
    Index("dates_source_idx", "source_kind", "source_id", "kind", unique=True, postgresql_where=text("kind <> 'embargo'")),
    Index("dates_follows_idx", "follows"),
    Index("dates_yearly_idx", "yearly"),
)

# When a date was before; what was moved stays visible.
moves = Table(
    "moves",
    TABLES,
    Column("date_id", Uuid, ForeignKey("dates.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),  # that the date had before
    Column("was", JSONB, nullable=False),  # a When
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("moved_by", Text),  # id of the person; empty where a source or a meeting moved
    Column("because", JSONB),  # per language
)

# The newest word of each thing that has a date here: an older one changes nothing, whatever became of the date.
sources = Table(
    "sources",
    TABLES,
    Column("kind", Text, primary_key=True),  # talk, pledge, news, issue
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
)

# The rows of lists as they were last taken in: what a row no longer says is changed, and what people changed stays.
imported_rows = Table(
    "imported_rows",
    TABLES,
    Column("key", Text, primary_key=True),
    Column("row", JSONB, nullable=False),  # its cells by the names of their columns
    Column("taken_at", DateTime(timezone=True), nullable=False),
)

suggestions = Table(
    "suggestions",
    TABLES,
    Column("id", Uuid, primary_key=True),  # that of the submission at the door
    Column("reference", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("partner", Text),
    Column("public", JSONB, nullable=False),
    Column("internal", JSONB, nullable=False),
    Column("answers", JSONB, nullable=False),  # to what reviewers asked
    Column("contact_sealed", LargeBinary),  # empty where its teller sent none
    Column("entered_by", Text),  # id of the colleague who entered it for its sender; may not accept it
    Column("event_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # of the door's last event
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),  # received, question, accepted, declined
    Column("reason", Text),  # why it was declined, or the question
    Column("reason_language", Text),
    Column("date_id", Uuid, ForeignKey("dates.id")),  # the date that it became, or that it is the same as
    Column("decision_revision", Integer, nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("decided_by_name", Text),
)
Index("suggestions_state_idx", suggestions.c.state, suggestions.c.received_at)
Index("suggestions_accepted_idx", suggestions.c.decided_at, postgresql_where=suggestions.c.state == "accepted")

# Of which deadline it was told how near it is, so that it is told once.
told_deadlines = Table(
    "told_deadlines",
    TABLES,
    Column("date_id", Uuid, ForeignKey("dates.id"), primary_key=True),
    Column("due_day", Date, primary_key=True),  # a deadline that moves is told of again
    Column("days", Integer, primary_key=True),  # the threshold that was crossed: 14, 7, 1, 0
    Column("told_at", DateTime(timezone=True), nullable=False),
)
