"""Wiring of the newsletter."""

from pathlib import Path

from services.newsletter import handlers, jobs
from services.newsletter.addresses import Shelf
from services.newsletter.posting import Posting
from services.newsletter.sending.pausing import SENDER
from services.newsletter.subscribing.wishes import Answering
from services.newsletter.web import pool_show, sends_show
from services.newsletter.web.preferences_show import Preferences, is_one_click
from services.newsletter.web.subscribe_confirm import Confirming
from services.newsletter.web.subscribe_form import Rates, SubscribeForm
from services.newsletter.web.subscribers_manage import Subscribers
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.pauses.web import pauses_of
from shared.service import Service

NAME = "newsletter"
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return the newsletter, put together and not yet at work."""
    database, pages, mails, rates = parts.database(NAME), parts.pages(NAME, TEMPLATES), parts.mails(), Rates()
    shelf = Shelf(database, parts.vault)
    answering = Answering(mails, shelf, public_url=parts.public_url, zone=pages.zone)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        jobs=(*jobs.JOBS, jobs.answer_by(answering), *HandOver(mails).jobs(), *Posting(parts).jobs()),
        facts=pool_show.facts,
        sent_by_programs=is_one_click,
        routers=(
            pool_show.router(database, pages),
            sends_show.router(database),
            pauses_of(SENDER, database, pages),
            SubscribeForm(database, shelf, pages, answering, rates, sender=parts.outgoing.sender.address).router(),
            Confirming(database, shelf, pages).router(),
            Preferences(database, shelf, pages, answering, rates).router(),
            *Subscribers(database, shelf, pages).routers(),
        ),
    )
