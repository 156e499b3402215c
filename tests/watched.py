"""Every service put together on one database, as a process has them, and what such a process says of itself; nothing is at work."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from services.owners import OWNERS
from services.wiring import built
from shared.application import application
from shared.broker import Probe
from shared.db import Database
from shared.mail.outgoing import outgoing
from shared.parts import Parts
from shared.service import Kafka, Running
from shared.settings import Settings
from shared.vault import Vault, new_key
from tests.people import SIGNER, VERIFIER

PUBLIC_URL = "http://127.0.0.1:8000"


@dataclass(kw_only=True)
class Watched:
    """The services, and a client that asks as Prometheus does."""

    running: Sequence[Running]
    client: httpx.AsyncClient
    parts: Parts

    def of(self, service: str) -> Running:
        """One service."""
        [found] = [one for one in self.running if one.service.name == service]
        return found

    def database(self, service: str) -> Database:
        """The database of one service."""
        found = self.of(service).service.database
        assert found is not None
        return found

    async def scrape(self) -> Mapping[str, float]:
        """What `/metrics` says, by name with labels, after every queue was counted anew."""
        for one in self.running:
            if one.queues is not None:
                one.queues._counted_at = float("-inf")
        return samples(await self.text())

    async def text(self) -> str:
        """What `/metrics` says."""
        answer = await self.client.get("/metrics")
        assert answer.status_code == 200, answer.text
        return answer.text


def samples(text: str) -> Mapping[str, float]:
    """Read what Prometheus reads: each sample by its name with its labels that are not empty."""
    found = {}
    for line in text.splitlines():
        if line.startswith("tidings_"):
            name, _, value = line.rpartition(" ")
            found[re.sub(r',?\w+=""', "", name).replace("{,", "{")] = float(value)
    return found


def queue(of: str, service: str, name: str, state: str = "waiting", kind: str = "") -> str:
    """The name of one sample of a queue; `of` is depth or oldest_seconds."""
    labels = {"kind": kind, "queue": name, "service": service, "state": state}
    written = ",".join(f'{label}="{value}"' for label, value in labels.items() if value)
    return f"tidings_queue_{of}{{{written}}}"


@asynccontextmanager
async def watched(url: str) -> AsyncIterator[Watched]:
    """Give the services on a database."""
    settings = Settings(database=url, kafka="127.0.0.1:1", _env_file=None)
    parts = Parts(
        settings=settings,
        vault=Vault([new_key()]),
        verifier=VERIFIER,
        signer=SIGNER,
        public_url=PUBLIC_URL,
        outgoing=outgoing(settings),
    )
    kafka = Kafka(address=settings.kafka, embedded=False, probe=Probe(settings.kafka))
    running = [Running(built(owner, parts), kafka, print) for owner in OWNERS]
    app = application(running, parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL) as client:
        yield Watched(running=running, client=client, parts=parts)
    for one in running:
        assert one.queues is not None
        assert one.service.database is not None
        await one.queues.close()
        await one.service.database.close()
