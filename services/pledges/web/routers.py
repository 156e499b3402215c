"""Every route of the register."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.pledges.reporting import Reporting
from services.pledges.reviewing import Reviewing
from services.pledges.web.pledge_correct import Correcting
from services.pledges.web.pledge_manage import Managing
from services.pledges.web.report_review import ReportReview
from services.pledges.web.submission_review import Review
from services.pledges.web.update_ask import UpdateAsk
from services.pledges.web.update_report import UpdateReport
from shared.db import Database
from shared.web.pages import Pages


def of_team_and_owners(database: Database, pages: Pages, reviewing: Reviewing, reporting: Reporting) -> Sequence[APIRouter]:
    """Return the routers of those who change something; they stand before the public pages, whose `/pledges/{number}` takes any word."""
    return (
        UpdateAsk(database, pages, reporting.letters).router(),
        UpdateReport(database, pages, reporting).router(),
        Review(database, pages, reviewing, reporting.letters).router(),
        ReportReview(database, pages, reporting).router(),
        Correcting(database, pages, reviewing).router(),
        Managing(database, pages, reviewing, reporting).router(),
    )
