"""Files that came with submissions, handed out: to the team, and to everybody once what they came with is accepted and shows them."""

import re

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.intake.store import files
from shared.auth.require import require
from shared.db import Database
from shared.events.codes import Role
from shared.files.answers import download

PATH = "/intake/files/{sha256}"
STAFF_PATH = "/intake/review/files/{sha256}"
REVIEWERS = (Role.MODERATOR, Role.DRAFTER, Role.APPROVER)
_HASH = re.compile(r"[0-9a-f]{64}")


def router(database: Database) -> APIRouter:
    """Return both addresses of files: the team's, and everybody's."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def public(sha256: str) -> Response:
        """Hand out a file of what was accepted."""
        return await _answer(sha256, public=True)

    @router.get(STAFF_PATH, dependencies=[Depends(require(*REVIEWERS))])
    async def team(request: Request, sha256: str) -> Response:
        """Hand out a file of whatever came in."""
        del request
        return await _answer(sha256, public=False)

    async def _answer(sha256: str, *, public: bool) -> Response:
        if not _HASH.fullmatch(sha256):
            raise HTTPException(404)
        async with database.transaction() as tx:
            found = await files.find(tx, sha256, public=public)
        if found is None:
            raise HTTPException(404)
        return download(data=found.data, name=next(file["name"] for file in found.told if file["sha256"] == sha256))

    return router
