"""What waits in the newsletter, for its figures: issues, each reader's copy, wishes of strangers, and the senders that live."""

from sqlalchemy import func, or_, text

from services.newsletter.sending.rules import AudienceState, SendState
from services.newsletter.sending.tables import audience, senders, sends
from services.newsletter.subscribing.rules import WishState
from services.newsletter.subscribing.tables import wishes
from shared import tasks
from shared.mail.queue import store as mails
from shared.queues import queue

# Uncertain copies have no index of their own; those of issues that ended long ago are looked at in their own issue's page.
UNCERTAIN_DAYS = 35

_copies = audience.join(sends, audience.c.issue_id == sends.c.issue_id)
_in = audience.c.state.in_
_lately = or_(sends.c.finished_at.is_(None), sends.c.finished_at > func.now() - text(f"interval '{UNCERTAIN_DAYS} days'"))
_begins = (sends.c.starts_at <= func.now()) & or_(sends.c.waits_until.is_(None), sends.c.waits_until <= func.now())

QUEUES = (
    # By the state of their issue as well: what is held waits for a person, and not for the mail server.
    queue(
        "copies",
        _copies,
        _in([AudienceState.PLANNED.value, AudienceState.DEFERRED.value]),
        state=audience.c.state,
        kind=sends.c.state,
        since=audience.c.next_at,
    ),
    queue(
        "copies",
        _copies,
        _in([AudienceState.CLAIMED.value, AudienceState.STARTED.value]),
        state=audience.c.state,
        kind=sends.c.state,
        since=None,
    ),
    queue(
        "copies",
        _copies,
        (audience.c.state == AudienceState.UNCERTAIN.value) & _lately,
        state=AudienceState.UNCERTAIN.value,
        kind=audience.c.reason,
        since=audience.c.ended_at,
    ),
    queue("issues", sends, (sends.c.state == SendState.SCHEDULED.value) & _begins, state="due", since=sends.c.starts_at),
    queue("issues", sends, sends.c.state == SendState.SENDING.value, state=SendState.SENDING.value, since=sends.c.frozen_at),
    queue(
        "issues",
        sends,
        sends.c.state == SendState.HELD.value,
        state=SendState.HELD.value,
        kind=sends.c.held_because,
        since=sends.c.starts_at,
    ),
    queue("wishes", wishes, wishes.c.state == WishState.ASKED.value, since=wishes.c.asked_at),
    queue("senders", senders, senders.c.seen_at > func.now() - text("interval '1 minute'"), state="alive", since=None),
    queue(
        "senders",
        senders,
        (senders.c.seen_at > func.now() - text("interval '1 minute'")) & (senders.c.trouble != ""),
        state="in-trouble",
        since=None,
    ),
    tasks.WAITING,
    *mails.QUEUES,
)
