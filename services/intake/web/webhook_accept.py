"""The webhook door: from the bytes of a request to a receipt that will hold, or a refusal that says what to mend."""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route
from starlette.types import Scope

from services.intake import domain
from services.intake.publishing.arriving import Arrivals
from services.intake.store import partners, submissions
from services.intake.store.partners import LiveKey, PartnerAtDoor
from services.intake.store.submissions import Earlier, Receipt, RepeatError
from services.intake.web import webhook_answer as answers
from services.intake.web.form_read import FILE_KINDS
from services.intake.web.submission_keep import keep, within
from services.intake.web.webhook_quota import Quota, Quotas
from services.intake.webhooks import body as bodies
from services.intake.webhooks import envelope as envelopes
from services.intake.webhooks import handshake
from services.intake.webhooks.envelope import Envelope
from services.intake.webhooks.keys import Key
from services.intake.webhooks.problem import Reason, Refusal, refuse, refuse_rate, refuse_schema, refuse_until
from services.intake.webhooks.signature import Verified, verify
from shared import clock
from shared.db import Database, Transaction, is_away
from shared.events.codes import Channel
from shared.events.kinds import KINDS_BY_TYPE
from shared.events.kinds.faults import of_validation
from shared.events.kinds.parts import Submission
from shared.files.uploads import takes_files
from shared.trace import Cause
from shared.vault import SealError, Vault
from shared.web.problem import RETRY_AFTER_SECONDS
from shared.web.rate import TokenBuckets, asker_in
from shared.web.request_state import cause_of

log = logging.getLogger(__name__)

PATH = "/intake/webhooks/{partner_id}"
WEBHOOKS = Counter("tidings_webhooks_total", "Requests at the webhook door, by what became of them", ["outcome"])

# A flood of webhooks must leave connections for the pages and for the events that come in, and must not make the pool open and
# close those above its size; more at once would not be faster, since the process has one core.
AT_ONCE = 8

_PATH = re.compile(r"/intake/webhooks/[^/]+")
_forms = takes_files(f"/intake/(submit|enter)/({'|'.join(sorted(FILE_KINDS))})")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_LIMIT = 2**63
_ASKED_FOR_REAL = frozenset({"", "0", "false", "no"})
_KEPT_NAMES = 20  # of what stands beside the data: enough to see that a sender speaks a newer dialect
_KEPT_NAME_CHARACTERS = 64
# What of a request is kept: the rest (cookies, proxies' notes) is nothing that a partner meant to tell us.
_KEPT_HEADERS = (b"content-type", b"user-agent", b"webhook-", b"ce-")
_KEYS_MAX = 2_000
_NO_GUESSES = frozenset({429, 503})  # waiting is no guess, and our own trouble is nobody's
_LENGTH_DIGITS = 18  # Python converts no number of thousands of digits, and nobody sends that much


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long and how often the door bears with whom."""

    database_seconds: float = 8.0  # senders give up after 10 to 30 seconds
    refused_tries: int = 300  # for each address that asks; what is well signed never counts
    refused_refill_seconds: float = 0.2


class RefusedError(Exception):
    """A request that is not accepted, on its way to the answer."""

    def __init__(self, refusal: Refusal, *, is_signed: bool = False, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(refusal.reason.code)
        self.refusal = refusal
        self.is_signed = is_signed  # by a key of the partner, so its sender is no stranger
        self.headers = headers or {}


@dataclass(frozen=True, kw_only=True)
class _Signed:
    """A request that one of the partner's keys has signed."""

    partner: PartnerAtDoor
    key: LiveKey
    verified: Verified
    quota: Quota
    at: datetime
    body: bytes = field(repr=False)


def is_webhook(scope: Scope) -> bool:
    """Say whether a request is for the webhook door: programs send those, so no origin is asked for, and no cookie is read."""
    return _PATH.fullmatch(scope["path"]) is not None


def webhook_limits(scope: Scope) -> int:
    """Return the largest body that an address takes, in bytes; the door has a limit and answer of its own."""
    return _NO_LIMIT if is_webhook(scope) else _forms(scope)


