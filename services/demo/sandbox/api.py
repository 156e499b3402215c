"""The addresses of X that the sandbox answers, its page, and the address by which it is told to misbehave."""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, File, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, Field

from services.demo.sandbox.keys import Checker, Keys, NotSignedError
from services.demo.sandbox.moods import Kind, Mood, Moods
from services.demo.sandbox.timeline import DuplicateError, Media, Timeline, as_x_gives_it
from shared import i18n
from shared.web import assets
from shared.web.pages import plain, sentences
from shared.web.request_state import reader_language

_PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_PAGES.globals.update(static=assets.address_of)
_PAGES.filters.update(plain=plain)
_PICTURES = {"image/jpeg", "image/png", "image/webp", "image/gif"}


class _MediaOfPost(BaseModel):
    media_ids: list[str] = Field(default_factory=list, max_length=4)


class _NewPost(BaseModel):
    text: str = ""
    media: _MediaOfPost = Field(default_factory=_MediaOfPost)


class _NewMedia(BaseModel):
    media_type: str
    total_bytes: int = Field(gt=0, le=5 * 1024 * 1024)


class _AltText(BaseModel):
    text: str = Field(max_length=1000)


class _Metadata(BaseModel):
    alt_text: _AltText


class _NewMetadata(BaseModel):
    id: str
    metadata: _Metadata


class _Asked(BaseModel):
    kind: Kind
    moods: list[Mood]
    pause_seconds: int = Field(900, ge=0)


