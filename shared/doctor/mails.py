"""Does the mail server take us, and does the DNS say of our mails what receivers want to hear?"""

import base64
from collections.abc import Sequence
from ipaddress import ip_address

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.doctor.names import Names
from shared.mail.dkim import read_key
from shared.mail.outcome import Phase
from shared.mail.outgoing import Outgoing
from shared.mail.server import Encryption, MailServer, on_this_machine
from shared.mail.smtp import Connection, Patience, ServerTroubleError
from shared.settings import Settings

PART, DNS = "mail", "dns"
_PATIENT = Patience(connect=4.0, command=6.0)
_ABOUT = "See docs/do/mail.md."


def questions(settings: Settings, outgoing: Outgoing, names: Names, *, rehearses: bool) -> Sequence[Question]:
    """Return what is to be asked about mails that leave; nothing of the DNS where they all stay in the demo inbox."""
    server = outgoing.server
    do = f"Is the mail server of TIDINGS_SMTP running? Mails wait meanwhile. {_ABOUT}"
    found = [Question(part=PART, what="mail server", ask=lambda: _server(server, outgoing.domain, rehearses=rehearses), do=do)]
    if server is None or rehearses:
        return found
    bounces = str(getattr(settings, "bounce_domain", None) or outgoing.sender.domain)
    unanswered = "Does this machine reach a resolver of the DNS?"
    return [
        *found,
        Question(part=DNS, what="SPF", ask=lambda: _spf(names, outgoing.sender.domain), do=unanswered),
        Question(part=DNS, what="DKIM", ask=lambda: _dkim(names, settings, outgoing), do=unanswered),
        Question(part=DNS, what="DMARC", ask=lambda: _dmarc(names, outgoing.sender.domain), do=unanswered),
        Question(part=DNS, what="bounces", ask=lambda: _bounces(names, bounces), do=unanswered),
        Question(part=DNS, what="reverse name", ask=lambda: _reverse(names, server), do=unanswered),
    ]


async def _server(server: MailServer | None, hello: str, *, rehearses: bool) -> Sequence[Finding]:
    what = "mail server"
    if server is None and rehearses:
        return [ok(PART, what, "mails stay in the demo inbox")]
    if server is None:
        return [warning(PART, what, "none is set; mails wait", f"Set TIDINGS_SMTP. {_ABOUT}")]
    where = f"{server.host}:{server.port}"
    connection = Connection(server, hello=hello, patience=_PATIENT)
    try:
        await connection.open()
    except ServerTroubleError as error:
        if error.reply.code == 0 and "certificate" in error.reply.text.lower():
            said = f"{where} shows a certificate that is not good for this name, or that nobody known here vouches for"
            return [wrong(PART, what, said, "Name the server in TIDINGS_SMTP as its certificate does, and renew that where it is over.")]
        said = f"{where} does not take us at {error.phase.value}: {error.reply.code or 'no answer'}"
        return [wrong(PART, what, said, _do_at(error.phase))]
    finally:
        await connection.close()
    how = {Encryption.NONE: "in clear", Encryption.STARTTLS: "with STARTTLS", Encryption.TLS: "with TLS"}[server.encryption]
    said = f"{where} takes us {how}{', signed in' if server.user else ''}"
    if server.encryption is Encryption.NONE and not on_this_machine(server.host):
        return [warning(PART, what, said, "Mails cross the network readable by anybody: use smtps:// or starttls=required.")]
    return [ok(PART, what, said)]


def _do_at(phase: Phase) -> str:
    match phase:
        case Phase.STARTTLS:
            return "It offers no TLS, or a certificate that is not good for this name: look at its certificate, and at TIDINGS_SMTP."
        case Phase.AUTH:
            return "It refuses user and password: look at TIDINGS_SMTP."
        case _:
            return f"Is it running, is port 25 open from here, and is TIDINGS_SMTP right? {_ABOUT}"


