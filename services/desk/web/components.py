"""The living page of components: every macro of shared/web/templates/components.html in its states, for the team that makes pages."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from shared import clock
from shared.auth.require import require_staff
from shared.web.forms import Fault
from shared.web.pages import Pages

PATH = "/desk/components"

Scheme = Literal["device", "light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("device", "light", "dark")
ZONES = ("Europe/Zurich", "Africa/Nairobi", "America/Bogota", "Asia/Bangkok")
_WRONG = Fault(field="wrong", pointer="/wrong", part="body", code="missing", key="fault.missing", params={})


def router(pages: Pages) -> APIRouter:
    """Return the page; `?scheme=light` and `?scheme=dark` show the colours of day and of night whatever the device asks for."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

    @router.get(PATH)
    async def components(request: Request, scheme: Annotated[str, Query()] = "device") -> Response:
        """Show every component."""
        shown = scheme if scheme in SCHEMES else "device"
        return pages.render(
            request, "desk/components.html", path=PATH, scheme=shown, schemes=SCHEMES, faults=[_WRONG], zones=ZONES, now=clock.now()
        )

    return router
