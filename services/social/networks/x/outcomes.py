"""What an answer of X, or the lack of one, says about a post: it stands, it does not, it does not yet, or nobody knows.

Judged by what was seen on the wire, not by the exception that tweepy makes of it: of an answer that is not JSON, or that comes half, it
raises what no list of its own exceptions holds, and those are the cases that matter.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from services.social.domain.deliveries import Outcome, Pace, Result, WaitingFor
from services.social.networks.x.session import Exchange, TooLateError

# X's windows are of 15 minutes; so long it is left alone where it does not say when the window ends.
WINDOW = timedelta(minutes=15)
# No window of X's is longer than a day; a header that says more is a fault, and must not stop the account for years.
LONGEST_PAUSE = timedelta(hours=25)

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, TooLateError)
# X has looked at the request and does not want it. Of 408 and 409 one cannot say so.
_REFUSALS = {400, 401, 402, 403, 404, 405, 406, 410, 413, 414, 415, 422, 426, 431}
_WAITING_FOR = {401: WaitingFor.CREDENTIALS, 402: WaitingFor.CREDIT, 403: WaitingFor.FORBIDDEN}


def outcome_of(exchange: Exchange, error: BaseException | None, now: datetime, pace: Pace) -> Outcome:
    """Return what came of an attempt to post."""
    evidence = exchange.evidence(error)
    status = exchange.status
    said = _object(exchange.body)
    if status is None and isinstance(error, _NOT_SENT):
        outcome = Outcome(result=Result.NOT_NOW, evidence=evidence, not_before=now + pace.not_reached_pause)
    elif status is None:
        outcome = Outcome(result=Result.UNKNOWN, evidence=evidence)
    elif status == 429:
        outcome = Outcome(result=Result.NOT_NOW, evidence=evidence, not_before=reset_of(exchange.headers, now, pace), whole_account=True)
    elif 200 <= status < 300 and (place_id := _place_id(said)):
        outcome = Outcome(result=Result.PUBLISHED, evidence=evidence, place_id=place_id)
    elif status not in _REFUSALS or said is None:
        # A refusal is believed when it is X's own: what stands between may say 403 in HTML after X has taken the post.
        outcome = Outcome(result=Result.UNKNOWN, evidence=evidence)
    elif status == 403 and "duplicate" in str(said.get("detail", "")).lower():
        outcome = Outcome(result=Result.DUPLICATE, evidence=evidence)
    else:
        outcome = Outcome(result=Result.REFUSED, evidence=evidence, waiting_for=_WAITING_FOR.get(status, WaitingFor.REFUSED))
    return outcome


def reset_of(headers: Mapping[str, str], now: datetime, pace: Pace) -> datetime:
    """Return when X will take requests again: its `x-rate-limit-reset` (seconds since 1970) and a little more."""
    jitter = pace.jitter * random.random()  # noqa: S311  # no secret
    told = headers.get("x-rate-limit-reset", "")
    reset = datetime.fromtimestamp(int(told), UTC) if told.isascii() and told.isdigit() and len(told) < 12 else now + WINDOW
    return min(max(reset, now), now + LONGEST_PAUSE) + jitter


def _object(body: bytes | None) -> Mapping[str, Any] | None:
    if body is None:
        return None
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _place_id(said: Mapping[str, Any] | None) -> str:
    data = said.get("data") if said else None
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) and found.isdigit() else ""
