"""The routes by which the register is read."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.pledges.web import pledge_show, register_browse
from services.pledges.web.register_data import OpenData
from shared.db import Database
from shared.web.pages import Pages


def all_of(database: Database, pages: Pages) -> Sequence[APIRouter]:
    """Return the routers of what everybody may read."""
    return (
        OpenData(database, pages.public_url).router(),
        register_browse.router(database, pages),
        pledge_show.router(database, pages),
    )
