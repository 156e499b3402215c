"""Pictures for a post on X: uploaded in parts by its version 2 addresses, each with its alternative text."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from services.social.domain.content import Picture
from services.social.networks.x.session import API_URL, SignedSession

MOST = 4  # of one post
ALTERNATIVE_LIMIT = 1000
# X takes parts of up to 5 MB.
PART_BYTES = 4 * 1024 * 1024
STATUS_LOOKS = 30
_UPLOAD = f"{API_URL}/2/media/upload"
_METADATA = f"{API_URL}/2/media/metadata"


class NotTakenError(Exception):
    """X did not take a picture; nothing was posted. What was seen stands in the session's exchange."""


async def upload(session: SignedSession, picture: Picture, data: bytes) -> str:
    """Return the id by which a post can show the picture; raises NotTakenError, and what aiohttp raises where no answer came."""
    category = "tweet_gif" if picture.media_type == "image/gif" else "tweet_image"
    begun = {"media_type": picture.media_type, "total_bytes": len(data), "media_category": category}
    media_id = str((await _ask(session, "POST", f"{_UPLOAD}/initialize", json=begun)).get("id", ""))
    if not media_id:
        raise NotTakenError("X gave the picture no id")
    for index, start in enumerate(range(0, len(data), PART_BYTES)):
        form = aiohttp.FormData()
        form.add_field("segment_index", str(index))
        part = io.BytesIO(data[start : start + PART_BYTES])  # read bit by bit, so that the loop goes on
        form.add_field("media", part, filename="picture", content_type="application/octet-stream")
        await _ask(session, "POST", f"{_UPLOAD}/{media_id}/append", data=form)
    await _until_ready(session, media_id, await _ask(session, "POST", f"{_UPLOAD}/{media_id}/finalize"))
    if picture.alternative:
        await _ask(session, "POST", _METADATA, json={"id": media_id, "metadata": {"alt_text": {"text": picture.alternative}}})
    return media_id


async def _until_ready(session: SignedSession, media_id: str, finalized: Mapping[str, Any]) -> None:
    told = finalized
    for _ in range(STATUS_LOOKS):
        processing = told.get("processing_info") or {}
        state = processing.get("state", "succeeded")
        if state == "succeeded":
            return
        if state == "failed":
            raise NotTakenError(f"X could not use the picture: {processing.get('error')}")
        await asyncio.sleep(min(float(processing.get("check_after_secs", 1)), 10.0))
        told = await _ask(session, "GET", f"{_UPLOAD}?command=STATUS&media_id={media_id}")
    raise NotTakenError("X did not finish with the picture")


async def _ask(session: SignedSession, method: str, url: str, **body: Any) -> Mapping[str, Any]:
    async with session.request(method, url, **body) as response:
        if not 200 <= response.status < 300:
            raise NotTakenError(f"X answered {response.status}")
        said = session.exchange.body or b"{}"
    try:
        read = orjson.loads(said)
        data = read.get("data", {})
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise NotTakenError("X's answer could not be read") from error
    return data if isinstance(data, dict) else {}


def too_many(pictures: Sequence[Picture]) -> bool:
    """Say whether X would refuse a post for the number of its pictures."""
    return len(pictures) > MOST
