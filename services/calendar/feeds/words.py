"""The few sentences that feeds say of a date beside what people wrote, in the language of the feed."""

from collections.abc import Mapping

from services.calendar.domain.entries import Entry
from shared import i18n
from shared.events.times import Days, TimeWithZone, When


def in_language(texts: Mapping[str, str], wanted: str) -> tuple[str, str]:
    """Return a text in the language wanted, else in English, else in one that it has, and which that is; empty where there is none."""
    for language in (wanted, i18n.DEFAULT, *i18n.CONTENT_LANGUAGES):
        if found := texts.get(language):
            return found, language
    return "", wanted


def exact_words(when: When, language: str) -> str:
    """Return a day, days or an hour as people write them, an hour with the zone of the place; empty for what has neither."""
    if isinstance(when, TimeWithZone):
        return i18n.moment(when.starts, language, when.zone)
    if not isinstance(when, Days):
        return ""
    if when.first == when.last:
        return i18n.day(when.first, language)
    return i18n.translate(language, "agenda.from-to", first=i18n.day(when.first, language), last=i18n.day(when.last, language))


def remarks(entry: Entry, language: str) -> list[str]:
    """Return what has to be said with a date: that it is invented, cancelled or moved, and why."""
    found = []
    if entry.synthetic:
        found.append(i18n.translate(language, "agenda.invented"))
    if entry.is_cancelled:
        because, _ = in_language(entry.cancelled_because or {}, language)
        found.append(
            i18n.translate(language, "agenda.cancelled-because", reason=because)
            if because
            else i18n.translate(language, "agenda.cancelled-note")
        )
    if entry.moved_from is not None:
        was = exact_words(entry.moved_from, language)
        found.append(i18n.translate(language, "agenda.moved-from", was=was) if was else i18n.translate(language, "agenda.moved-note"))
    return found


def codes(entry: Entry) -> list[str]:
    """Return what a date is about as codes, each with the list that it is from."""
    return [
        entry.kind,
        *(f"objective:{number}" for number in entry.objectives),
        *(f"principle:{code}" for code in entry.principles),
        *(f"region:{code}" for code in entry.regions),
        *(f"country:{code}" for code in entry.countries),
        *([f"theme:{entry.theme}"] if entry.theme else []),
        *([f"priority:{entry.priority}"] if entry.priority else []),
    ]
