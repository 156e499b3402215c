"""By what mails leave and in whose name, read from the settings before anything starts."""

from dataclasses import dataclass

from shared.mail.address import Mailbox, mailbox
from shared.mail.dkim import KeyFileError, Signer, read_key
from shared.mail.server import MailServer, parse_mail_server
from shared.settings import DEMO, Settings, SettingsError

DEMO_SENDER = "Tidings <tidings@tidings.localhost>"


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What sending needs besides the mail."""

    sender: Mailbox
    domain: str  # of message ids, list ids and signatures
    signer: Signer | None  # None: the server signs, or nobody does
    server: MailServer | None  # None: no server is set; mails wait


def outgoing(settings: Settings, *, demo: MailServer | None = None) -> Outgoing:
    """Return how mails leave; `demo` is the demo inbox where this process runs one. Raises SettingsError."""
    wanted = settings.smtp.get_secret_value() if settings.smtp else ""
    server = parse_mail_server(wanted) if wanted and wanted != DEMO else demo
    if settings.mail_from is None and server is not None and server is not demo:
        raise SettingsError(
            "TIDINGS_MAIL_FROM is missing: mails leave by TIDINGS_SMTP, and need the address they come from. "
            "For example: TIDINGS_MAIL_FROM=Network on Migration <news@example.org>"
        )
    sender = mailbox(settings.mail_from or DEMO_SENDER)
    domain = settings.mail_domain or sender.domain
    if sender.domain != domain and not sender.domain.endswith("." + domain):
        raise SettingsError(
            f"TIDINGS_MAIL_DOMAIN is wrong: TIDINGS_MAIL_FROM is at {sender.domain}, which is not in {domain}, so that providers "
            f"would not take a signature for it. For example: TIDINGS_MAIL_DOMAIN={sender.domain}"
        )
    return Outgoing(sender=sender, domain=domain, signer=_signer(settings, domain), server=server)


def _signer(settings: Settings, domain: str) -> Signer | None:
    selector, key = settings.dkim_selector, settings.dkim_key
    if selector is None and key is None:
        return None
    if selector is None:
        raise SettingsError(
            "TIDINGS_DKIM_SELECTOR is missing: signing needs selector and key. For example: TIDINGS_DKIM_SELECTOR=tidings2026"
        )
    if key is None:
        raise SettingsError(
            "TIDINGS_DKIM_KEY is missing: signing needs selector and key. For example: TIDINGS_DKIM_KEY_FILE=/run/secrets/dkim.pem, "
            "or the key itself as TIDINGS_DKIM_KEY in the .env of docker compose, whose containers see no such file"
        )
    try:
        return Signer(domain=domain, selector=selector, key=read_key(key.get_secret_value().encode()))
    except KeyFileError as error:
        raise SettingsError(
            f"TIDINGS_DKIM_KEY or TIDINGS_DKIM_KEY_FILE is wrong: {error}. For example, make one by: openssl genrsa -out dkim.pem 2048"
        ) from error
