"""What a relay's log says of mails whose end we do not know: by Message-ID, whether it took them and whether they came back; no I/O."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Found(StrEnum):
    """What became of a mail at the relay."""

    ACCEPTED = "accepted"  # the relay took it upon itself, whether or not it has got rid of it
    REFUSED = "refused"  # the relay did not take it, or took it and could not pass it on


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One mail in the log."""

    message_id: str  # the part before the @, by which a copy of ours is known
    found: Found
    code: int  # of the server's answer; 0 where the log has none
    reply: str
    queue_id: str
    line: int


class EvidenceError(Exception):
    """This is neither a log of Postfix nor a CSV file with the columns message_id and outcome."""


# `Nov 22 06:00:00 host postfix/smtp[123]: 4F1A2B: to=<…>, …, dsn=2.0.0, status=sent (250 2.0.0 Ok)`, whatever stands before.
_POSTFIX = re.compile(r"postfix[\w-]*/(?:[\w-]+/)?(?P<part>[\w-]+)\[\d+\]: (?P<queue>[0-9A-Za-z]{6,}): (?P<rest>.*)")
_MESSAGE_ID = re.compile(r"message-id=<([^@>]+)@[^>]*>")
_STATUS = re.compile(r"dsn=(?P<dsn>[\d.]+), status=(?P<status>\w+) \((?P<reply>.*)\)\s*$")
_CODE = re.compile(r"(?:^|said: )(\d{3})[ -]")
_ADDRESS = re.compile(r"<[^<>@\s]+@[^<>\s]+>")
_REPLY_CHARACTERS = 500


@dataclass
class _Mail:
    message_id: str
    found: Found | None = None
    code: int = 0
    reply: str = ""
    line: int = 0


def read(lines: Iterable[str]) -> Mapping[str, Evidence]:
    """Return what a log says, by Message-ID without its domain; raises EvidenceError.

    A log that does not name a mail says nothing about it: it may be another relay's, or of another day.
    """
    rest = iter(lines)
    head: list[str] = []
    for line in rest:
        head.append(line)
        if line.strip():
            break
    if head and not _POSTFIX.search(head[-1]) and "message" in head[-1].lower() and "outcome" in head[-1].lower():
        return _csv([head[-1].removeprefix("\ufeff"), *rest])
    return _postfix([*head, *rest])


def _postfix(lines: Sequence[str]) -> Mapping[str, Evidence]:
    open_: dict[str, _Mail] = {}
    mails: list[tuple[str, _Mail]] = []
    known = False
    for number, line in enumerate(lines, start=1):
        match = _POSTFIX.search(line)
        if match is None:
            known = known or "postfix" in line
            continue
        known = True
        queue, rest = match["queue"], match["rest"]
        if match["part"] == "cleanup" and (named := _MESSAGE_ID.match(rest)):
            # Only its head has been read so far, and the link may break yet. Queue ids are used again: a new mail begins here.
            mail = open_[queue] = _Mail(message_id=named[1].lower())
            mails.append((queue, mail))
        elif queue in open_:
            _note(open_[queue], rest, number)
    if not known:
        raise EvidenceError(EvidenceError.__doc__)
    return {
        mail.message_id: Evidence(
            message_id=mail.message_id, found=mail.found, code=mail.code, reply=mail.reply, queue_id=queue, line=mail.line
        )
        for queue, mail in mails
        if mail.found is not None
    }


def _note(mail: _Mail, rest: str, number: int) -> None:
    if "reject: END-OF-MESSAGE" in rest:
        mail.found, mail.reply, mail.line = Found.REFUSED, _without_address(rest), number
    elif "(queue active)" in rest and mail.found is None:
        mail.found, mail.reply, mail.line = Found.ACCEPTED, "in the relay's queue", number
    elif status := _STATUS.search(rest):
        came_back = status["status"] in {"bounced", "expired"}
        code = _CODE.search(status["reply"])
        mail.found = Found.REFUSED if came_back else Found.ACCEPTED
        mail.reply, mail.line = _without_address(f"{status['status']}: {status['reply']}"), number
        mail.code = int(code[1]) if code else 0
    elif "status=expired" in rest:
        mail.found, mail.reply, mail.line = Found.REFUSED, "expired, returned to sender", number


def _csv(lines: Iterable[str]) -> Mapping[str, Evidence]:
    text = list(lines)
    separator = max(",;\t", key=text[0].count)
    names = {"message_id": "message_id", "outcome": "outcome", "reply": "reply", "queue_id": "queue_id"}
    reader = csv.DictReader(text, delimiter=separator)
    reader.fieldnames = [names.get(name.strip().lower().replace("-", "_"), name) for name in reader.fieldnames or ()]
    found: dict[str, Evidence] = {}
    for row in reader:
        message_id = (row.get("message_id") or "").strip().strip("<>").partition("@")[0].lower()
        try:
            outcome = Found((row.get("outcome") or "").strip().lower())
        except ValueError:
            raise EvidenceError(f"Line {reader.line_num}: the outcome is neither accepted nor refused.") from None
        if not message_id:
            raise EvidenceError(f"Line {reader.line_num}: the message_id is missing.")
        if message_id in found and found[message_id].found is not outcome:
            raise EvidenceError(f"Line {reader.line_num}: line {found[message_id].line} says otherwise of the same message.")
        reply = _without_address((row.get("reply") or "").strip())
        found[message_id] = Evidence(
            message_id=message_id, found=outcome, code=0, reply=reply, queue_id=(row.get("queue_id") or "").strip(), line=reader.line_num
        )
    return found


def _without_address(text: str) -> str:
    """Return a log's words without a reader's address, which has no place in a table that is kept."""
    return _ADDRESS.sub("(recipient)", text)[:_REPLY_CHARACTERS]