async def _spf(names: Names, domain: str) -> Sequence[Finding]:
    records = [text for text in await names.texts(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not records:
        do = f'Add a TXT record at {domain} that names your mail server, such as: "v=spf1 mx -all"'
        return [wrong(DNS, "SPF", f"{domain} says nothing of who sends for it", do)]
    if len(records) > 1:
        return [wrong(DNS, "SPF", f"{domain} has {len(records)} records", "Leave one: receivers take several for none (RFC 7208, 4.5).")]
    if "+all" in records[0].lower().split() or "all" in records[0].lower().split():
        return [warning(DNS, "SPF", f"{domain} lets everybody send for it", "End the record with -all or ~all.")]
    return [ok(DNS, "SPF", f"{domain}: {records[0]}")]


async def _dkim(names: Names, settings: Settings, outgoing: Outgoing) -> Sequence[Finding]:
    if outgoing.signer is None or settings.dkim_key is None:
        do = f"Set TIDINGS_DKIM_SELECTOR, and TIDINGS_DKIM_KEY or TIDINGS_DKIM_KEY_FILE, unless your mail server signs. {_ABOUT}"
        return [warning(DNS, "DKIM", "mails leave unsigned", do)]
    name = f"{outgoing.signer.selector}._domainkey.{outgoing.signer.domain}"
    public = read_key(settings.dkim_key.get_secret_value().encode()).public_key()
    ours = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    texts = await names.texts(name)
    do = f"Put this TXT record there: v=DKIM1; k=rsa; p={ours}"
    if not texts:
        return [wrong(DNS, "DKIM", f"{name} is not there", do)]
    given = {tag.strip(): "".join(value.split()) for tag, _, value in (part.partition("=") for part in texts[0].split(";"))}
    if not given.get("p"):
        return [wrong(DNS, "DKIM", f"{name} names no key, or one that was revoked", do)]
    if given["p"] != ours:
        return [wrong(DNS, "DKIM", f"{name} names another key than the one that signs", do)]
    return [ok(DNS, "DKIM", f"{name} names the key that signs")]


async def _dmarc(names: Names, domain: str) -> Sequence[Finding]:
    labels = domain.split(".")
    for above in range(len(labels) - 1):
        name = ".".join(["_dmarc", *labels[above:]])
        records = [text for text in await names.texts(name) if text.startswith("v=DMARC1")]
        if len(records) == 1:
            return [ok(DNS, "DMARC", f"{name}: {records[0]}")]
        if records:
            return [wrong(DNS, "DMARC", f"{name} has {len(records)} records", "Leave one: receivers take several for none.")]
    do = f'Add a TXT record at _dmarc.{domain}, such as: "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"'
    return [wrong(DNS, "DMARC", f"{domain} has no rule, which large providers want of whoever sends to many", do)]


async def _bounces(names: Names, domain: str) -> Sequence[Finding]:
    hosts = await names.exchangers(domain)
    if hosts == [""]:
        return [wrong(DNS, "bounces", f"{domain} says that it takes no mail", "Bounces come there: give it an MX record.")]
    if hosts:
        return [ok(DNS, "bounces", f"{domain} takes mail at {hosts[0]}")]
    return [wrong(DNS, "bounces", f"{domain} has no MX record", "Mails that come back would be lost: give it one.")]


async def _reverse(names: Names, server: MailServer) -> Sequence[Finding]:
    what = "reverse name"
    try:
        addresses: Sequence[str] = [str(ip_address(server.host))]
    except ValueError:
        addresses = await names.addresses(server.host)
    public = [address for address in addresses if ip_address(address).is_global]
    if not public:
        return [ok(DNS, what, f"{server.host} has no public address; whoever it hands on to is seen by receivers")]
    found = []
    for address in public:
        given = await names.names_of(address)
        confirmed = [name for name in given if address in await names.addresses(name)]
        if confirmed:
            found.append(ok(DNS, what, f"{address} is {confirmed[0]}, and {confirmed[0]} is {address}"))
        else:
            said = f"{address} is {given[0]}, which is another address" if given else f"{address} has no name"
            found.append(warning(DNS, what, said, "Have whoever gave you the address set its PTR record to the server's name."))
    return found
