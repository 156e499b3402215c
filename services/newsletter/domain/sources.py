"""From what is told to what is printed: which events are about which kind of source, and what each kind gives."""

from collections.abc import Callable, Iterator, Mapping

from services.newsletter.domain.contributions import items_of_contribution
from services.newsletter.domain.dates import items_of_date
from services.newsletter.domain.items import Item
from services.newsletter.domain.news import items_of_news
from services.newsletter.domain.pledges import items_of_pledge
from services.newsletter.domain.practices import items_of_practice
from services.newsletter.domain.talks import items_of_talk
from shared.events import calendar, intake, pledges
from shared.events.base import EventData
from shared.events.codes import SourceKind
from shared.heard import Told

ABOUT: Mapping[type[EventData], SourceKind] = {
    intake.PracticePublished: SourceKind.PRACTICE,
    intake.PracticeWithdrawn: SourceKind.PRACTICE,
    intake.TalkAccepted: SourceKind.TALK,
    intake.TalkMoved: SourceKind.TALK,
    intake.TalkCancelled: SourceKind.TALK,
    intake.TalkHeld: SourceKind.TALK,
    intake.NewsPublished: SourceKind.NEWS,
    intake.NewsWithdrawn: SourceKind.NEWS,
    intake.ContributionAccepted: SourceKind.CONTRIBUTION,
    intake.ContributionWithdrawn: SourceKind.CONTRIBUTION,
    pledges.PledgePublished: SourceKind.PLEDGE,
    pledges.PledgeUpdated: SourceKind.PLEDGE,
    pledges.PledgeFulfilled: SourceKind.PLEDGE,
    pledges.PledgeWithdrawn: SourceKind.PLEDGE,
    calendar.DatePublished: SourceKind.DATE,
    calendar.DateMoved: SourceKind.DATE,
    calendar.DateCancelled: SourceKind.DATE,
    calendar.DeadlineNear: SourceKind.DATE,
}
"""What each type of event is about."""

GIVES: Mapping[SourceKind, Callable[[Told], Iterator[Item]]] = {
    SourceKind.PRACTICE: items_of_practice,
    SourceKind.TALK: items_of_talk,
    SourceKind.NEWS: items_of_news,
    SourceKind.CONTRIBUTION: items_of_contribution,
    SourceKind.PLEDGE: items_of_pledge,
    SourceKind.DATE: items_of_date,
}
"""What each kind of source gives, as it stands after all that was told of it."""
