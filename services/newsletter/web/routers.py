"""Every address of the newsletter but those of readers who sign up."""

from fastapi import APIRouter

from services.newsletter.issues.matter import thing_of
from services.newsletter.sending.pausing import SENDER
from services.newsletter.web import archive_feed, archive_show, issue_plan, issue_show, pool_move, pool_show, sends_show
from services.newsletter.web.issue_look import Looking
from services.newsletter.web.issue_send import Sending
from services.newsletter.web.issue_show import Desk
from services.newsletter.web.issue_write import Writing
from shared.db import Database
from shared.mail.queue.put import Mails
from shared.pauses.web import pauses_of
from shared.vault import Vault
from shared.web.pages import Pages


def all_of(database: Database, vault: Vault, pages: Pages, mails: Mails) -> tuple[APIRouter, ...]:
    """Return them; what stands at a name of its own comes before what takes an id."""
    desk = Desk(database=database, pages=pages, thing=thing_of(pages.public_url))
    return (
        archive_show.router(database, pages),
        archive_feed.router(database, pages.public_url),
        pool_show.router(database, pages),
        pool_move.router(desk),
        sends_show.router(database),
        issue_plan.router(desk),
        issue_show.router(desk),
        issue_show.decisions(desk),
        Writing(desk).router(),
        Looking(desk, mails).router(),
        Sending(desk, vault).router(),
        pauses_of(SENDER, database, pages),
    )
