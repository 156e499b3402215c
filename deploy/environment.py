"""`make secrets`: writes the .env that docker compose asks for, with keys and passwords that nobody else has.

Without a domain it is a system to be tried on this machine alone: its mails and posts stay in the demo parts. With one, the gateway gets a
certificate for it, and nothing stands for the world: mail server and networks are named by hand.
"""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes, token_hex, token_urlsafe

from services.demo.sandbox.keys import Keys
from shared.auth.tokens import new_key_pair
from shared.mail.address import AddressError, domain_in_ascii
from shared.vault import new_key

ENV = Path(".env")
ROLES = ("owner", "desk", "intake", "pledges", "newsletter", "social", "calendar")


def lines(domain: str) -> Iterator[str]:
    """Give the lines of a new .env; `domain` is empty for a system on this machine alone."""
    yield "# Written by `make secrets`. Keep a copy where backups are kept: without TIDINGS_DATA_KEYS no backup can be read."
    if domain:
        yield f"TIDINGS_PUBLIC_URL=https://{domain}"
        yield f"TIDINGS_SITE={domain}"
        yield "TIDINGS_HTTP=80"
        yield "TIDINGS_HTTPS=443"
        yield "# Mails wait until these two are set: docs/do/mail.md"
        yield "#TIDINGS_SMTP=smtp://user:password@mail.example.org:587?starttls=required"
        yield "#TIDINGS_MAIL_FROM=Network on Migration <news@example.org>"
        yield "# Posts wait until a network is set: docs/do/rehearse-posts.md"
        yield "#TIDINGS_NETWORKS=live"
    else:
        yield "TIDINGS_PUBLIC_URL=http://localhost:8080"
        yield "TIDINGS_SITE=:80"
        yield "TIDINGS_HTTP=127.0.0.1:8080"
        yield "TIDINGS_HTTPS=127.0.0.1:8443"
        yield "# To be tried on this machine alone: mails and posts go to the profile `demo` and nowhere else."
        yield "TIDINGS_DEMO=1"
        yield "TIDINGS_SMTP=smtp://demo:2525?starttls=no"
        yield "TIDINGS_MAIL_FROM=Tidings <tidings@tidings.localhost>"
        yield "TIDINGS_X_API_URL=http://demo:8400"
        keys = Keys.new()
        yield f"TIDINGS_X_CONSUMER_KEY={keys.consumer_key}"
        yield f"TIDINGS_X_CONSUMER_SECRET={keys.consumer_secret}"
        yield f"TIDINGS_X_ACCESS_TOKEN={keys.access_token}"
        yield f"TIDINGS_X_ACCESS_TOKEN_SECRET={keys.access_token_secret}"
    pair = new_key_pair()
    yield f"TIDINGS_DATA_KEYS={new_key()}"
    yield f"TIDINGS_SIGNING_KEY={pair.private}"
    yield f"TIDINGS_VERIFY_KEYS={pair.public}"
    for role in ROLES:
        yield f"TIDINGS_PASSWORD_{role.upper()}={token_hex(24)}"
    yield f"TIDINGS_KAFKA_CLUSTER={_cluster_id()}"
    yield f"TIDINGS_GRAFANA_PASSWORD={token_urlsafe(18)}"


def _cluster_id() -> str:
    """Return a new id as Kafka makes them: never one that begins with a hyphen, as an option of its commands does."""
    while (made := base64.urlsafe_b64encode(token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass
    return made


def main() -> None:
    """Write .env, readable by its owner alone; one that is there stays as it is."""
    given = sys.argv[1].strip() if len(sys.argv) > 1 else ""
    try:
        domain = domain_in_ascii(given) if given else ""
    except AddressError:
        sys.exit(f"{given} is no domain; write the name alone: make secrets DOMAIN=tidings.example.org")
    try:
        opened = os.open(ENV, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit(f"{ENV} is there already and stays as it is: its keys open what is in the database. Move it away for a new system.")
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines(domain))
    said = f"{ENV} is written. Next: docker compose {'' if domain else '--profile demo '}up --build --wait"
    sys.stderr.write(f"{said}{'; mails wait until TIDINGS_SMTP and TIDINGS_MAIL_FROM are set in it' if domain else ''}\n")


if __name__ == "__main__":
    main()
