"""Posts that others have asked for."""

from collections.abc import Iterator, Mapping

from services.social.domain.drafts import Draft, draft_of
from shared.events.codes import Language
from shared.events.intake import PromotionRequested
from shared.events.texts import LINE_LENGTH
from shared.heard import Told

_TITLE = 100


def drafts_of_promotion(told: Told) -> Iterator[Draft]:
    """Yield the draft of a request that was taken up: the text as it was wished, with its link where it has none of its own."""
    requested = told.last(PromotionRequested)
    if requested is None or not told.is_news(PromotionRequested):
        return
    wish = requested.data
    link = wish.link or ""
    yield draft_of(
        told,
        requested,
        label="promotion",
        language=wish.language,
        title=_titles(wish.text),
        texts={language: text if not link or link in text else f"{text}\n{link}" for language, text in wish.text.items()},
        credit=wish.credit or "",
        files=[one.model_dump(mode="json") for one in wish.files],
        networks=[one.value for one in wish.networks],
        wished=wish.wished.model_dump(mode="json") if wish.wished else None,
        address=link,
    )


def _titles(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    """Return by what a request is known in a list: the beginning of its text."""
    firsts = {language: " ".join(text.partition("\n")[0].split())[:LINE_LENGTH] for language, text in texts.items()}
    return {language: first if len(first) <= _TITLE else first[: _TITLE - 1].rstrip() + "…" for language, first in firsts.items()}