class Door:
    """What a partner's requests come to; one for each process."""

    def __init__(self, database: Database, vault: Vault, *, public_url: str, arrivals: Arrivals, patience: Patience | None = None) -> None:
        self._database = database
        self._vault = vault
        self._public_url = public_url
        self._arrivals = arrivals
        self._patience = patience or Patience()
        self._quotas = Quotas()
        self._refused = TokenBuckets(tries=self._patience.refused_tries, refill_seconds=self._patience.refused_refill_seconds)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._route = Route(PATH, self.answer, methods=["POST", "OPTIONS"], include_in_schema=False)
        # One look needs no transaction, and so one round trip instead of three. It shares the pool.
        self._looking: AsyncEngine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._opened: OrderedDict[bytes, Key] = OrderedDict()
        self._noted: dict[UUID, datetime] = {}  # when this process last noted the use of a key

    def router(self) -> APIRouter:
        """Return the door's route; a plain one, since what FastAPI does around an endpoint costs more than this endpoint does."""
        return APIRouter(routes=[self._route])

    async def answer(self, request: Request) -> Response:
        """Accept an event, or say why not; an OPTIONS request asks whether its sender may send."""
        request.scope["route"] = self._route  # FastAPI notes only its own kind there, and the access line names it
        asker = asker_in(request)
        try:
            if wait_seconds := self._refused.wait_seconds(asker):
                raise RefusedError(refuse_rate(limit=self._patience.refused_tries, reset_seconds=wait_seconds))
            body = await _read_body(request)
            return await within(self._patience.database_seconds, self._in_turn(request, body))
        except RefusedError as refused:
            if not refused.is_signed and refused.refusal.status not in _NO_GUESSES:
                self._refused.take(asker)
            return self._refuse(request, refused)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the database is away: %s", type(error).__name__)
            return self._refuse(request, RefusedError(refuse_until(Reason.UNAVAILABLE, RETRY_AFTER_SECONDS)))

    async def _in_turn(self, request: Request, body: bytes) -> Response:
        async with self._turn:
            return await (self._shake_hands(request) if request.method == "OPTIONS" else self._receive(request, body))

    def _refuse(self, request: Request, refused: RefusedError) -> Response:
        WEBHOOKS.labels(refused.refusal.reason.code).inc()
        log.info("refused a webhook: %s", refused.refusal.reason.code)
        return answers.refusal(request, refused.refusal, refused.headers)

    async def _shake_hands(self, request: Request) -> Response:
        partner = await self._find_partner(request)
        headers = handshake.answer(request.headers.raw, max_rate_per_minute=partner.rate_per_minute)
        if isinstance(headers, Refusal):
            raise RefusedError(headers)
        return Response(status_code=204, headers=dict(headers))

    async def _receive(self, request: Request, body: bytes) -> Response:
        dry = request.query_params.get("dry_run", "").lower() not in _ASKED_FOR_REAL
        signed = await self._verify(request, body)
        if not dry:
            await self._note_use(signed)
        if signed.quota.exceeded:
            raise RefusedError(refuse_rate(limit=signed.quota.limit, reset_seconds=signed.quota.reset_seconds), is_signed=True)
        try:
            envelope, submission = _read(request, signed)
            return await (self._rehearse(signed, envelope) if dry else self._keep(request, signed, envelope, submission))
        except RefusedError as refused:
            raise RefusedError(refused.refusal, is_signed=True, headers=answers.quota_headers(signed.quota)) from refused

    async def _find_partner(self, request: Request) -> PartnerAtDoor:
        text = request.path_params["partner_id"].lower()
        if _UUID.fullmatch(text):
            async with self._looking.connect() as connection:
                if partner := await partners.at_door(connection, UUID(text)):
                    return partner
        raise RefusedError(refuse(Reason.NO_SUCH_PARTNER))

    async def _verify(self, request: Request, body: bytes) -> _Signed:
        partner = await self._find_partner(request)
        now = clock.now()
        verified = verify(headers=request.headers.raw, body=body, keys=self._open(partner), now=now)
        if isinstance(verified, Refusal):
            raise RefusedError(verified)
        key = next(key for key in partner.keys if str(key.id) == verified.key_id)
        quota = self._quotas.take(partner.id, partner.rate_per_minute)
        return _Signed(partner=partner, key=key, verified=verified, quota=quota, at=now, body=body)

    def _open(self, partner: PartnerAtDoor) -> list[Key]:
        keys = []
        for live in partner.keys:
            try:
                keys.append(self._open_key(live))
            except SealError:
                log.error("a key of partner %s cannot be opened: %s", partner.id, SealError.__doc__)  # noqa: TRY400  # says all there is
        if partner.keys and not keys:
            raise RefusedError(refuse_until(Reason.UNAVAILABLE, RETRY_AFTER_SECONDS))
        return keys

    def _open_key(self, live: LiveKey) -> Key:
        """Open a key once, not at every request; what is kept is found by the sealed bytes, so a revoked key is not found here."""
        key = self._opened.get(live.sealed)
        if key is None:
            key = self._opened[live.sealed] = partners.open_key(self._vault, live.id, live.sealed)
            if len(self._opened) > _KEYS_MAX:
                self._opened.popitem(last=False)
        return key

    async def _note_use(self, signed: _Signed) -> None:
        """Note once a minute that a key is in use, whatever becomes of the request: who revokes it wants to know."""
        key = signed.key
        if partners.use_is_due(key.last_used_at, signed.at) and partners.use_is_due(self._noted.get(key.id), signed.at):
            self._noted[key.id] = signed.at
            async with self._database.transaction() as tx:
                await partners.note_use(tx, key.id, signed.at)

    async def _rehearse(self, signed: _Signed, envelope: Envelope) -> Response:
        earlier = await self._find_earlier(signed, envelope)
        WEBHOOKS.labels("dry-run").inc()
        return answers.rehearsed(
            receipt=earlier.receipt if earlier else None,
            webhook_id=envelope.id,
            event_type=envelope.type,
            status_url=answers.tracking_address(self._public_url, earlier.token) if earlier else None,
            quota=signed.quota,
        )

    async def _find_earlier(self, signed: _Signed, envelope: Envelope) -> Earlier | None:
        async with self._looking.connect() as connection:
            earlier = await submissions.earlier(connection, signed.partner.id, envelope.id)
        if earlier and earlier.fingerprint != envelope.fingerprint:
            raise RefusedError(refuse(Reason.ID_REUSED))
        return earlier

    async def _keep(self, request: Request, signed: _Signed, envelope: Envelope, submission: Submission) -> Response:
        new = domain.take_in(
            submission,
            receipt=UUID(cause_of(request).id),
            channel=Channel.WEBHOOK,
            partner_id=signed.partner.id,
            received_at=signed.at,
            seal=self._vault.seal,
        )
        receipt = _receipt(signed, envelope, self._vault.seal(_raw(request, signed.body)))

        async def write(tx: Transaction, reference: str, told_as: UUID) -> None:
            await submissions.keep_webhook(tx, new, receipt, reference=reference, told_as=told_as)
            cause = Cause(id=str(told_as), trace_id=new.id.hex)
            await self._arrivals.received(tx, new, reference, cause=cause)

        try:
            await keep(self._database, new, write)
        except RepeatError:
            earlier = await self._find_earlier(signed, envelope)
            assert earlier is not None  # it was there a moment ago, and receipts stay
            return self._accepted(signed, envelope, earlier.receipt, earlier.token, duplicate=True)
        return self._accepted(signed, envelope, new.id, new.token, duplicate=False)

    def _accepted(self, signed: _Signed, envelope: Envelope, receipt: UUID, token: str, *, duplicate: bool) -> Response:
        WEBHOOKS.labels("repeat" if duplicate else "accepted").inc()
        return answers.accepted(
            receipt=receipt,
            webhook_id=envelope.id,
            event_type=envelope.type,
            duplicate=duplicate,
            status_url=answers.tracking_address(self._public_url, token),
            quota=signed.quota,
        )


