"""Posts about GCM Talks: one that announces it, another about what came of it."""

from collections.abc import Iterator
from typing import Any

from services.social.domain.drafts import Draft, compose_all, draft_of
from shared.events.intake import Talk, TalkAccepted, TalkHeld
from shared.heard import Told


def drafts_of_talk(told: Told) -> Iterator[Draft]:
    """Yield the draft that announces a Talk, and the one about its outcome; both follow where it moves, and end where it is cancelled."""
    latest = told.last(Talk)
    if latest is None:
        return
    talk = latest.data

    def drafted(label: str, **facts: Any) -> Draft:
        texts = compose_all(talk.title, label=label, entity=talk.entity, when=talk.when, address=talk.address)
        facts |= {"when": talk.when.model_dump(mode="json"), "place": talk.place or "", "address": talk.address}
        return draft_of(told, latest, label=label, language=talk.language, title=talk.title, texts=texts, **facts)

    if told.is_news(TalkAccepted):
        yield drafted("talk")
    if told.is_news(TalkHeld):
        yield drafted("talk-held", milestone="held")
