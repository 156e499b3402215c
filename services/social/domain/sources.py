"""From what is told to what is drafted: which events are about which kind of source, and what each kind gives."""

from collections.abc import Callable, Iterator, Mapping

from services.social.domain.dates import drafts_of_date
from services.social.domain.drafts import Draft
from services.social.domain.issues import drafts_of_issue
from services.social.domain.news import drafts_of_news
from services.social.domain.pledges import drafts_of_pledge
from services.social.domain.practices import drafts_of_practice
from services.social.domain.promotions import drafts_of_promotion
from services.social.domain.talks import drafts_of_talk
from shared.events import calendar, intake, newsletter, pledges
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
    intake.PromotionRequested: SourceKind.PROMOTION,
    intake.PromotionWithdrawn: SourceKind.PROMOTION,
    pledges.PledgePublished: SourceKind.PLEDGE,
    pledges.PledgeUpdated: SourceKind.PLEDGE,
    pledges.PledgeFulfilled: SourceKind.PLEDGE,
    pledges.PledgeWithdrawn: SourceKind.PLEDGE,
    calendar.DatePublished: SourceKind.DATE,
    calendar.DateMoved: SourceKind.DATE,
    calendar.DateCancelled: SourceKind.DATE,
    calendar.DeadlineNear: SourceKind.DATE,
    newsletter.IssueApproved: SourceKind.ISSUE,
    newsletter.IssueSent: SourceKind.ISSUE,
}
"""What each type of event is about."""

GIVES: Mapping[SourceKind, Callable[[Told], Iterator[Draft]]] = {
    SourceKind.PRACTICE: drafts_of_practice,
    SourceKind.TALK: drafts_of_talk,
    SourceKind.NEWS: drafts_of_news,
    SourceKind.PROMOTION: drafts_of_promotion,
    SourceKind.PLEDGE: drafts_of_pledge,
    SourceKind.DATE: drafts_of_date,
    SourceKind.ISSUE: drafts_of_issue,
}
"""What each kind of source gives, as it stands after all that was told of it."""
