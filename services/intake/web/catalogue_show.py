"""What the door takes, for people and for programs."""

import orjson
from fastapi import APIRouter, Request, Response

from services.intake.kinds import catalogue
from services.intake.webhooks.body import MAX_BODY_BYTES
from services.intake.webhooks.signature import TOLERANCE
from shared.web.pages import Pages

# A sender that reads it at every start should not wait for us, and learns of a change within the hour.
CACHE = "public, max-age=3600"


def router(pages: Pages) -> APIRouter:
    """Return the catalogue's routes."""
    router = APIRouter()
    document = orjson.dumps(catalogue.document(pages.public_url))

    @router.get("/intake/catalogue", include_in_schema=False)
    async def show(request: Request) -> Response:
        """Show every kind with its fields, an example and senders."""
        return pages.render(
            request,
            "intake/catalogue.html",
            entries=[
                (entry, catalogue.senders(entry, pages.public_url), _json(entry.example), _json(entry.schema))
                for entry in catalogue.entries()
            ],
            answers=catalogue.answers(),
            address=f"{pages.public_url}/intake/webhooks/{catalogue.PARTNER_PLACE}",
            tolerance_seconds=int(TOLERANCE.total_seconds()),
            max_kib=MAX_BODY_BYTES // 1024,
        )

    @router.get("/intake/api/v1/catalogue", summary="The kinds that the webhook door takes")
    async def tell() -> Response:
        """Return each kind with its type, its JSON Schema and an example, both of a whole request body."""
        return Response(document, media_type="application/json", headers={"Cache-Control": CACHE})

    return router


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
