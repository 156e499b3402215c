"""Every route of the desk."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.desk.links import MailLink
from services.desk.web import audit, components, front, gather, sending, take_part
from services.desk.web.me import Me
from services.desk.web.people_manage import People
from services.desk.web.sign_in import SignIn
from services.desk.web.start import Start
from shared.auth.cookies import Cookies
from shared.auth.tokens import Signer
from shared.db import Database
from shared.web.pages import Pages


def all_of(
    database: Database, signer: Signer, pages: Pages, services: Sequence[str], mail_link: MailLink | None = None
) -> Sequence[APIRouter]:
    """Return the routers of the desk; `services` are those whose operations and events are gathered.

    `mail_link` mails sign-in links; without it the sign-in page says whom to ask for one.
    """
    cookies = Cookies.at(pages.public_url)
    return (
        front.router(database, pages),
        take_part.router(pages),
        SignIn(database, signer, pages, cookies, mail_link).router(),
        Start(database, pages).router(),
        Me(database, pages, cookies).router(),
        People(database, pages).router(),
        audit.router(database, pages),
        sending.router(database, pages),
        components.router(pages),
        gather.router(pages, services),
    )
