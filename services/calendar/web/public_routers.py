"""The pages and feeds of the calendar that everybody may read."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.calendar.web import agenda_show, date_show, embed_show, feed_give, month_show, workplan_show
from shared.db import Database
from shared.web.pages import Pages


def public(database: Database, pages: Pages) -> Sequence[APIRouter]:
    """Return the routers of readers; the last takes every address of one part that is left, so they stand behind the team's."""
    return (
        agenda_show.router(database, pages),
        month_show.router(database, pages),
        workplan_show.router(database, pages),
        embed_show.router(database, pages),
        feed_give.router(database, pages.public_url, pages.licence),
        date_show.router(database, pages),
    )
