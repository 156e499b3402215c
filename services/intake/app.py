"""Wiring of intake."""

from pathlib import Path

from services.intake import handlers, jobs, queues
from services.intake.letters.notices import Notices
from services.intake.publishing.arriving import Arrivals
from services.intake.sweeps import sweeps_of
from services.intake.web import routers
from services.intake.web.story_facts import facts
from services.intake.web.webhook_accept import is_webhook, webhook_limits
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service

NAME = "intake"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return intake, put together and not yet at work."""
    database, mails = parts.database(NAME), parts.mails()
    arrivals = Arrivals(parts.vault, mails, public_url=parts.public_url)
    notices = Notices(parts.vault, mails, public_url=parts.public_url)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.public_url),
        jobs=(*jobs.jobs_of(notices, arrivals), *HandOver(mails).jobs()),
        facts=facts,
        sent_by_programs=is_webhook,
        limit_of=webhook_limits,
        routers=routers.all_of(database, parts.vault, parts.pages(NAME, TEMPLATES), mails, arrivals),
    )
