"""The tables of intake."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db import metadata

TABLES = metadata()

partners = Table(
    "partners",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("contact_sealed", LargeBinary, nullable=False),  # a mail address
    Column("rate_per_minute", Integer, nullable=False),  # requests that each process takes
    Column("demo", Boolean, nullable=False),  # the one that a trial run shows
    Column("created_at", DateTime(timezone=True), nullable=False),
)
Index("partners_demo_idx", partners.c.demo, unique=True, postgresql_where=partners.c.demo)

partner_keys = Table(
    "partner_keys",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("partner_id", ForeignKey("partners.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # secret or public
    Column("sealed", LargeBinary, nullable=False),  # its text: whsec_… or whpk_…
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),  # to the minute; empty before the first use
    Column("revoked_at", DateTime(timezone=True)),  # empty while it is live
)

# One row for each request that was accepted at the webhook door; its id is also that of the submission.
receipts = Table(
    "receipts",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("partner_id", ForeignKey("partners.id"), nullable=False),
    Column("key_id", ForeignKey("partner_keys.id"), nullable=False),
    Column("webhook_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # differs where the same id comes with other content
    Column("type", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("source", Text, nullable=False),  # of a CloudEvent; empty for others
    Column("event_id", Text, nullable=False),  # of a CloudEvent; empty for others
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),  # by the sender's clock
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("skew_seconds", Double, nullable=False),  # our clock minus the sender's
    Column("unread", ARRAY(Text), nullable=False),  # names beside the data that we know nothing of
    Column("raw_sealed", LargeBinary),  # headers and body as they came; empty once their time is over
    # Decides what is a repeat; never a look before the insert, which two copies at once would both pass.
    UniqueConstraint("partner_id", "webhook_id"),
)
Index("receipts_raw_idx", receipts.c.received_at, postgresql_where=receipts.c.raw_sealed.is_not(None))

submissions = Table(
    "submissions",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("partner_id", ForeignKey("partners.id")),
    Column("language", Text, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("public", JSONB, nullable=False),
    Column("internal", JSONB, nullable=False),
    Column("contact_sealed", LargeBinary, nullable=False),
    Column("contact_confirmed_at", DateTime(timezone=True)),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("reason_language", Text),
    Column("address", Text),
    Column("event_id", Uuid),  # of its submission.received event; empty until it has been told of
    Column("decision_revision", Integer, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("form_hash", Text, unique=True),  # so that a form sent twice is kept once; empty for other channels
    Column("confirm_hash", Text, unique=True),  # of the token in the mail by which its sender confirms it; empty for other channels
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),  # id of the person; empty where another service decided
    Column("decided_by_name", Text),  # as it was then
    Column("draft", JSONB(none_as_null=True)),  # the public fields as a colleague has changed them; empty once they are published
    Column("edited_by", Text),  # id of the person who changed them last
    Column("edited_by_name", Text),  # as it was then
    Column("edited_at", DateTime(timezone=True)),
    Column("files", JSONB, nullable=False, server_default="[]"),  # name, hash, media type and size of each; the bytes stand in `files`
    Column("answers", JSONB, nullable=False, server_default="[]"),  # what its sender answered to which question, oldest first
    Column("became", Text),  # id of the pledge or date that another service made of it
    Column("entered_by", Text),  # id of the colleague who entered it for somebody; empty for other channels
    Column("entered_by_name", Text),  # as it was then
    Column("came_by", Text),  # mail, note-verbale or telephone
    Column("came_on", Date),
    Column("came_from", Text),  # who sent it, in the colleague's words
)
Index("submissions_became_idx", submissions.c.became, postgresql_where=submissions.c.became.is_not(None))
Index("submissions_files_idx", submissions.c.files, postgresql_using="gin", postgresql_ops={"files": "jsonb_path_ops"})
Index("submissions_state_received_at_idx", submissions.c.state, submissions.c.received_at)
Index("submissions_accepted_idx", submissions.c.decided_at, postgresql_where=submissions.c.state == "accepted")
Index("submissions_draft_idx", submissions.c.id, postgresql_where=submissions.c.draft.is_not(None))
Index("submissions_unconfirmed_idx", submissions.c.received_at, postgresql_where=submissions.c.state == "unconfirmed")

# By the SHA-256 of their bytes, so that the same file is kept once.
files = Table(
    "files",
    TABLES,
    Column("sha256", Text, primary_key=True),
    Column("media_type", Text, nullable=False),  # as its bytes say
    Column("data", LargeBinary, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False),
)

# One row for each decision or question of which a sender may be told by mail.
notices = Table(
    "notices",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("submission_id", ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("state", Text, nullable=False),  # that the submission came into
    Column("reason", Text),
    Column("reason_language", Text),
    Column("address", Text),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),  # empty until its mail stands in the queue, or there was nobody to write to
    Column("was_mailed", Boolean, nullable=False, server_default="false"),
)
Index("notices_waiting_idx", notices.c.decided_at, postgresql_where=notices.c.ended_at.is_(None))

# What other services made of what was accepted here: an issue that prints it, a post about it, its date in the calendar, its withdrawal.
followed = Table(
    "followed",
    TABLES,
    Column("source_id", Text, primary_key=True),  # of the practice, Talk, pledge or date that it came from
    Column("kind", Text, primary_key=True),  # issue, post, date or withdrawal
    Column("thing_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),  # of the last event heard about that thing
    Column("words", Text, nullable=False),  # the number, the network, why it was withdrawn; empty for a date
    Column("address", Text, nullable=False),
    Column("stands", Boolean, nullable=False),  # false where a date was cancelled, or it was withdrawn
    Column("at", DateTime(timezone=True), nullable=False),
)

# Where enquiries go: only mailboxes that an admin has confirmed.
mailboxes = Table(
    "mailboxes",
    TABLES,
    Column("initiative", Text, primary_key=True),
    Column("address_sealed", LargeBinary, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_by_name", Text, nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
)

practices = Table(
    "practices",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),  # last part of its address; stays when the title changes
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # of the last event told about it
    Column("language", Text, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("summary", JSONB, nullable=False),
    Column("text", JSONB(none_as_null=True)),
    Column("entity", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Column("objectives", ARRAY(Integer), nullable=False),
    Column("principles", ARRAY(Text), nullable=False),
    Column("links", JSONB, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("withdrawn_because", Text),
)
Index("practices_published_at_idx", practices.c.published_at, postgresql_where=practices.c.state == "published")


def _record(name: str, *columns: Column[Any]) -> Table:
    """Return the table of what submissions of a kind become: its fields as the kind's model has them, and columns to find it by."""
    return Table(
        name,
        TABLES,
        Column("id", Uuid, primary_key=True),
        Column("submission_id", ForeignKey("submissions.id"), nullable=False, unique=True),
        Column("state", Text, nullable=False),
        Column("revision", Integer, nullable=False),  # of the last event told about it
        Column("language", Text, nullable=False),
        Column("fields", JSONB, nullable=False),  # the public fields of the kind's model
        Column("published_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
        Column("corrected_at", DateTime(timezone=True)),  # empty while its words are those that were accepted
        *columns,
    )


talks = _record(
    "talks",
    Column("slug", Text, nullable=False, unique=True),  # last part of its address; stays when the title changes
    Column("format", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("objectives", ARRAY(Integer), nullable=False),
    Column("regions", ARRAY(Text), nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),  # empty where it goes on without end
    Column("was", JSONB, nullable=False),  # when it was to be held before, oldest first
    Column("cancelled_because", JSONB(none_as_null=True)),  # one text per language
    Column("outcome", JSONB(none_as_null=True)),  # empty until it was held and somebody has written what came of it
    Column("shows_note", Boolean, nullable=False),  # whether the concept note stands on the public page
)
Index("talks_first_day_idx", talks.c.first_day)

# Statements, press releases, blog articles and news items.
news = _record(
    "news",
    Column("slug", Text, nullable=False, unique=True),  # last part of its address; stays when the title changes
    Column("kind", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("objectives", ARRAY(Integer), nullable=False),
    Column("countries", ARRAY(Text), nullable=False),
    Column("withdrawn_because", Text),
)
Index("news_published_at_idx", news.c.published_at, postgresql_where=news.c.state == "published")

contributions = _record("contributions", Column("withdrawn_because", Text))
promotions = _record("promotions", Column("withdrawn_because", Text))