def application(timeline: Timeline, keys: Keys, moods: Moods) -> FastAPI:
    """Return the sandbox's application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    checker = Checker(keys)

    async def signed(request: Request) -> None:
        try:
            checker.check(request.method, str(request.url), request.headers)
        except NotSignedError as error:
            raise HTTPException(401, str(error)) from error

    @app.exception_handler(HTTPException)
    async def as_x_says_it(_: Request, error: HTTPException) -> Response:
        return JSONResponse(
            {"title": "Error", "detail": error.detail, "type": "about:blank", "status": error.status_code}, error.status_code
        )

    app.include_router(_posts(timeline, keys), dependencies=[Depends(signed)])
    app.include_router(_media(timeline), dependencies=[Depends(signed)])
    app.include_router(_control(timeline, moods), dependencies=[Depends(_from_here)])
    app.include_router(_page(timeline))
    app.include_router(assets.router)
    return app


def _posts(timeline: Timeline, keys: Keys) -> APIRouter:
    router = APIRouter(prefix="/2")

    @router.post("/tweets", status_code=201)
    async def post(new: _NewPost) -> Mapping[str, Any]:
        media_ids = new.media.media_ids
        if not new.text and not media_ids:
            raise HTTPException(400, "text or media is needed")
        if unknown := [one for one in media_ids if one not in timeline.media or not timeline.media[one].ready]:
            raise HTTPException(400, f"media {', '.join(unknown)} is not there")
        try:
            taken = timeline.take(new.text, media_ids)
        except DuplicateError as error:
            raise HTTPException(403, "You are not allowed to create a Tweet with duplicate content.") from error
        return {"data": {"id": taken.id, "text": taken.text, "edit_history_tweet_ids": [taken.id]}}

    @router.get("/users/me")
    async def me() -> Mapping[str, Any]:
        return {"data": {"id": keys.user_id, "name": "Sandbox", "username": "sandbox"}}

    @router.get("/users/{user_id}/tweets")
    async def posts(
        user_id: str,
        start_time: datetime | None = None,
        max_results: Annotated[int, Query(ge=5, le=100)] = 10,
        pagination_token: str | None = None,
    ) -> Mapping[str, Any]:
        if user_id != keys.user_id:
            raise HTTPException(404, f"there is no user {user_id}")
        newest = [one for one in reversed(timeline.posts) if start_time is None or one.created_at >= start_time]
        first = int(pagination_token or 0)
        page = newest[first : first + max_results]
        meta: dict[str, Any] = {"result_count": len(page)}
        if first + max_results < len(newest):
            meta["next_token"] = str(first + max_results)
        return {"data": [as_x_gives_it(one) for one in page], "meta": meta} if page else {"meta": meta}

    return router


def _media(timeline: Timeline) -> APIRouter:
    router = APIRouter(prefix="/2/media")

    def known(media_id: str) -> Media:
        if media_id not in timeline.media:
            raise HTTPException(404, f"there is no media {media_id}")
        return timeline.media[media_id]

    @router.post("/upload/initialize")
    async def initialize(new: _NewMedia) -> Mapping[str, Any]:
        if new.media_type not in _PICTURES:
            raise HTTPException(400, f"media type {new.media_type} is not taken")
        return {"data": {"id": timeline.bring(new.media_type, new.total_bytes).id, "expires_after_secs": 86_400}}

    @router.post("/upload/{media_id}/append")
    async def append(media_id: str, segment_index: Annotated[int, Form()], media: Annotated[UploadFile, File()]) -> Mapping[str, Any]:
        known(media_id).parts[segment_index] = await media.read()
        return {"data": {"expires_at": 0}}

    @router.post("/upload/{media_id}/finalize")
    async def finalize(media_id: str) -> Mapping[str, Any]:
        media = known(media_id)
        if len(media.data) != media.total_bytes:
            raise HTTPException(400, f"{len(media.data)} of {media.total_bytes} bytes came")
        return {"data": {"id": media.id, "processing_info": {"state": "in_progress", "check_after_secs": 0}}}

    @router.get("/upload")
    async def status(media_id: str, command: str) -> Mapping[str, Any]:
        if command != "STATUS":
            raise HTTPException(400, f"command {command} is not known")
        known(media_id).ready = True
        return {"data": {"id": media_id, "processing_info": {"state": "succeeded", "progress_percent": 100}}}

    @router.post("/metadata")
    async def describe(new: _NewMetadata) -> Mapping[str, Any]:
        known(new.id).alternative = new.metadata.alt_text.text
        return {"data": {"id": new.id, "associated_metadata": new.metadata.model_dump()}}

    return router


async def _from_here(request: Request) -> None:
    # A page in a browser of this machine is not from here, though its requests are.
    if request.client is None or not ip_address(request.client.host).is_loopback or "origin" in request.headers:
        raise HTTPException(403, "the sandbox is told from its own machine alone")


def _control(timeline: Timeline, moods: Moods) -> APIRouter:
    router = APIRouter(prefix="/control")

    @router.post("/moods", status_code=204)
    async def ask(asked: _Asked) -> None:
        moods.pause_seconds = asked.pause_seconds
        moods.ask_for(asked.kind, asked.moods)

    @router.get("/timeline")
    async def show() -> Mapping[str, Any]:
        return {
            "posts": [
                {
                    "id": one.id,
                    "text": one.text,
                    "alternatives": [timeline.media[media].alternative for media in one.media_ids if media in timeline.media],
                }
                for one in timeline.posts
            ]
        }

    @router.delete("/timeline", status_code=204)
    async def clear() -> None:
        timeline.clear()

    return router


def _page(timeline: Timeline) -> APIRouter:
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    async def page(request: Request) -> Response:
        language = reader_language(request)
        shown = _PAGES.get_template("timeline.html").render(
            t=sentences(language),
            lang=language,
            dir=i18n.direction(language),
            moment=lambda at: i18n.moment(at, language, "UTC"),
            posts=list(reversed(timeline.posts)),
            media=timeline.media,
        )
        return HTMLResponse(shown, headers={"Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'"})

    @router.get("/pictures/{media_id}")
    async def picture(media_id: str) -> Response:
        media = timeline.media.get(media_id)
        if media is None:
            raise HTTPException(404, "there is no such picture")
        return Response(media.data, media_type=media.media_type, headers={"X-Content-Type-Options": "nosniff"})

    return router