async def _read_body(request: Request) -> bytes:
    """Return the body, of which no more is read than the door takes."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (refusal := bodies.check_size(int(told[:_LENGTH_DIGITS]))):
        raise RefusedError(refusal)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if refusal := bodies.check_size(size):
            raise RefusedError(refusal)
        chunks.append(chunk)
    return b"".join(chunks)


def _read(request: Request, signed: _Signed) -> tuple[Envelope, Submission]:
    """Return what the request carries, as the model of its kind."""
    envelope = envelopes.read(headers=request.headers.raw, body=signed.body, verified=signed.verified)
    if isinstance(envelope, Refusal):
        raise RefusedError(envelope)
    model = KINDS_BY_TYPE.get(envelope.type)
    if model is None:
        raise RefusedError(envelopes.unknown_type(envelope, tuple(KINDS_BY_TYPE)))
    try:
        return envelope, model.model_validate(envelope.data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        faults = of_validation(details, envelope.data, root=envelope.data_pointer)
        raise RefusedError(refuse_schema(faults)) from None  # the cause would carry what was sent into a log


def _receipt(signed: _Signed, envelope: Envelope, raw_sealed: bytes) -> Receipt:
    return Receipt(
        partner_id=signed.partner.id,
        key_id=signed.key.id,
        webhook_id=envelope.id,
        fingerprint=envelope.fingerprint,
        type=envelope.type,
        dialect=envelope.dialect.value,
        source=envelope.source,
        event_id=envelope.event_id,
        occurred_at=envelope.occurred_at,
        sent_at=signed.verified.sent_at,
        skew_seconds=signed.verified.skew_seconds,
        unread=[name[:_KEPT_NAME_CHARACTERS] for name in envelope.unread[:_KEPT_NAMES]],
        raw_sealed=raw_sealed,
    )


def _raw(request: Request, body: bytes) -> bytes:
    """Return the request as it came, in the form of HTTP/1.1: what a partner's question about it can be answered from."""
    head = b"".join(b"%b: %b\r\n" % (name, value) for name, value in request.headers.raw if name.lower().startswith(_KEPT_HEADERS))
    return head + b"\r\n" + body
