"""Wiring of social media."""

from pathlib import Path

from services.social import handlers, jobs, queues
from services.social.domain.deliveries import Pace
from services.social.networks.x.client import X
from services.social.networks.x.session import API_URL, POSTS_URL, Account
from services.social.posting.things import things_at
from services.social.sender import Networks, Sender
from services.social.store.pausing import SENDER
from services.social.sweeps import sweeps_of
from services.social.web import deliveries_show, drafts_show, posts_queue
from services.social.web.post_edit import PostPages
from shared.events.codes import Network
from shared.files.uploads import takes_files
from shared.parts import Parts
from shared.pauses.web import pauses_of
from shared.service import Service
from shared.settings import Settings

NAME = "social"
FILES = "/social/posts/[^/]+/variants/[^/]+/[^/]+"
"""Where pictures are taken."""
TEMPLATES = Path(__file__).parent / "templates"


def build(parts: Parts) -> Service:
    """Return social media, put together and not yet at work."""
    database = parts.database(NAME)
    pages = parts.pages(NAME, TEMPLATES)
    thing = things_at(parts.public_url)
    pace = Pace()
    return Service(
        name=NAME,
        database=database,
        listeners=handlers.listens_at(parts.public_url, parts.settings.timezone),
        tells=True,
        queues=queues.QUEUES,
        sweeps=sweeps_of(parts.public_url, thing),
        jobs=jobs.of(Sender(networks_of(parts.settings, pace), pace), thing),
        facts=drafts_show.facts,
        routers=(
            posts_queue.router(database, pages, thing),
            PostPages(database, pages, thing).router(),
            drafts_show.router(database, pages),
            deliveries_show.router(database, pages),
            pauses_of(SENDER, database, pages),
        ),
        limit_of=takes_files(FILES),
    )


def networks_of(settings: Settings, pace: Pace) -> Networks:
    """Return the networks that are set up; posts for others wait, and say so."""
    account = x_account(settings)
    return {} if account is None else {Network.X: X(account, pace)}


def x_account(settings: Settings) -> Account | None:
    """Return the account on X; None where its four keys are not all set, or where a sandbox is wanted and none runs."""
    api_url = settings.x_api_url or (API_URL if settings.networks == "live" else None)
    keys = (settings.x_consumer_key, settings.x_consumer_secret, settings.x_access_token, settings.x_access_token_secret)
    given = [key.get_secret_value() for key in keys if key is not None and key.get_secret_value()]
    if api_url is None or len(given) != len(keys):
        return None
    consumer_key, consumer_secret, access_token, access_token_secret = given
    return Account(
        api_url=api_url,
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        access_token=access_token,
        access_token_secret=access_token_secret,
        # A rehearsed post stands on no page of X: the demo parts know where.
        posts_url=POSTS_URL if settings.networks == "live" else f"{settings.address}/demo/posts/x/",
    )
