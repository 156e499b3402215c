"""The tables of the register."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Sequence,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import metadata

TABLES = metadata()

numbers = Sequence("pledge_numbers", metadata=TABLES)
"""Public numbers are drawn from here; one that was drawn is never given to another pledge."""


def _facts() -> tuple[Column[Any], ...]:
    """Return the columns of what is public of a pledge: those of a pledge as it stands, and of each version of it."""
    return (
        Column("language", Text, nullable=False),  # in which it was written; the others are translations
        Column("title", JSONB, nullable=False),
        Column("description", JSONB, nullable=False),
        Column("entity", Text, nullable=False),
        Column("entity_type", Text, nullable=False),
        Column("participants", ARRAY(Text), nullable=False),  # the other parties of a common pledge or a partnership
        Column("kinds", ARRAY(Text), nullable=False),
        Column("way", Text, nullable=False),
        Column("matched_number", Text),  # number of the pledge that a matching pledge answers
        Column("scope", Text, nullable=False),
        Column("countries", ARRAY(Text), nullable=False),
        Column("regions", ARRAY(Text), nullable=False),  # as given and as follows from the countries
        Column("objectives", ARRAY(Integer), nullable=False),
        Column("principles", ARRAY(Text), nullable=False),
        Column("metric", Text, nullable=False),
        Column("baseline", Text),
        Column("target", Text, nullable=False),
        Column("currency", Text),  # of a financial pledge
        Column("amount", Numeric),
        Column("start", Date),
        Column("due", Date, nullable=False),
        Column("links", JSONB, nullable=False),
        Column("synthetic", Boolean, nullable=False),  # invented sample data; every page that shows it says so
        Column("standing", Text, nullable=False),  # published or withdrawn
        Column("withdrawn_because", Text),  # in words for those who had plans with it; empty while it stands
        Column("state", Text, nullable=False),  # how far it has come, as its owner says
        Column("progress", Text),  # the measure's value at the last report
        Column("reported_on", Date),  # the day of which the owner's last word speaks; empty before the first
        Column("evidence", JSONB, nullable=False),  # links that show it; empty while it is only said
        Column("evidenced_on", Date),  # the day on which a moderator saw that the evidence shows it; empty before
        Column("superseded_by", Text),  # number of the pledge that took its place
        Column("published_on", Date, nullable=False),
    )


pledges = Table(
    "pledges",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),  # P-0042: public, stays
    Column("submission_id", Uuid, unique=True),  # that it came from; empty for one that was imported
    Column("import_key", Text, unique=True),  # what an import knows it by, so that the same row is taken once
    Column("import_hash", Text),  # of the row as it was taken last: what the team corrected since is not undone by the same row
    *_facts(),
    Column("revision", Integer, nullable=False),  # of its last version, and of the last event told
    Column("contact_sealed", LargeBinary, nullable=False),  # whom to ask; empty bytes where nobody is known
    Column("reminded_at", DateTime(timezone=True)),
    Column("trace_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("pledges_published_on_idx", "published_on"),
    Index("pledges_newest_idx", "published_on", "number"),
    Index("pledges_matched_number_idx", "matched_number"),
    Index("pledges_objectives_idx", "objectives", postgresql_using="gin"),
    Index("pledges_countries_idx", "countries", postgresql_using="gin"),
)

# Every state a pledge was in, whole; nothing is ever changed here. The register as of a day is the last version of each pledge that
# stands from that day or before.
versions = Table(
    "versions",
    TABLES,
    Column("pledge_id", Uuid, ForeignKey("pledges.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    *_facts(),
    Column("change", Text, nullable=False),  # published, edited, reported, evidenced, withdrawn
    Column("stands_from", Date, nullable=False),  # UTC day from which the register shows it; of an import of the past, the day it names
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text),  # id of the person of the team; empty where none did
    Index("versions_stands_from_idx", "pledge_id", "stands_from", "revision"),
    Index("versions_recorded_at_idx", "recorded_at"),
    Index("versions_number_idx", "number"),
)
# The words of every text of a pledge, folded; `domain.search` says how.
for _kept in (pledges, versions):
    Index(f"{_kept.name}_words_idx", func.search_words(_kept.c.title, _kept.c.description, _kept.c.entity), postgresql_using="gin")

submissions = Table(
    "submissions",
    TABLES,
    Column("id", Uuid, primary_key=True),  # that of the door
    Column("reference", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("partner", Text),
    Column("entered_by", Text),  # id of the colleague who entered it for somebody else, and may not accept it
    Column("public", JSONB, nullable=False),
    Column("internal", JSONB, nullable=False),
    Column("files", JSONB, nullable=False),  # by hash; the door keeps them
    Column("answers", JSONB, nullable=False),  # to what reviewers asked
    Column("contact_sealed", LargeBinary, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # of the door's last event
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),  # received, question, accepted, declined
    Column("reason", Text),
    Column("decision_revision", Integer, nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("decided_by_name", Text),
    Column("later", JSONB, nullable=False, server_default="[]"),  # words of the door that came after the decision, oldest first
)
Index("submissions_state_idx", submissions.c.state, submissions.c.received_at)
Index("submissions_accepted_idx", submissions.c.decided_at, postgresql_where=submissions.c.state == "accepted")

# What an owner says of a pledge; it is public once a moderator has taken it.
reports = Table(
    "reports",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("pledge_id", Uuid, ForeignKey("pledges.id"), nullable=False, index=True),
    Column("reported_on", Date, nullable=False),  # the day of which it speaks
    Column("state", Text, nullable=False),  # of the pledge, as claimed
    Column("progress", Text),  # the measure's value
    Column("note", JSONB, nullable=False),  # per language; empty where nothing was written
    Column("evidence", JSONB, nullable=False),  # links
    Column("superseded_by", Text),
    Column("language", Text, nullable=False),  # in which its owner wrote, and is answered
    Column("channel", Text, nullable=False),  # form (a mailed link), import, staff
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("verdict", Text),  # accepted, declined; empty while it waits
    Column("reason", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("decided_by_name", Text),
)
Index("reports_waiting_idx", reports.c.sent_at, postgresql_where=reports.c.verdict.is_(None))

# Links by which owners report; with the hash nobody can report.
update_links = Table(
    "update_links",
    TABLES,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("pledge_id", Uuid, ForeignKey("pledges.id"), nullable=False, index=True),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
)

champions = Table(
    "champions",
    TABLES,
    Column("country", Text, primary_key=True),  # ISO 3166-1 alpha-2
    Column("since", Text),  # as exactly as it is known: 2021, 2021-02 or 2021-02-14
    Column("seen", Text),  # when the source names it as one, written likewise
    Column("until", Text),  # likewise; empty while it is one
    Column("source", Text, nullable=False),
    Column("verified", Text, nullable=False),  # yes, partly, second-hand, no
    Column("note", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("updated_by", Text),
)
