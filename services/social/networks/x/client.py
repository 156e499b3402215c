"""X as the sender sees it: bring pictures, post, and read back what stands on the account's own timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tweepy.asynchronous import AsyncClient

from services.social.domain.content import Content
from services.social.domain.deliveries import Found, Outcome, Pace, Result, WaitingFor
from services.social.networks.x import pictures
from services.social.networks.x.comparing import is_same
from services.social.networks.x.outcomes import outcome_of, reset_of
from services.social.networks.x.pictures import NotTakenError
from services.social.networks.x.session import Account, SignedSession, signed_session
from shared import clock
from shared.events.codes import Network

_PAGE = 100
# A timeline longer than this since the attempt is not ours alone to read: the look counts as failed, not as one that found nothing.
_MOST_PAGES = 10


class NotBroughtError(Exception):
    """The pictures of a post are not with the network, so it was not sent; `outcome` says whether they may be later."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome.result))
        self.outcome = outcome


class TimelineError(Exception):
    """The timeline could not be read whole, so it says nothing; `not_before` is when to ask again, where the network has said so."""

    def __init__(self, evidence: Mapping[str, Any], not_before: datetime | None = None) -> None:
        super().__init__("the timeline could not be read")
        self.evidence = evidence
        self.not_before = not_before


class AskedError(Exception):
    """X does not say whose keys these are; `status` is what it answered, None where nothing came."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"X answered {status}" if status else "X did not answer")
        self.status = status


class X:
    """One account on X."""

    network = Network.X

    def __init__(self, account: Account, pace: Pace) -> None:
        self._account = account
        self._pace = pace
        self._timeout_seconds = pace.request_timeout.total_seconds()

    def guards(self, content: Content) -> bool:
        """Say whether X itself refuses this content a second time: by its words alone, so not where pictures make it another."""
        return not content.pictures

    def same(self, content: Content, found: Found) -> bool:
        """Say whether a post of the timeline is this content."""
        return is_same(content, found)

    def address_of(self, place_id: str) -> str:
        """Return where people read a post; X leads from this to the account's own address."""
        return f"{self._account.posts_url}{place_id}"

    async def bring(self, content: Content, bytes_of: Mapping[str, bytes]) -> Sequence[str]:
        """Return the ids of the content's pictures, uploaded; raises NotBroughtError."""
        if any(one.sha256 not in bytes_of for one in content.pictures) or pictures.too_many(content.pictures):
            missing = [one.sha256 for one in content.pictures if one.sha256 not in bytes_of]
            raise NotBroughtError(Outcome(result=Result.REFUSED, evidence={"missing": missing}, waiting_for=WaitingFor.PICTURES))
        ids = []
        async with signed_session(self._account, self._timeout_seconds) as session:
            for picture in content.pictures:
                try:
                    ids.append(await pictures.upload(session, picture, bytes_of[picture.sha256]))
                except Exception as error:
                    raise NotBroughtError(self._not_brought(session, error)) from error
        return ids

    def _not_brought(self, session: SignedSession, error: Exception) -> Outcome:
        now = clock.now()
        outcome = outcome_of(session.exchange, error, now, self._pace)
        if outcome.result is Result.REFUSED and outcome.waiting_for in {WaitingFor.REFUSED, WaitingFor.FORBIDDEN}:
            return replace(outcome, waiting_for=WaitingFor.PICTURES)
        if outcome.result in {Result.REFUSED, Result.NOT_NOW}:
            return outcome
        if isinstance(error, NotTakenError) and outcome.result is Result.PUBLISHED:  # every answer was well, and the picture is not
            return Outcome(result=Result.REFUSED, evidence=outcome.evidence, waiting_for=WaitingFor.PICTURES)
        # Whatever became of the picture, no post shows it: bringing it again does no harm.
        return Outcome(result=Result.NOT_NOW, evidence=outcome.evidence, not_before=now + self._pace.not_reached_pause)

    async def publish(self, content: Content, media_ids: Sequence[str], *, send_before: float) -> Outcome:
        """Return what came of posting; nothing leaves after `send_before`, a moment of `time.monotonic()`."""
        async with signed_session(self._account, self._timeout_seconds, send_before) as session:
            failure: Exception | None = None
            try:
                await self._tweepy(session).create_tweet(text=content.text, media_ids=list(media_ids) or None, user_auth=True)
            except Exception as error:  # whatever it is, the exchange tells how far the request came
                failure = error
            return outcome_of(session.exchange, failure, clock.now(), self._pace)

    async def timeline(self, since: datetime) -> Sequence[Found]:
        """Return every post of the account from `since` on; raises TimelineError where they could not all be read."""
        found: list[Found] = []
        token = None
        async with signed_session(self._account, self._timeout_seconds) as session:
            for _ in range(_MOST_PAGES):
                posts, token = await self._page(session, since, token)
                found += posts
                if not token:
                    return found
        raise TimelineError({"error": f"more than {_MOST_PAGES * _PAGE} posts since {since.isoformat()}"})

    async def who(self) -> str:
        """Return the name of the account whose keys these are, as X knows it; raises AskedError where it refuses them."""
        async with signed_session(self._account, self._timeout_seconds) as session:
            try:
                return str((await self._tweepy(session).get_me(user_auth=True))["data"]["username"])
            except Exception as error:
                raise AskedError(session.exchange.status) from error

    async def _page(self, session: SignedSession, since: datetime, token: str | None) -> tuple[Sequence[Found], str | None]:
        """Return posts and the token of the next page, None at the last."""
        try:
            page = await self._tweepy(session).get_users_tweets(
                self._account.user_id,
                start_time=since.replace(microsecond=0),
                max_results=_PAGE,
                pagination_token=token,
                tweet_fields=["created_at", "entities", "attachments"],
                user_auth=True,
            )
            posts = [_found(raw) for raw in page.get("data", [])]
            if page.get("errors") or page["meta"]["result_count"] != len(posts):
                raise TimelineError(session.exchange.evidence())
        except TimelineError:
            raise
        except Exception as error:
            exchange = session.exchange
            not_before = reset_of(exchange.headers, clock.now(), self._pace) if exchange.status == 429 else None
            raise TimelineError(exchange.evidence(error), not_before) from error
        return posts, page["meta"].get("next_token")

    def _tweepy(self, session: SignedSession) -> Any:
        account = self._account
        client = AsyncClient(
            consumer_key=account.consumer_key,
            consumer_secret=account.consumer_secret,
            access_token=account.access_token,
            access_token_secret=account.access_token_secret,
            return_type=dict,
            wait_on_rate_limit=False,  # it would sleep for a quarter of an hour, and the lease would run out
        )
        client.session = session
        return client


def _found(raw: Mapping[str, Any]) -> Found:
    return Found(
        place_id=str(raw["id"]),
        text=str(raw["text"]),
        created_at=clock.check_aware(datetime.fromisoformat(raw["created_at"])),
        pictures=len(raw.get("attachments", {}).get("media_keys", [])),
        raw=raw,
    )
