"""Posts about pledges: one when a pledge is made, another when it is fulfilled."""

from collections.abc import Iterator
from typing import Any

from services.social.domain.drafts import Draft, compose_all, draft_of
from shared.events.codes import PledgeState
from shared.events.pledges import Pledge, PledgeFulfilled, PledgePublished
from shared.heard import Told
from shared.i18n import translate


def drafts_of_pledge(told: Told) -> Iterator[Draft]:
    """Yield the draft about a new pledge, and the one about its fulfilment; a report of its owner corrects both.

    Invented sample data are never posted.
    """
    latest = told.last(Pledge)
    if latest is None or latest.data.synthetic:
        return
    pledge = latest.data

    def drafted(label: str, **facts: Any) -> Draft:
        texts = compose_all(pledge.title, label=label, entity=pledge.entity, address=pledge.address)
        facts |= {"standing": pledge.state.value, "address": pledge.address}
        return draft_of(told, latest, label=label, language=pledge.language, title=pledge.title, texts=texts, **facts)

    if told.is_news(PledgePublished):
        yield drafted("pledge")
    if told.is_news(PledgeFulfilled):
        taken_back = translate("en", "staff.source.not-fulfilled") if pledge.state is not PledgeState.FULFILLED else None
        yield drafted("pledge-fulfilled", milestone="fulfilled", withdrawn_because=taken_back)
