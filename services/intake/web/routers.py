"""Every route of intake."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.intake.publishing.arriving import Arrivals
from services.intake.web import (
    catalogue_show,
    file_hand_out,
    news_browse,
    news_feed,
    practice_browse,
    submission_confirm,
    submission_list,
    submission_track,
    talk_browse,
)
from services.intake.web.enquiry_answer import Enquiries
from services.intake.web.form_enter import Entering
from services.intake.web.form_submit import PublicForms
from services.intake.web.initiative_confirm import Initiatives
from services.intake.web.partner_manage import Partners
from services.intake.web.submission_decide import Decisions
from services.intake.web.submission_edit import Editing
from services.intake.web.submission_show import SubmissionPage
from services.intake.web.talk_change import TalkChanges
from services.intake.web.webhook_accept import Door
from shared.db import Database
from shared.mail.queue.put import Mails
from shared.vault import Vault
from shared.web.pages import Pages


def all_of(database: Database, vault: Vault, pages: Pages, mails: Mails, arrivals: Arrivals) -> Sequence[APIRouter]:
    """Return the routers of intake; the webhook door first, since it is asked most."""
    page = SubmissionPage(database, vault, pages)
    return (
        Door(database, vault, public_url=pages.public_url, arrivals=arrivals).router(),
        catalogue_show.router(pages),
        file_hand_out.router(database),
        PublicForms(database, vault, pages, mails).router(),
        Entering(database, vault, pages, mails, arrivals).router(),
        submission_confirm.router(database, pages, arrivals),
        submission_track.router(database, pages, arrivals),
        practice_browse.router(database, pages),
        talk_browse.router(database, pages),
        news_feed.router(database, pages.public_url, pages.licence),
        news_browse.router(database, pages),
        submission_list.router(database, pages),
        Decisions(database, page, pages.public_url).router(),
        Editing(database, page, pages).router(),
        TalkChanges(database, page, pages).router(),
        Partners(database, vault, pages).router(),
        Enquiries(database, vault, pages).router(),
        Initiatives(database, vault, pages).router(),
    )
