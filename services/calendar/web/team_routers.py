"""The pages of the calendar that the team works with."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.calendar.planning import Planning
from services.calendar.reviewing import Reviewing
from services.calendar.web.date_change import Changing
from services.calendar.web.date_enter import Entering
from services.calendar.web.date_manage import Manage
from services.calendar.web.suggestion_review import SuggestionReview
from shared.db import Database
from shared.vault import Vault
from shared.web.pages import Pages


def team(database: Database, vault: Vault, pages: Pages, planning: Planning, reviewing: Reviewing) -> Sequence[APIRouter]:
    """Return the routers of the team; they stand before those of readers, the last of which takes every address of one part."""
    return (
        SuggestionReview(database, vault, pages, reviewing).router(),
        Entering(database, pages, planning).router(),
        Changing(database, pages, planning).router(),
        Manage(database, pages, planning).router(),
    )
