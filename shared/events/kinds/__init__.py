"""What can be submitted: one model for each kind, which the door, the form, the import and the reviewing service all use."""

from collections.abc import Mapping

from shared.events.kinds.contribution import ContributionSubmission
from shared.events.kinds.date import DateSuggestion
from shared.events.kinds.enquiry import Enquiry
from shared.events.kinds.news import NewsSubmission
from shared.events.kinds.parts import Submission
from shared.events.kinds.pledge import PledgeSubmission
from shared.events.kinds.practice import PracticeSubmission
from shared.events.kinds.promotion import PromotionRequest
from shared.events.kinds.talk import TalkRequest

_MODELS: tuple[type[Submission], ...] = (
    PracticeSubmission,
    TalkRequest,
    PledgeSubmission,
    DateSuggestion,
    NewsSubmission,
    ContributionSubmission,
    PromotionRequest,
    Enquiry,
)

KINDS: Mapping[str, type[Submission]] = {model.kind_name: model for model in _MODELS}
"""The model of each kind, by the word for it: `practice`."""

KINDS_BY_TYPE: Mapping[str, type[Submission]] = {model.type: model for model in _MODELS}
"""The model of each kind, by the type that it has at the door: `practice.submitted`."""
