"""Wiring of the desk."""

from pathlib import Path

from services.desk import handlers, jobs, queues
from services.desk.awaiting.mailing import StaffMails
from services.desk.links import mail_by
from services.desk.sweeps import sweeps_of
from services.desk.web import routers
from shared.mail.queue.hand_over import HandOver
from shared.parts import Parts
from shared.service import Service
from shared.settings import SettingsError

NAME = "desk"
TEMPLATES = Path(__file__).parent / "templates"
ASKED = ("intake", "pledges", "newsletter", "social", "calendar", "desk")
"""The services whose operations and events the desk's pages gather: every one that keeps something."""


def build(parts: Parts) -> Service:
    """Return the desk, put together and not yet at work; raises SettingsError without the key that signs tokens."""
    if parts.signer is None:
        raise SettingsError("TIDINGS_SIGNING_KEY is missing, and desk signs the tokens of all. `tidings key --signing` makes one.")
    database, mails = parts.database(NAME), parts.mails()
    staff_mails = StaffMails(mails, public_url=parts.public_url, zone=parts.settings.timezone)
    # Without a mail server the sign-in page says whom to ask.
    mail_link = mail_by(mails) if parts.outgoing.server is not None else None
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.LISTENS,
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.settings.timezone, mails_staff=parts.outgoing.server is not None),
        jobs=(*jobs.JOBS, *staff_mails.jobs(), *HandOver(mails).jobs()),
        routers=routers.all_of(database, parts.signer, parts.pages(NAME, TEMPLATES), ASKED, mail_link),
    )
