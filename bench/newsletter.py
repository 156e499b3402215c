"""Sending an issue: signed copies over ten connections, with the ledger and, in the same round, without it."""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from sqlalchemy import insert, text

from bench.figures import Clock, Figure, middle, show
from services.newsletter.addresses import AddressBook, open_book
from services.newsletter.compose.blocks import Item, Passage
from services.newsletter.compose.edition import Edition, Month
from services.newsletter.compose.variants import variants
from services.newsletter.copies import Copies
from services.newsletter.sending import issues
from services.newsletter.sending.rules import ABOUT, Claim, SubscriberState, message_id
from services.newsletter.sending.sender import Sender
from services.newsletter.sending.tables import subscribers
from shared import clock
from shared.approval import store as approvals
from shared.approval.content import fingerprint
from shared.approval.rules import State
from shared.db import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.events.codes import Level, SourceKind
from shared.ids import new_id
from shared.mail.address import mailbox
from shared.mail.dkim import Signer
from shared.mail.outcome import Accepted
from shared.mail.outgoing import Outgoing
from shared.mail.server import Encryption, MailServer
from shared.mail.smtp import Connection
from shared.migrations import migrate
from shared.testing.sink import sink
from shared.vault import Vault, new_key

READERS = 3_000
CONNECTIONS = 10
ROUNDS = 3
DOMAIN = "example.org"
# An issue of thirty items, which is long for one: its copy has some 40 KB on the wire.
ITEMS = 30
_SUMMARY = (
    "Nurses of the district hospital visit the places where seasonal workers live and work, in **four languages**, and without papers "
    "being asked for. In the first year they saw 2,300 people, a third of them children; [the evaluation](https://example.org/evaluation) "
    "says what it cost, who paid, and what the district would do otherwise today."
)


def _item(number: int) -> Item:
    return Item(
        id=f"item-{number}",
        title={"en": f"Mobile clinics that follow the harvest, part {number}"},
        summary={"en": _SUMMARY},
        entity="Ministry of Health",
        level=list(Level)[number % len(Level)],
        source_kind=SourceKind.PRACTICE,
        source_id=str(number),
        address=f"https://example.org/practices/mobile-clinics-{number}",
    )


VARIANTS = variants(
    Edition(
        issue_id=UUID(int=1),
        number=1,
        month=Month(year=2026, month=11),
        languages=("en",),
        subject={"en": "Migration Network bulletin"},
        preheader={"en": "Thirty practices, shared this month"},
        blocks=(Passage(id="welcome", text={"en": f"Dear colleagues,\n\n{_SUMMARY}"}), *(_item(number) for number in range(ITEMS))),
        public_url=f"https://{DOMAIN}",
    )
)


async def measure() -> None:
    """Measure and show the speed with the ledger beside the speed without."""
    key = generate_private_key(65537, 2048)
    outgoing = Outgoing(
        sender=mailbox(f"Network <news@{DOMAIN}>"), domain=DOMAIN, signer=Signer(domain=DOMAIN, selector="bench", key=key), server=None
    )
    vault = Vault([new_key()])
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres:
        await migrate(postgres.url, ["newsletter"])
        database = Database(postgres.url, "newsletter")
        book = await _subscribe(database, vault)
        copies = Copies(book, outgoing, f"https://{DOMAIN}")
        async with sink(Path(folder) / "taken", seconds=0.0) as taken:
            server = MailServer(host="127.0.0.1", port=taken.port, encryption=Encryption.NONE, connections=CONNECTIONS)
            pairs = [(await _with_ledger(database, book, copies, server), await _without(copies, server)) for _ in range(ROUNDS)]
            bare, bare_size = await _bare(copies, server)
        await database.close()
    speed, ceiling = middle(pairs)
    show(
        "Newsletter",
        [
            Figure(
                what=f"copies sent over {CONNECTIONS} connections, each signed and in the ledger",
                value=speed,
                unit="a second",
                ceiling=ceiling,
                ceiling_is="the same written, signed and sent without a ledger",
                aim=50,
                aim_is_share=True,
                note=f"{READERS:,} copies of {bare_size / 1024:.0f} KiB a round",
            ),
            Figure(
                what="one copy handed over again and again, neither written nor signed",
                value=bare,
                unit="a second",
                note="what connection and sink take",
            ),
        ],
    )


async def _subscribe(database: Database, vault: Vault) -> AddressBook:
    async with database.transaction() as tx:
        book = await open_book(tx, vault)
        addresses = [f"reader-{number}@domain-{number % 50}.example" for number in range(READERS)]
        rows = [
            {
                "id": new_id(),
                "address": book.seal(address),
                "address_hash": book.hash(address),
                "domain": address.partition("@")[2],
                "language": "en",
                "state": SubscriberState.CONFIRMED.value,
            }
            for address in addresses
        ]
        await tx.execute(insert(subscribers), rows)
    return book


async def _with_ledger(database: Database, book: AddressBook, copies: Copies, server: MailServer) -> float:
    issue, now = new_id(), clock.now()
    async with database.transaction() as tx:
        seen = fingerprint(VARIANTS)
        held = await approvals.hold(tx, ABOUT, issue)
        await approvals.save(tx, held, replace(held.standing, state=State.APPROVED, fingerprint=seen))
        over = now + timedelta(days=1)
        await issues.schedule(tx, issue, variants=VARIANTS, approved_hash=seen.whole, fallback="en", starts_at=now, expires_at=over)
        await issues.begin_due(tx)
    sender = Sender(database, server, name="bench", hello=DOMAIN, open_address=book.open, write=copies.write)
    running = asyncio.create_task(sender.run())
    found = None
    while found is None or found.waiting:
        await asyncio.sleep(0.25)
        async with database.transaction() as tx:
            found = await issues.standing(tx, issue)
        assert found is not None
        assert found.holds
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert found.accepted == READERS
    async with database.transaction() as tx:
        took = text("SELECT extract(epoch FROM max(ended_at) - :began) FROM audience WHERE issue_id = :issue")
        return READERS / float((await tx.execute(took, {"began": now, "issue": issue})).scalar_one())


async def _without(copies: Copies, server: MailServer) -> float:
    claims = iter([_claim(number) for number in range(READERS)])

    async def send() -> None:
        connection = Connection(server, hello=DOMAIN)
        for claim in claims:
            mail = await copies.write(claim, VARIANTS["en"], message_id(claim.issue_id, claim.subscriber_id, DOMAIN))
            assert isinstance(await connection.send(mail, _nothing), Accepted)
        await connection.close()

    timer = Clock()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return READERS / timer.seconds


async def _bare(copies: Copies, server: MailServer) -> tuple[float, int]:
    mail = await copies.write(_claim(0), VARIANTS["en"], f"<bare@{DOMAIN}>")

    async def send() -> None:
        connection = Connection(server, hello=DOMAIN)
        for _ in range(READERS // CONNECTIONS):
            assert isinstance(await connection.send(mail, _nothing), Accepted)
        await connection.close()

    timer = Clock()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return READERS / timer.seconds, len(mail.message)


def _claim(number: int) -> Claim:
    return Claim(
        issue_id=UUID(int=1),
        subscriber_id=UUID(int=number),
        epoch=1,
        approved_hash="",
        language="en",
        domain="",
        attempts=0,
        first_at=None,
        address=f"reader-{number}@domain-{number % 50}.example",
    )


async def _nothing() -> None:
    """Keep nothing."""
