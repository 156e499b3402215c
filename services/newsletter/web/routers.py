"""Every address of the newsletter: those of its readers, and those of the team."""

from fastapi import APIRouter

from services.newsletter.addresses import Shelf
from services.newsletter.issues.matter import thing_of
from services.newsletter.sending.pausing import SENDER
from services.newsletter.subscribing.wishes import Answering
from services.newsletter.web import archive_feed, archive_show, issue_plan, issue_show, pool_move, pool_show, sends_show
from services.newsletter.web.issue_look import Looking
from services.newsletter.web.issue_send import Sending
from services.newsletter.web.issue_show import Desk
from services.newsletter.web.issue_write import Writing
from services.newsletter.web.preferences_show import Preferences
from services.newsletter.web.subscribe_confirm import Confirming
from services.newsletter.web.subscribe_form import Rates, SubscribeForm
from services.newsletter.web.subscribers_manage import Subscribers
from shared.db import Database
from shared.mail.queue.put import Mails
from shared.pauses.web import pauses_of
from shared.vault import Vault
from shared.web.pages import Pages


def of_readers(database: Database, shelf: Shelf, pages: Pages, answering: Answering, *, sender: str) -> tuple[APIRouter, ...]:
    """Return the addresses that everybody may open; `sender` is the mail address that bulletins come from."""
    rates = Rates()
    return (
        archive_show.router(database, pages),
        archive_feed.router(database, pages.public_url),
        SubscribeForm(database, shelf, pages, answering, rates, sender=sender).router(),
        Confirming(database, shelf, pages).router(),
        Preferences(database, shelf, pages, answering, rates).router(),
    )


def of_the_team(database: Database, shelf: Shelf, pages: Pages, mails: Mails, vault: Vault) -> tuple[APIRouter, ...]:
    """Return the addresses that need a role; what stands at a name of its own comes before what takes an id."""
    desk = Desk(database=database, pages=pages, thing=thing_of(pages.public_url))
    return (
        pool_show.router(database, pages),
        pool_move.router(desk),
        sends_show.router(database),
        issue_plan.router(desk),
        issue_show.router(desk),
        issue_show.decisions(desk),
        Writing(desk).router(),
        Looking(desk, mails, vault).router(),
        Sending(desk, vault).router(),
        *Subscribers(database, shelf, pages).routers(),
        pauses_of(SENDER, database, pages),
    )
