"""Do the keys that are set open what is kept, and do signing and reading keys belong together?"""

from collections.abc import Sequence
from typing import Any

from shared.auth.tokens import KeyFormError, Signer
from shared.backup import sealed
from shared.db import engine_of
from shared.doctor.databases import seen
from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.settings import Settings
from shared.vault import Vault
from shared.web.addresses import on_loopback

PART = "keys"
# From both ends of a table: what the oldest key sealed, and what the newest did.
LOOKED_AT = 200


def questions(settings: Settings, services: Sequence[str], vault: Vault) -> Sequence[Question]:
    """Return what is to be asked about keys."""
    do = "Is the database running, and is TIDINGS_DATABASE right?"
    return [
        Question(part=PART, what="data keys", ask=lambda: _data_keys(settings.database, services, vault), do=do),
        Question(part=PART, what="signing keys", ask=lambda: _signing_keys(settings), do="Make a pair by `tidings key --signing`."),
    ]


async def _data_keys(url: str, services: Sequence[str], vault: Vault) -> Sequence[Finding]:
    engine = engine_of(url)
    try:
        async with engine.connect() as pooled:
            sees = await seen(pooled)
            services = [service for service in services if sees.get(service)]
            await pooled.rollback()  # the driver's own transaction follows
            connection: Any = (await pooled.get_raw_connection()).driver_connection
            async with connection.transaction(readonly=True):
                columns = await sealed.look(connection, services, vault, most=LOOKED_AT)
    finally:
        await engine.dispose()
    looked_at = sum(one.looked_at for one in columns)
    if closed := [one for one in columns if one.closed]:
        said = ", ".join(f"{one.column}: {one.closed} of {one.looked_at} stay closed" for one in closed)
        return [wrong(PART, "data keys", said, "Put the key that sealed them back, last in TIDINGS_DATA_KEYS.")]
    return [ok(PART, "data keys", f"they open all {looked_at} things looked at, in {len(columns)} columns")]


async def _signing_keys(settings: Settings) -> Sequence[Finding]:
    what, private = "signing keys", [key.get_secret_value() for key in settings.signing_key]
    if not private and not settings.verify_keys:
        if on_loopback(settings.address):  # one process, which is all that it needs
            return [ok(PART, what, "kept in TIDINGS_VAR")]
        do = "Set TIDINGS_SIGNING_KEY for desk and TIDINGS_VERIFY_KEYS for all, both from `tidings key --signing`."
        return [warning(PART, what, "kept in TIDINGS_VAR of this process; another one would have others", do)]
    if not private:
        return [ok(PART, what, f"{len(settings.verify_keys)} to read with; desk alone has the one that signs")]
    try:
        public = Signer(private).public_keys
    except KeyFormError:
        return [wrong(PART, what, "TIDINGS_SIGNING_KEY is no key that `tidings key --signing` makes", "Make a pair by that command.")]
    if settings.verify_keys and public[0] not in settings.verify_keys:
        do = "Set TIDINGS_VERIFY_KEYS of every service to the public half too, which `tidings key --signing` prints beside it."
        return [wrong(PART, what, "TIDINGS_VERIFY_KEYS lack the key that signs: nobody could stay signed in", do)]
    return [ok(PART, what, "the key that signs is among those that are read")]
