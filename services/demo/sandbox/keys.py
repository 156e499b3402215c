"""The keys of the sandbox's one account, and the check of what is signed with them (OAuth 1.0a, RFC 5849)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe

from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header, unescape

from shared.settings import Settings

USER_ID = "1000000001"
# X takes what was signed within five minutes of its own clock.
CLOCK_SECONDS = 300
_NEEDED = ("oauth_consumer_key", "oauth_token", "oauth_signature", "oauth_signature_method", "oauth_timestamp", "oauth_nonce")


class NotSignedError(Exception):
    """A request is not signed with the keys of the account; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What an application and an account sign with."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    access_token: str
    access_token_secret: str = field(repr=False)

    @classmethod
    def new(cls) -> "Keys":
        """Return keys that nobody else has."""
        token = f"{USER_ID}-{token_urlsafe(24)}"
        return cls(
            consumer_key=token_urlsafe(18), consumer_secret=token_urlsafe(36), access_token=token, access_token_secret=token_urlsafe(33)
        )

    @property
    def user_id(self) -> str:
        """The account's number."""
        return self.access_token.partition("-")[0]


def keys_of(settings: Settings) -> Keys | None:
    """Return the keys with which a service that runs elsewhere signs what it posts here; None where the settings name none."""
    given = [settings.x_consumer_key, settings.x_consumer_secret, settings.x_access_token, settings.x_access_token_secret]
    key, secret, token, token_secret = (one.get_secret_value() if one else "" for one in given)
    if not (key and secret and token and token_secret):
        return None
    return Keys(consumer_key=key, consumer_secret=secret, access_token=token, access_token_secret=token_secret)


class Checker:
    """Checks requests against the keys; one that comes twice is refused."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._seen: dict[tuple[str, str], float] = {}

    def check(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Raise NotSignedError unless the request, whose body is no form, is signed by the account."""
        try:
            parts = parse_authorization_header(headers.get("authorization", ""))
            given = {name: unescape(value) for name, value in parts}
        except ValueError as error:
            raise NotSignedError("there is no OAuth header") from error
        if missing := [name for name in _NEEDED if not given.get(name)]:
            raise NotSignedError(f"{', '.join(missing)} missing")
        if (given["oauth_consumer_key"], given["oauth_token"]) != (self._keys.consumer_key, self._keys.access_token):
            raise NotSignedError("the keys are not those of this account")
        self._check_freshness(given["oauth_timestamp"], given["oauth_nonce"])
        parameters = signature.collect_parameters(uri_query=url.partition("?")[2], headers=dict(headers), exclude_oauth_signature=True)
        request = Request(url, method)
        request.params, request.signature = parameters, given["oauth_signature"]
        if given["oauth_signature_method"] != "HMAC-SHA1" or not signature.verify_hmac_sha1(
            request, self._keys.consumer_secret, self._keys.access_token_secret
        ):
            raise NotSignedError("the signature does not fit")

    def _check_freshness(self, timestamp: str, nonce: str) -> None:
        now = time.time()
        if not timestamp.isdigit() or abs(now - int(timestamp)) > CLOCK_SECONDS:
            raise NotSignedError("the time of signing is too far from now")
        self._seen = {known: until for known, until in self._seen.items() if until > now}
        if (timestamp, nonce) in self._seen:
            raise NotSignedError("the request has come before")
        self._seen[timestamp, nonce] = now + 2 * CLOCK_SECONDS
