"""Wiring of the desk."""

from pathlib import Path

from services.desk import handlers, jobs
from services.desk.links import MailLink
from services.desk.web import routers
from shared.parts import Parts
from shared.service import Service
from shared.settings import SettingsError

NAME = "desk"
TEMPLATES = Path(__file__).parent / "templates"
ASKED = ("intake", "newsletter", "social", "desk")
"""The services whose operations and events the desk's pages gather: every one that keeps something."""
MAIL_LINK: MailLink | None = None
"""What mails sign-in links. None while nothing here sends mail: the sign-in page then says whom to ask."""


def build(parts: Parts) -> Service:
    """Return the desk, put together and not yet at work; raises SettingsError without the key that signs tokens."""
    if parts.signer is None:
        raise SettingsError("TIDINGS_SIGNING_KEY is missing, and desk signs the tokens of all. `tidings key --signing` makes one.")
    database = parts.database(NAME)
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        jobs=jobs.JOBS,
        routers=routers.all_of(database, parts.signer, parts.pages(NAME, TEMPLATES), ASKED, MAIL_LINK),
    )
