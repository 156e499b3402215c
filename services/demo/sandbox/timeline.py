"""What stands on the sandbox: posts as X would keep and give them, and pictures with their words."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared import clock

_LINK = re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)\]]")
_KEPT_IN = "timeline.jsonl"


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post that was taken."""

    id: str
    text: str  # as it came in
    media_ids: tuple[str, ...]
    created_at: datetime


@dataclass(kw_only=True)
class Media:
    """A picture that was brought."""

    id: str
    media_type: str
    total_bytes: int
    parts: dict[int, bytes] = field(default_factory=dict)
    ready: bool = False
    alternative: str = ""

    @property
    def data(self) -> bytes:
        """The picture's bytes, as far as they came."""
        return b"".join(self.parts[index] for index in sorted(self.parts))


class DuplicateError(Exception):
    """The same text stands there already."""


class Timeline:
    """Posts of one account, oldest first; kept in `folder` where one is given, so that a rehearsal outlives a restart."""

    def __init__(self, folder: Path | None = None) -> None:
        self.posts: list[Post] = []
        self.media: dict[str, Media] = {}
        self.refused = 0  # for standing there already
        self._file = folder / _KEPT_IN if folder else None
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._read(self._file)

    def take(self, text: str, media_ids: Sequence[str]) -> Post:
        """Return the post now on the timeline; raises DuplicateError for words that stand there, unless a picture makes them another."""
        if not media_ids and any(_words(post.text) == _words(text) for post in self.posts if not post.media_ids):
            self.refused += 1
            raise DuplicateError
        post = Post(id=self.new_id(), text=text, media_ids=tuple(media_ids), created_at=clock.now())
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(post), default=str, ensure_ascii=False) + "\n")
        self.posts.append(post)
        return post

    def bring(self, media_type: str, total_bytes: int) -> Media:
        """Return a picture whose bytes are still to come."""
        media = Media(id=self.new_id(), media_type=media_type, total_bytes=total_bytes)
        self.media[media.id] = media
        return media

    def new_id(self) -> str:
        """Return an id as X makes them, growing with time."""
        self._last = max(getattr(self, "_last", 0) + 1, int(clock.now().timestamp() * 1000) << 22)
        return str(self._last)

    def clear(self) -> None:
        """Forget everything."""
        self.posts.clear()
        self.media.clear()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _read(self, file: Path) -> None:
        if not file.exists():
            return
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                kept = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line, half written when the process was killed: it was never answered for
            kept |= {"media_ids": tuple(kept["media_ids"]), "created_at": datetime.fromisoformat(kept["created_at"])}
            self.posts.append(Post(**kept))


def as_x_gives_it(post: Post) -> Mapping[str, Any]:
    """Return a post as X's timeline has it: characters escaped, links replaced by X's own, and one more link for the pictures."""
    urls: list[dict[str, Any]] = []

    def shorten(link: re.Match[str]) -> str:
        short = f"https://t.co/{post.id[-6:]}{len(urls)}"
        urls.append({"url": short, "expanded_url": html.unescape(link.group()), "display_url": link.group()[:30]})
        return short

    text = _LINK.sub(shorten, html.escape(post.text, quote=False))
    given: dict[str, Any] = {"id": post.id, "edit_history_tweet_ids": [post.id]}
    if post.media_ids:
        short = f"https://t.co/{post.id[-6:]}m"
        keys = [f"3_{media_id}" for media_id in post.media_ids]
        urls += [{"url": short, "expanded_url": f"https://x.com/sandbox/status/{post.id}/photo/1", "media_key": key} for key in keys]
        text = f"{text} {short}"
        given["attachments"] = {"media_keys": keys}
    if urls:
        given["entities"] = {"urls": urls}
    return {**given, "text": text, "created_at": post.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()
