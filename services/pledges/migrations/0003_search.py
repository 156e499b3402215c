"""The register is searched by words in any of its languages, listed newest first, and read as of a day and change by change."""

from alembic import op

revision = "0003"
down_revision = "0002"

MARKS = r"[\u00ad\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
HAN = r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
NO_LETTER = (
    r"[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u060c\u061b\u061f"
    r"\u066a-\u066d\u06d4\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f]"
)

# Bound when it is made, so that it means the same under any search path: an index is rebuilt, and a dump restored, under an empty one.
# It takes a millisecond, and its cost says so: nobody is to compute it row by row where the index has it.
# The configuration is `simple`: a pledge has texts in several languages, and no stemmer knows which word is of which.
FUNCTION = rf"""
CREATE FUNCTION search_words(title jsonb, description jsonb, entity text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5000
BEGIN ATOMIC
    SELECT to_tsvector('pg_catalog.simple'::regconfig,
        regexp_replace(regexp_replace(translate(regexp_replace(normalize(lower(
            (SELECT coalesce(string_agg(value, ' '), '') FROM jsonb_each_text(title)) || ' ' ||
            (SELECT coalesce(string_agg(value, ' '), '') FROM jsonb_each_text(description)) || ' ' || entity
            COLLATE pg_catalog.pg_c_utf8), NFKD),
        '{MARKS}', '', 'g'), 'ىةٱ٠١٢٣٤٥٦٧٨٩', 'يها0123456789'), '{HAN}', ' \1 ', 'g'), '{NO_LETTER}', ' ', 'g'));
END
"""  # noqa: S608  # of constants

INDEXES = (
    "CREATE INDEX pledges_words_idx ON pledges USING gin (search_words(title, description, entity))",
    "CREATE INDEX versions_words_idx ON versions USING gin (search_words(title, description, entity))",
    "CREATE INDEX pledges_newest_idx ON pledges (published_on, number)",
    "CREATE INDEX pledges_matched_number_idx ON pledges (matched_number)",
    "CREATE INDEX versions_number_idx ON versions (number)",
)


def upgrade() -> None:
    """Make the function and the indexes that stand on it and beside it."""
    op.execute(FUNCTION)
    for statement in INDEXES:
        op.execute(statement)
