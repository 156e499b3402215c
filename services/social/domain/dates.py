"""Posts about dates of the calendar that are nobody else's, and about deadlines that come near."""

from collections.abc import Iterator
from typing import Any

from services.social.domain.drafts import Draft, compose_all, draft_of
from shared.events.calendar import CalendarDate, DatePublished, DeadlineNear
from shared.events.codes import DateKind
from shared.events.times import When
from shared.heard import Told
from shared.i18n import translate
from shared.listening import Received
from shared.pauses.stretches import FORBIDDING

POSTED = frozenset(
    {
        DateKind.MEETING,
        DateKind.INTERNATIONAL_DAY,
        DateKind.REGIONAL_REVIEW,
        DateKind.REPORT,
        DateKind.TRAINING,
        DateKind.STEERING_COMMITTEE,
        DateKind.OTHER,
    }
)
"""The kinds of date of which a post is drafted as soon as they stand."""


def drafts_of_date(told: Told) -> Iterator[Draft]:
    """Yield the draft about a date without a source, and the one about a deadline that is near: once, wherever it moves afterwards.

    A date with a source is that of a Talk, a pledge or a text, which has a draft of its own. What has become a blackout or an embargo
    gives nothing: its words are for those who send alone, and what it was keeps its own until it is withdrawn.
    """
    published, latest = told.last(DatePublished), told.last(CalendarDate)
    if latest is not None and latest.data.kind in FORBIDDING:
        return
    if published is not None and latest is not None and told.is_news(DatePublished) and _is_posted(published.data):
        date, stands = latest.data, _is_posted(latest.data)
        kind = date.kind if stands else published.data.kind
        because = None if stands else translate("en", "staff.source.not-given")
        facts = {"language": date.language, "place": date.place or "", "withdrawn_because": because}
        yield _drafted(told, latest, kind.value, date.when, **facts)
    near = told.last(DeadlineNear)
    if near is None or not told.is_news(DeadlineNear):
        return
    if latest is None or near.revision > latest.revision:
        yield _drafted(told, near, "deadline", near.data.due, milestone="near", language=next(iter(near.data.title)))
    else:
        yield _drafted(told, latest, "deadline", latest.data.when, milestone="near", language=latest.data.language)


def _is_posted(date: CalendarDate) -> bool:
    return date.source is None and date.kind in POSTED


def _drafted(told: Told, event: Received[Any], label: str, when: When, **facts: Any) -> Draft:
    date = event.data
    return draft_of(
        told,
        event,
        label=label,
        title=date.title,
        texts=compose_all(date.title, label=label, when=when, address=date.address),
        when=when.model_dump(mode="json"),
        address=date.address,
        **facts,
    )
