"""What a service is built from: handed to every `services/<service>/app.py`, so that nothing is found by looking around."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.auth.tokens import Signer, Verifier
from shared.db import Database
from shared.mail.outgoing import Outgoing
from shared.mail.queue.put import Mails
from shared.settings import Settings, database_of
from shared.vault import Vault
from shared.web.pages import Banner, Pages


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The settings and the things made from them."""

    settings: Settings  # with the addresses of embedded parts filled in
    vault: Vault
    public_url: str  # scheme, host and port, without a slash at the end
    outgoing: Outgoing  # how mails leave
    verifier: Verifier
    signer: Signer | None = None  # only where TIDINGS_SIGNING_KEY is, for desk alone
    banner: Banner | None = None  # what every page says of this system, where it is not one in service

    def database(self, service: str) -> Database:
        """Return the database of a service; nothing is opened yet."""
        return Database(database_of(self.settings, service), service)

    def shared_pages(self) -> Pages:
        """Return the pages that every service has."""
        return self._pages({})

    def pages(self, service: str, templates: Path) -> Pages:
        """Return the pages of a service, whose own templates stand under its name: `intake/practice.html`."""
        return self._pages({service: templates})

    def _pages(self, templates: Mapping[str, Path]) -> Pages:
        settings = self.settings
        return Pages(
            public_url=self.public_url, zone=settings.timezone, templates=templates, banner=self.banner, licence=settings.data_licence
        )

    def mails(self) -> Mails:
        """Return what puts one-off mails into a service's queue."""
        return Mails(self.vault, self.outgoing)
