"""How far the sending of an issue has come, for pages and programs of the team."""

from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from services.newsletter.sending.progress import progress
from shared.auth.require import require
from shared.db import Database
from shared.events.codes import Role


def router(database: Database) -> APIRouter:
    """Return the address of progress."""
    router = APIRouter(dependencies=[Depends(require(Role.DRAFTER, Role.APPROVER, Role.OPERATOR))], include_in_schema=False)

    @router.get("/newsletter/sends/{issue_id}.json")
    async def sending(issue_id: UUID) -> JSONResponse:
        """Tell how far the sending of an issue has come."""
        async with database.transaction() as tx:
            found = await progress(tx, issue_id)
        return JSONResponse(jsonable_encoder(found), 404 if found is None else 200, {"Cache-Control": "no-store"})

    return router
