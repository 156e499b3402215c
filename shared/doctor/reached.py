"""Is there room, do people reach this, and for how long is the certificate good?"""

import asyncio
import shutil
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from shared import clock
from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.settings import Settings
from shared.web.addresses import on_loopback

ROOM, PUBLIC = "room", "public"
WARNING_BYTES, WRONG_BYTES = 2 * 1024**3, 512 * 1024**2
# Of a place that is small by itself, as a container's, that much of it.
WARNING_PART, WRONG_PART = 0.1, 0.05
# Caddy renews a month before the end; a certificate that is closer to it has not been renewed.
WARNING_DAYS, WRONG_DAYS = 21, 3
_SECONDS = 6.0


def questions(settings: Settings, *, kept_here: bool = True) -> Sequence[Question]:
    """Return what is to be asked about the place, where anything is kept in it, and the way to it."""
    do = "Does the name lead to this machine, is the gateway running, and are ports 80 and 443 open?"
    found = []
    if kept_here:
        found.append(Question(part=ROOM, what="TIDINGS_VAR", ask=lambda: _room(settings), do="Is TIDINGS_VAR a directory of this user?"))
    found.append(Question(part=PUBLIC, what="address", ask=lambda: _address(settings), do=do))
    if urlsplit(settings.address).scheme == "https":
        found.append(Question(part=PUBLIC, what="certificate", ask=lambda: _certificate(settings.address), do=do))
    return found


async def _room(settings: Settings) -> Sequence[Finding]:
    place = settings.var.absolute()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    free = usage.free
    said, do = f"{free / 1024**3:.2f} GiB free", f"Make room on the disk of {settings.var}."
    if free < min(WRONG_BYTES, WRONG_PART * usage.total):
        return [wrong(ROOM, "TIDINGS_VAR", said, do)]
    return [
        warning(ROOM, "TIDINGS_VAR", said, do) if free < min(WARNING_BYTES, WARNING_PART * usage.total) else ok(ROOM, "TIDINGS_VAR", said)
    ]


async def _address(settings: Settings) -> Sequence[Finding]:
    address, found = settings.address, []
    if settings.public_url is None:
        found.append(warning(PUBLIC, "address", f"TIDINGS_PUBLIC_URL is not set; {address} is taken", "Set it to what people type."))
    elif urlsplit(address).scheme == "http" and not on_loopback(address):
        found.append(wrong(PUBLIC, "address", f"{address} is not https", "Nobody can sign in over plain http: put TLS before it."))
    status = await asyncio.to_thread(_status_of, f"{address}/")
    if status is None:
        do = "Does the name lead to this machine, is the gateway running, and does something answer behind it?"
        return [*found, wrong(PUBLIC, "front page", f"{address}/ does not answer", do)]
    if status != 200:
        return [*found, wrong(PUBLIC, "front page", f"{address}/ answers {status}", "Does desk run, and does the gateway lead / to it?")]
    return [*found, ok(PUBLIC, "front page", f"{address}/ answers")]


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _status_of(address: str) -> int | None:
    try:
        with build_opener(ProxyHandler({}), _Stay()).open(Request(address), timeout=_SECONDS) as answer:  # noqa: S310 - the settings' own
            return int(answer.status)
    except HTTPError as refused:
        return int(refused.code)
    except OSError:
        return None


async def _certificate(address: str) -> Sequence[Finding]:
    parts, what = urlsplit(address), "certificate"
    host, port = str(parts.hostname), parts.port or 443
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context(), server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        do = "The gateway gets one by itself once the name leads to it and ports 80 and 443 are open."
        return [wrong(PUBLIC, what, f"{host}: {error.verify_message}", do)]
    try:
        ends = str(writer.get_extra_info("peercert")["notAfter"])
    finally:
        writer.close()
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    days = (until - clock.now()).total_seconds() / 86_400
    said, do = f"{host}: good for {days:.0f} days", "It should have been renewed by now: look at the gateway's log."
    if days < WRONG_DAYS:
        return [wrong(PUBLIC, what, said, do)]
    return [warning(PUBLIC, what, said, do) if days < WARNING_DAYS else ok(PUBLIC, what, said)]
