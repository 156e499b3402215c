"""The routes by which the register is read."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.pledges.web import champions_show, pledge_show, register_browse
from services.pledges.web.champions_edit import ChampionsEdit
from services.pledges.web.register_data import OpenData
from shared.db import Database
from shared.web.pages import Pages


def all_of(database: Database, pages: Pages) -> Sequence[APIRouter]:
    """Return the routers of what everybody may read, and of the champions, which an admin keeps."""
    return (
        OpenData(database, pages.public_url, pages.licence).router(),
        register_browse.router(database, pages),
        champions_show.router(database, pages),
        ChampionsEdit(database, pages).router(),
        pledge_show.router(database, pages),
    )
