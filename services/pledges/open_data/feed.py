"""The newest changes of the register as an Atom feed."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Row

from services.pledges.domain.pledges import pledge_path
from services.pledges.store.pledges import facts_in
from shared import i18n
from shared.web.atom import Entry
from shared.web.pages import localize

SUMMARY_CHARACTERS = 400


def entries(rows: Sequence[Row[Any]], reader: str, public_url: str) -> Sequence[Entry]:
    """Return one entry a pledge, in the reader's language where it has it."""
    return [_entry(row, reader, public_url) for row in rows]


def _entry(row: Row[Any], reader: str, public_url: str) -> Entry:
    facts = facts_in(row)
    title = localize(facts.title, reader)
    text = facts.description.get(title.lang) or facts.description[facts.language]
    summary = text if len(text) <= SUMMARY_CHARACTERS else text[: SUMMARY_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
    invented = f"[{i18n.translate(title.lang, 'register.invented')}] " if facts.synthetic else ""
    address = public_url + pledge_path(row.number)
    return Entry(
        id=f"urn:uuid:{row.id}",
        language=title.lang,
        title=f"{invented}{row.number}: {title} ({facts.entity})",
        published=datetime.combine(facts.published_on, time.min, UTC),
        updated=row.updated_at,
        addresses={code: f"{address}?lang={code}" for code in i18n.LANGUAGES},
        summary=f"{invented}{summary}",
        categories=[
            ("kind", facts.kinds[0]),
            *(("objective", str(number)) for number in facts.objectives),
            ("state", facts.state.value),
            *([("synthetic", "true")] if facts.synthetic else []),
        ],
    )
