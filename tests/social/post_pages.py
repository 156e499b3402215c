"""Posts written, submitted and approved by the pages, as people do."""

import asyncio
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from PIL import Image
from sqlalchemy import select, update

from services.demo.sandbox.server import Sandbox
from services.social.sender import Sender
from services.social.store import posts
from services.social.store.tables import deliveries
from shared import clock, outbox, tasks
from shared.approval import store
from shared.approval.rules import State
from shared.auth.tokens import Person
from shared.db import Database
from shared.events.codes import Network, Role
from tests.desk.wire import System, asker
from tests.people import bearer_of, somebody
from tests.social.ledger import all_of, unsettled
from tests.social.x_sandbox import PATIENT, x_on

ANA = somebody(Role.DRAFTER, Role.APPROVER, name="Ana")
BO = somebody(Role.DRAFTER, Role.APPROVER, name="Bo")
PATH = "/social/posts"
ZURICH = "Europe/Zurich"


class Pages:
    """One post, and the people at it."""

    def __init__(self, wired: System, post: UUID) -> None:
        self.wired = wired
        self.post = post
        self.address = f"{PATH}/{post}"

    @property
    def database(self) -> Database:
        """Where it is kept."""
        return self.wired.databases["social"]

    async def get(self, person: Person = ANA, **query: str) -> httpx.Response:
        """Return the page as somebody sees it."""
        async with asker(self.wired.app, person=person) as browser:
            return await browser.get(self.address, params=query)

    async def send(
        self, person: Person, path: str, data: Mapping[str, str], files: Mapping[str, tuple[str, bytes, str]] | None = None
    ) -> httpx.Response:
        """Send a form of the page."""
        async with asker(self.wired.app, person=person) as browser:
            return await browser.post(f"{self.address}{path}", data=dict(data), files=dict(files) if files else None)

    async def write(
        self, text: str, *, name: str = "x/en", person: Person = ANA, seen: str | None = None, more: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Save the text of one variant."""
        prefix = name.replace("/", "-")
        return await self.send(
            person,
            f"/variants/{name}",
            {f"{prefix}-text": text, "seen": seen or await self.hash_of(name)} | await self.alternatives(name) | dict(more or {}),
        )

    async def alternatives(self, name: str) -> dict[str, str]:
        """Return the fields of the pictures that are there."""
        async with self.database.transaction() as tx:
            post = await posts.find(tx, self.post)
        assert post is not None
        prefix = name.replace("/", "-")
        return {f"{prefix}-alternative-{one.sha256}": one.alternative for one in post.variants[name].pictures}

    async def hash_of(self, name: str) -> str:
        """Return what the page says of a variant that it shows."""
        async with self.database.transaction() as tx:
            post = await posts.find(tx, self.post)
        assert post is not None
        return post.variants[name].sha256

    async def seen(self, person: Person = ANA) -> str:
        """Return what the form of decisions carries."""
        async with asker(self.wired.app, person=person) as browser:
            answer = await browser.get(f"/social/api/v1/posts/{self.post}/decisions", headers=dict(bearer_of(person)))
        return str(answer.json()["seen"])

    async def act(self, person: Person, action: str, *, reason: str = "", seen: str | None = None) -> httpx.Response:
        """Press a button."""
        return await self.send(person, "/decisions", {"action": action, "seen": seen or await self.seen(person), "reason": reason})

    async def plan(self, when: datetime, zone: str = ZURICH, *, person: Person = ANA, until: datetime | None = None) -> httpx.Response:
        """Set the time, given as an instant."""
        local = when.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")
        data = {"local": local, "zone": zone}
        if until is not None:
            data["until"] = until.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")
        return await self.send(person, "/schedule", data)

    async def state(self) -> State:
        """Return where it stands."""
        async with self.database.transaction() as tx:
            return (await store.find(tx, "post", self.post)).state

    async def approved(self, text: str = "Safe and orderly", *, due_in: timedelta = timedelta(hours=1)) -> None:
        """Have Ana write and plan it, and Bo approve it."""
        assert (await self.write(text)).status_code == 303
        assert (await self.plan(clock.now() + due_in)).status_code == 303
        assert (await self.act(ANA, "submit")).status_code == 303
        assert (await self.act(BO, "approve")).status_code == 303

    async def comes_due(self) -> None:
        """Let the time come at which it was to leave: of everything that was planned, whatever it is by now."""
        async with self.database.transaction() as tx:
            values = {"due_at": clock.now(), "not_before": clock.now()}
            await tx.execute(update(deliveries).where(deliveries.c.post_id == self.post).values(**values))


async def begun(wired: System, person: Person = ANA, language: str = "en") -> Pages:
    """Return a new post."""
    async with asker(wired.app, person=person) as browser:
        answer = await browser.post(f"{PATH}/new", data={"language": language})
    assert answer.status_code == 303
    found = re.fullmatch(rf"{PATH}/([0-9a-f-]+)", answer.headers["location"])
    assert found
    return Pages(wired, UUID(found[1]))


def png(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> bytes:
    """Return a picture."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "PNG")
    return written.getvalue()


def sender_on(network: Sandbox) -> Sender:
    return Sender({Network.X: x_on(network, PATIENT)}, PATIENT)


async def settled(post: Pages, network: Sandbox) -> Sequence[Any]:
    """Let its time come, run the sender until nothing is left to do, and return every delivery."""
    database = post.database
    await post.comes_due()
    async with asyncio.timeout(120):
        while await unsettled(database):
            await sender_on(network).run(database)
            await asyncio.sleep(0.02)
    return await all_of(database)


def texts_on(network: Sandbox) -> list[str]:
    return sorted(one.text for one in network.timeline.posts)


async def told(database: Database, event_type: str) -> list[dict[str, Any]]:
    async with database.transaction() as tx:
        rows = await tx.execute(select(outbox.outbox).where(outbox.outbox.c.type == event_type).order_by(outbox.outbox.c.seq))
        return [json.loads(row.body) for row in rows]


async def asked(database: Database, post: Pages) -> list[str]:
    async with database.transaction() as tx:
        return [task.kind for task in await tasks.open_tasks(tx, str(post.post))]
