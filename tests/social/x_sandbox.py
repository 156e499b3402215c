"""An account on a sandbox that runs in the test's own process."""

from dataclasses import replace
from datetime import timedelta

from services.demo.sandbox.server import Sandbox
from services.social.domain.content import Content
from services.social.domain.deliveries import Pace
from services.social.networks.x.client import X
from services.social.networks.x.session import Account
from shared.events.codes import Network

QUICK = Pace(
    look_after=(timedelta(seconds=0.1), timedelta(seconds=0.1), timedelta(seconds=0.2)),
    look_again_after=timedelta(seconds=0.1),
    lease=timedelta(seconds=2.0),
    request_timeout=timedelta(seconds=0.5),
    not_reached_pause=timedelta(seconds=0.1),
    jitter=timedelta(seconds=0.1),
    look_back=timedelta(seconds=2),
)
"""The protocol at a hundredth of its patience."""
PATIENT = replace(QUICK, request_timeout=timedelta(seconds=10), lease=timedelta(seconds=30))
"""So long that no noise of the machine ends a request that the test means to succeed."""


def account_on(sandbox: Sandbox, **other: str) -> Account:
    """Return the sandbox's account as the sender holds it."""
    keys = sandbox.keys
    given = {
        "api_url": sandbox.address,
        "consumer_key": keys.consumer_key,
        "consumer_secret": keys.consumer_secret,
        "access_token": keys.access_token,
        "access_token_secret": keys.access_token_secret,
    }
    return Account(**(given | other))


def x_on(sandbox: Sandbox, pace: Pace = QUICK) -> X:
    """Return X as the sender sees it."""
    return X(account_on(sandbox), pace)


def words(text: str) -> Content:
    """Return a post of words alone."""
    return Content(network=Network.X, language="en", text=text)
