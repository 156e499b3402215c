"""What the webhook door answers: receipts and refusals, in the sender's language, with nothing secret in them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response

from services.intake.store.submissions import TRACKING
from services.intake.web.webhook_quota import Quota
from services.intake.webhooks.problem import Refusal, rate_headers
from shared.events.kinds.faults import Params
from shared.i18n import translate
from shared.trace import trace_id_var
from shared.web.problem import MEDIA_TYPE
from shared.web.request_state import reader_language


def tracking_address(public_url: str, token: str) -> str:
    """Return the address of the page on which a sender follows what became of a submission."""
    return f"{public_url}{TRACKING}{token}"


def accepted(*, receipt: UUID, webhook_id: str, event_type: str, duplicate: bool, status_url: str, quota: Quota) -> Response:
    """Return 202 with the receipt of what is now durable."""
    return _json(202, _receipt(receipt, webhook_id, event_type, duplicate, status_url), "application/json", quota_headers(quota))


def rehearsed(*, receipt: UUID | None, webhook_id: str, event_type: str, status_url: str | None, quota: Quota) -> Response:
    """Return 200 for a dry run that passed every check; the receipt is that of an earlier copy, and empty where there is none."""
    body = {**_receipt(receipt, webhook_id, event_type, receipt is not None, status_url), "dry_run": True}
    return _json(200, body, "application/json", quota_headers(quota))


def _receipt(receipt: UUID | None, webhook_id: str, event_type: str, duplicate: bool, status_url: str | None) -> dict[str, object]:
    return {
        "receipt": str(receipt) if receipt else None,
        "id": webhook_id,
        "type": event_type,
        "duplicate": duplicate,
        "status_url": status_url,
    }


def quota_headers(quota: Quota) -> Mapping[str, str]:
    """Return the headers that tell a partner what it has left."""
    return rate_headers(limit=quota.limit, remaining=quota.remaining, reset_seconds=quota.reset_seconds)


def refusal(request: Request, refused: Refusal, headers: Mapping[str, str]) -> Response:
    """Return the problem document of a refused request, with further headers of the door's."""
    language = reader_language(request)

    def say(key: str, params: Params) -> str:
        return translate(language, key, **dict[str, Any](params))

    document = refused.document(say, trace_id=trace_id_var.get())
    response = _json(refused.status, document, MEDIA_TYPE, {**headers, **refused.headers})
    response.headers["Content-Language"] = language
    response.headers.add_vary_header("Accept-Language")
    return response


def _json(status: int, body: Mapping[str, object], media_type: str, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(body), status, {**headers, "Cache-Control": "no-store"}, media_type)
