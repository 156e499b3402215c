"""Requests from the command line."""

from dataclasses import dataclass, field
from uuid import UUID

from services.intake.store import partners
from shared.db import Database
from shared.vault import SealError, Vault

DEMO_NAME = "Example City"
DEMO_CONTACT = "partner@example.org"


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    """The partner of trial runs."""

    id: UUID
    secret: str = field(repr=False)


async def demo_partner(database: Database, vault: Vault) -> DemoPartner:
    """Return the partner of trial runs with a secret that works; the same each time, made where it is missing."""
    async with database.transaction() as tx:
        await partners.add_demo_partner(tx, vault, name=DEMO_NAME, contact=DEMO_CONTACT)
        found = await partners.demo_partner_of(tx)
        assert found is not None
        for key in await partners.keys_of(tx, found.id):
            if key.revoked_at is None and key.kind == "secret":
                try:
                    return DemoPartner(id=found.id, secret=vault.open(key.sealed).decode())
                except SealError:  # the data keys of an earlier run are gone
                    continue
        return DemoPartner(id=found.id, secret=await partners.add_secret(tx, vault, found.id))
