"""Events in: what people decided anywhere becomes the audit trail; what awaits people is shown and mailed; what senders say of pauses
stands beside the kill switch; what is public stands on the front page."""

from services.desk.awaiting.listening import LISTENERS as AWAITING
from services.desk.public.listening import LISTENERS as PUBLIC
from services.desk.trail import add_decisions
from shared.events.every import DecisionMade
from shared.listening import batch, listeners
from shared.pauses import switch

LISTENS = listeners(batch(DecisionMade, add_decisions), *AWAITING, *PUBLIC, switch.listener())
