"""Senders that run as they stand: shell with curl and openssl, Python without anything installed, Node.

They are shown in the catalogue and printed by `make run`; the tests run each against a server that verifies with the reference
library. All three do the same four things: write the body once, sign exactly those bytes, keep the id on a retry, sign anew.
"""

import json
import pprint
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

PLACEHOLDER = "whsec_PUT_YOUR_SECRET_HERE"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a sender needs to know."""

    address: str  # of the partner's door
    example: Mapping[str, object]  # a whole request body
    secret: str = field(default=PLACEHOLDER, repr=False)


def curl(sample: Sample) -> str:
    """Return shell commands, one a line, for any POSIX shell with curl and openssl."""
    return "\n".join(_shell(sample))


def curl_line(sample: Sample) -> str:
    """Return the same on one line to paste, in parentheses so that it leaves no variables behind."""
    return f"({'; '.join(_shell(sample))})"


def python(sample: Sample) -> str:
    """Return a Python program (3.9 or newer) that uses the standard library alone."""
    event = pprint.pformat(sample.example, sort_dicts=False, width=110)
    return _fill(_PYTHON, ADDRESS=repr(sample.address), SECRET=repr(sample.secret), EVENT=event)


def node(sample: Sample) -> str:
    """Return a Node program (18 or newer), to be saved as `send.mjs`."""
    event = json.dumps(sample.example, ensure_ascii=False, indent=2)
    return _fill(_NODE, ADDRESS=json.dumps(sample.address), SECRET=json.dumps(sample.secret), EVENT=event)


def _shell(sample: Sample) -> list[str]:
    body = json.dumps(sample.example, ensure_ascii=False, separators=(",", ":"))
    values = {"ADDRESS": shlex.quote(sample.address), "SECRET": shlex.quote(sample.secret), "BODY": shlex.quote(body)}
    return [_fill(line, **values) for line in _SHELL]


def _fill(template: str, **values: str) -> str:
    # In one pass, so that a value that looks like a slot stays what it is.
    return re.sub(r"@([A-Z]+)@", lambda slot: values[slot.group(1)], template)


# openssl takes a key of any bytes only in hexadecimal; od is the POSIX tool that writes it.
_SHELL = (
    "secret=@SECRET@",
    "body=@BODY@",
    'id="msg_$(openssl rand -hex 12)"',
    'timestamp="$(date +%s)"',
    'key="$(printf %s "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d \' \\n\')"',
    (
        'signature="v1,$(printf %s.%s.%s "$id" "$timestamp" "$body"'
        ' | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)"'
    ),
    (
        'printf %s "$body" | curl -sS -w \'\\n%{http_code}\\n\' --data-binary @- -H "content-type: application/json"'
        ' -H "webhook-id: $id" -H "webhook-timestamp: $timestamp" -H "webhook-signature: $signature" @ADDRESS@'
    ),
)

_PYTHON = """\
import base64
import hmac
import json
import secrets
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ADDRESS = @ADDRESS@
SECRET = @SECRET@
EVENT = @EVENT@


def send(event_id, event):
    body = json.dumps(event, ensure_ascii=False).encode("utf-8")
    timestamp = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode("ascii") + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    try:
        with urlopen(Request(ADDRESS, data=body, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode("utf-8")
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode("utf-8")


# Draw the id once and keep it on every retry; send() signs each attempt anew.
status, answer = send("msg_" + secrets.token_hex(12), EVENT)
print(answer)
print(status)
"""

_NODE = """\
import { createHmac, randomBytes } from "node:crypto";

const ADDRESS = @ADDRESS@;
const SECRET = @SECRET@;
const EVENT = @EVENT@;

async function send(eventId, event) {
  const body = Buffer.from(JSON.stringify(event), "utf8");
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(SECRET.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${eventId}.${timestamp}.`).update(body).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": eventId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
  const answer = await fetch(ADDRESS, { method: "POST", headers, body });
  return [await answer.text(), answer.status];
}

// Draw the id once and keep it on every retry; send() signs each attempt anew.
console.log((await send("msg_" + randomBytes(12).toString("hex"), EVENT)).join("\\n"));
"""
