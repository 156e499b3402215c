"""The sender is killed a hundred times while the network misbehaves in every way it can: no post stands twice, none is lost."""

import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import Row, select

from services.demo.sandbox.moods import Kind, Mood
from services.demo.sandbox.server import Sandbox, sandbox
from services.social.domain.content import Picture
from services.social.domain.deliveries import State, WaitingFor
from services.social.store import deliveries as ledger
from shared import outbox
from shared.db import Database
from shared.migrations import migrate
from tests.faults.lives import Lives, lives_of
from tests.faults.system import a_seed
from tests.social.ledger import all_of, open_attempts, put, tried, unsettled
from tests.social.x_sandbox import account_on, words

KILLS = 100
POSTS_A_KILL = 2
# A life that is to die at a request that never comes dies anyway.
LIFE_SECONDS = 1.0
SETTLED_SECONDS = 120.0

PIXELS = b"\x89PNG" + bytes(2_000)
PICTURE = Picture(sha256=hashlib.sha256(PIXELS).hexdigest(), media_type="image/png", alternative="A harbour")
# Of these a post ends with a person at once, so they come more seldom than those that leave its fate open.
FINAL = (Mood.DUPLICATE, Mood.FORBIDDEN, Mood.NO_CREDIT, Mood.UNAUTHORIZED)
OPEN = tuple(mood for mood in Mood if mood not in FINAL)


class Hold:
    """Keeps the answer to one request back until the process that asked is dead."""

    def __init__(self, kind: Kind | None, nth: int) -> None:
        self.arrived = asyncio.Event()
        self.dead = asyncio.Event()
        self._kind = kind
        self._left = nth

    async def __call__(self, kind: Kind, mood: Mood | None) -> None:
        if kind is not self._kind:
            return
        self._left -= 1
        if self._left == 0:
            self.arrived.set()
            await self.dead.wait()


@pytest.mark.xdist_group("faults")
@pytest.mark.timeout(400)
async def test_each_post_stands_once_or_waits_with_a_cause(database_url: str) -> None:
    chance = Random(a_seed())
    await migrate(database_url, ["social"])
    database = Database(database_url, "social")
    async with sandbox() as network:
        network.moods.choose = _misbehaving(Random(chance.random()))
        network.moods.pause_seconds = 0
        async with lives_of("posts", database_url, json.dumps(asdict(account_on(network)))) as lives:
            hits = await _kill(lives, network, database, chance)
            network.moods.reached = None
            await lives.begin()
            async with asyncio.timeout(SETTLED_SECONDS):
                while await unsettled(database):
                    await asyncio.sleep(0.2)
        rows = await all_of(database)
        _say(network, hits, rows)
        assert hits >= KILLS * 0.4, "too few kills hit an attempt in mid flight"
        assert len(rows) == KILLS * POSTS_A_KILL
        assert _faults(network, rows) == []
        # The timeline always shows what stands there, so nothing was sent again that stood there; the network's own guard had no work.
        assert network.timeline.refused == 0
        assert {mood for kind, mood in network.moods.met if kind is Kind.POST} == set(Mood)
        assert all(one.ended_at is not None and one.outcome for one in await tried(database))
        assert await _told(database) == Counter(
            {"post.published.v1": _count(rows, State.PUBLISHED), "post.failed.v1": _count(rows, State.WAITING)}
        )
    await database.close()


def _misbehaving(chance: Random) -> Callable[[Kind], Mood | None]:
    deck: list[Mood | None] = []

    def choose(kind: Kind) -> Mood | None:
        if kind is not Kind.POST:
            return chance.choice(OPEN) if chance.random() < 0.2 else None
        if not deck:  # from a deck, so that none is left out
            deck.extend([*OPEN * 2, *FINAL, *[None] * 20])
            chance.shuffle(deck)
        return deck.pop()

    return choose


async def _kill(lives: Lives, network: Sandbox, database: Database, chance: Random) -> int:
    """Put posts and kill lives; returns how many kills left an attempt without an end."""
    known: set[Any] = set()
    hits = 0
    async with database.transaction() as tx:
        await ledger.keep_picture(tx, sha256=PICTURE.sha256, media_type=PICTURE.media_type, data=PIXELS)
    for number in range(KILLS):
        for one in range(POSTS_A_KILL):
            content = words(f"Post {number}-{one} & more\nhttps://tidings.example.org/{number}/{one}")
            # X takes the same words again with another picture: there, only the protocol stands between a post and its double.
            await put(database, replace(content, pictures=(PICTURE,)) if chance.random() < 0.4 else content)
        hold = Hold(chance.choices([Kind.POST, Kind.TIMELINE, Kind.MEDIA, None], [8, 1, 1, 1])[0], chance.choice((1, 1, 2)))
        network.moods.reached = hold
        await lives.begin()
        try:
            async with asyncio.timeout(chance.uniform(0.5, 1) * LIFE_SECONDS):
                await hold.arrived.wait()
        except TimeoutError:
            pass
        assert (await lives.killed()).code == -9
        hold.dead.set()
        left = await open_attempts(database)
        hits += bool(left - known)
        known |= left
    return hits


def _faults(network: Sandbox, rows: Sequence[Row[Any]]) -> list[str]:
    standing = Counter(post.text for post in network.timeline.posts)
    places = {post.text: post.id for post in network.timeline.posts}
    found = []
    for row in rows:
        text = row.content["text"]
        times = standing[text]
        if times > 1:
            found.append(f"{text!r} stands {times} times")
        elif row.state == State.PUBLISHED.value and row.place_id != places.get(text):
            found.append(f"{text!r} is taken for {row.place_id}, and stands as {places.get(text)}")
        elif row.state == State.WAITING.value and times and not WaitingFor(row.waiting_for).key.endswith(("uncertain", "duplicate")):
            found.append(f"{text!r} stands, and waits: {row.waiting_for}")
        elif row.state not in {State.PUBLISHED.value, State.WAITING.value}:
            found.append(f"{text!r} is {row.state}")
    return found


def _count(rows: Sequence[Row[Any]], state: State) -> int:
    return sum(row.state == state.value for row in rows)


async def _told(database: Database) -> Counter[str]:
    async with database.transaction() as tx:
        return Counter(row.type for row in await tx.execute(select(outbox.outbox.c.type)))


def _say(network: Sandbox, hits: int, rows: Sequence[Row[Any]]) -> None:
    became = Counter(row.waiting_for or row.state for row in rows)
    met = sum(count for (kind, _), count in network.moods.met.items() if kind is Kind.POST)
    looked_up = sum("found_on_timeline" in (row.evidence or {}) for row in rows)
    sys.stderr.write(
        f"{KILLS} kills, {hits} in an open attempt; {met} posts met a mood; {dict(became)}, {looked_up} of them found on the timeline\n"
    )
