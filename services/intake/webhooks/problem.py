"""Every answer of the door that is not yes: what was wrong, with which status, under which key of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from services.intake.webhooks.keys import KeyFault
from shared.events.kinds.faults import Fault, FaultCode, Params, Say, fault_key
from shared.events.kinds.rules import KIND_RULES

TYPES = "/problems/"  # where the addresses of all our problem types stand
MAX_FAULTS = 50  # more would not be read, and would let a small body ask for a large answer


class Problem(Enum):
    """A problem type: the last part of its address, its HTTP status. Its title has the key `problem.<slug>.title`."""

    MALFORMED_HEADERS = ("malformed-headers", 400)  # a header that we need cannot be read
    MALFORMED_BODY = ("malformed-body", 400)  # the bytes are not JSON as RFC 7493 wants it
    SIGNATURE = ("signature", 401)  # not signed, or not over these bytes with a live key
    KEY = ("key", 401)  # the partner has no live key that could have signed this
    CLOCK = ("clock", 401)  # well signed, at a moment too far from ours
    NO_SUCH_PARTNER = ("no-such-partner", 404)
    ID_REUSED = ("id-reused", 409)  # the id came before with another body
    TOO_LARGE = ("too-large", 413)
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415)
    INVALID = ("invalid", 422)  # JSON, and not what the type asks for; the answer carries `errors`
    TOO_MANY_REQUESTS = ("too-many-requests", 429)
    UNAVAILABLE = ("unavailable", 503)  # nothing was kept; the same request may be sent again

    def __init__(self, slug: str, status: int) -> None:
        self.slug = slug
        self.status = status

    @property
    def title_key(self) -> str:
        """The catalogue key of the title, which is the same at every occurrence (RFC 9457, section 3.1.3)."""
        return f"problem.{self.slug}.title"


class Reason(Enum):
    """Why exactly, within a problem type; the params of its sentence in brackets.

    The sentence has the key `webhook.<code>`, or `problem.<slug>.detail` where the problem has this one reason everywhere.
    """

    HEADER_MISSING = ("header-missing", Problem.SIGNATURE)  # one of the three signature headers [headers]
    HEADER_REPEATED = ("header-repeated", Problem.MALFORMED_HEADERS)  # two values, either could be meant [header]
    ID_MALFORMED = ("id-malformed", Problem.MALFORMED_HEADERS)  # [max]
    TIMESTAMP_MALFORMED = ("timestamp-malformed", Problem.MALFORMED_HEADERS)
    SIGNATURE_MALFORMED = ("signature-malformed", Problem.MALFORMED_HEADERS)  # nothing in the list can be read
    SIGNATURE_TOO_LONG = ("signature-too-long", Problem.MALFORMED_HEADERS)  # [max_entries, max_bytes]
    CLOUDEVENT_HEADER_MISSING = ("cloudevent-header-missing", Problem.MALFORMED_HEADERS)  # [header]
    CLOUDEVENT_HEADER_MALFORMED = ("cloudevent-header-malformed", Problem.MALFORMED_HEADERS)  # [header]
    HANDSHAKE_MALFORMED = ("handshake-malformed", Problem.MALFORMED_HEADERS)  # [header]

    SIGNATURE_VERSION_UNKNOWN = ("signature-version-unknown", Problem.SIGNATURE)  # neither v1 nor v1a
    SIGNATURE_MISMATCH = ("signature-mismatch", Problem.SIGNATURE)  # [keys]
    SIGNED_WITH_SECRET_TEXT = ("signed-with-secret-text", Problem.SIGNATURE)  # the text of the secret, not its bytes
    SIGNED_BODY_ALONE = ("signed-body-alone", Problem.SIGNATURE)  # id and timestamp left out
    SIGNED_TRIMMED_BODY = ("signed-trimmed-body", Problem.SIGNATURE)  # a line end more or less than what was sent
    SIGNATURE_IN_HEXADECIMAL = ("signature-in-hexadecimal", Problem.SIGNATURE)  # right, written in the wrong digits

    KEY_MISSING = ("key-missing", Problem.KEY)  # no live key at all
    KEY_OF_OTHER_VERSION = ("key-of-other-version", Problem.KEY)  # signed v1, live keys are for v1a, or the reverse [signed, live]

    CLOCK_BEHIND = ("clock-behind", Problem.CLOCK)  # signed too long ago [seconds, tolerance]
    CLOCK_AHEAD = ("clock-ahead", Problem.CLOCK)  # signed in the future [seconds, tolerance]

    BODY_EMPTY = ("body-empty", Problem.MALFORMED_BODY)
    BODY_NOT_UTF8 = ("body-not-utf8", Problem.MALFORMED_BODY)  # [offset], in bytes from 0
    BODY_STARTS_WITH_BOM = ("body-starts-with-bom", Problem.MALFORMED_BODY)
    JSON_UNREADABLE = ("json-unreadable", Problem.MALFORMED_BODY)  # [line, column], from 1
    JSON_TOO_DEEP = ("json-too-deep", Problem.MALFORMED_BODY)  # [max]
    JSON_NAME_REPEATED = ("json-name-repeated", Problem.MALFORMED_BODY)  # [pointer]
    JSON_NUMBER_OUT_OF_RANGE = ("json-number-out-of-range", Problem.MALFORMED_BODY)  # [pointer]
    JSON_NOT_A_NUMBER = ("json-not-a-number", Problem.MALFORMED_BODY)  # NaN or Infinity [pointer]
    JSON_LONE_SURROGATE = ("json-lone-surrogate", Problem.MALFORMED_BODY)  # half a character [pointer]
    JSON_NULL_CHARACTER = ("json-null-character", Problem.MALFORMED_BODY)  # U+0000, which PostgreSQL cannot keep [pointer]

    NO_SUCH_PARTNER = ("no-such-partner", Problem.NO_SUCH_PARTNER)
    ID_REUSED = ("id-reused", Problem.ID_REUSED)
    TOO_LARGE = ("too-large", Problem.TOO_LARGE)  # [n], in bytes
    MEDIA_TYPE_MISSING = ("media-type-missing", Problem.UNSUPPORTED_MEDIA_TYPE)
    MEDIA_TYPE_UNSUPPORTED = ("media-type-unsupported", Problem.UNSUPPORTED_MEDIA_TYPE)
    BATCH_UNSUPPORTED = ("batch-unsupported", Problem.UNSUPPORTED_MEDIA_TYPE)  # CloudEvents in batches
    CHARSET_UNSUPPORTED = ("charset-unsupported", Problem.UNSUPPORTED_MEDIA_TYPE)
    ENCODING_UNSUPPORTED = ("encoding-unsupported", Problem.UNSUPPORTED_MEDIA_TYPE)  # compressed bodies
    INVALID = ("invalid", Problem.INVALID)  # [n], of faults
    TOO_MANY_REQUESTS = ("too-many-requests", Problem.TOO_MANY_REQUESTS)  # [n], in seconds
    UNAVAILABLE = ("unavailable", Problem.UNAVAILABLE)  # [n], in seconds

    def __init__(self, code: str, problem: Problem) -> None:
        self.code = code
        self.problem = problem

    @property
    def detail_key(self) -> str:
        """The catalogue key of the sentence that says what happened and what to do."""
        return f"problem.{self.code}.detail" if self.code == self.problem.slug else f"webhook.{self.code}"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused request. Holds nothing secret: no key, no signature that would have been right, no value of the body."""

    reason: Reason
    params: Params = field(default_factory=dict)  # for the detail sentence
    members: Mapping[str, str | int] = field(default_factory=dict)  # further members of the problem document
    faults: Sequence[Fault] = ()  # only where the reason is INVALID
    headers: Mapping[str, str] = field(default_factory=dict)  # of the answer, beside Content-Type

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.reason.problem.status

    @property
    def slug(self) -> str:
        """The last part of the problem type's address, which programs may rely on."""
        return self.reason.problem.slug

    def document(self, say: Say, **members: str) -> dict[str, object]:
        """Return the problem document (RFC 9457), its sentences in the language of `say`, with further `members` of the door's."""
        document: dict[str, object] = {
            "type": TYPES + self.slug,
            "title": say(self.reason.problem.title_key, self.params),
            "status": self.status,
            "detail": say(self.reason.detail_key, self.params),
            "reason": self.reason.code,
        }
        document.update(members)
        document.update(self.members)
        if self.faults:
            document["errors"] = [fault.document(say) for fault in self.faults[:MAX_FAULTS]]
        return document


def refuse(reason: Reason, **params: str | int) -> Refusal:
    """Return a refusal for `reason` whose sentence takes these params, with the headers that its status asks for."""
    return Refusal(reason=reason, params=params, headers=_HEADERS.get(reason.problem, {}))


def refuse_schema(faults: Sequence[Fault]) -> Refusal:
    """Return the refusal of a body that is JSON and not what its type asks for."""
    return Refusal(reason=Reason.INVALID, params={"n": len(faults)}, faults=tuple(faults))


def refuse_until(reason: Reason, seconds: int, headers: Mapping[str, str] | None = None) -> Refusal:
    """Return a refusal (429, 503) that says after how many seconds to come again; at least one."""
    seconds = max(1, seconds)
    return Refusal(reason=reason, params={"n": seconds}, headers={"Retry-After": str(seconds), **(headers or {})})


def refuse_rate(*, limit: int, reset_seconds: int) -> Refusal:
    """Return the 429 of a partner that has used up its `limit`; the window ends in `reset_seconds`."""
    return refuse_until(Reason.TOO_MANY_REQUESTS, reset_seconds, rate_headers(limit=limit, remaining=0, reset_seconds=reset_seconds))


def rate_headers(*, limit: int, remaining: int, reset_seconds: int) -> dict[str, str]:
    """Return the headers that tell a partner how many requests are left in the window and when it ends."""
    return {
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(max(0, remaining)),
        "RateLimit-Reset": str(max(0, reset_seconds)),
    }


def message_keys() -> frozenset[str]:
    """Return every catalogue key that the door, or the reading of a key, may ask for, so that a test finds a missing sentence."""
    titles = [problem.title_key for problem in Problem]
    details = [reason.detail_key for reason in Reason]
    faults = [fault_key(code) for code in {*(code.value for code in FaultCode), *KIND_RULES}]
    return frozenset([*titles, *details, *faults, *(fault.key for fault in KeyFault)])


# RFC 9110, section 11.6.1: a 401 names how to authenticate; section 15.5.16: a 415 names what would have been taken.
_HEADERS: Mapping[Problem, Mapping[str, str]] = {
    Problem.SIGNATURE: {"WWW-Authenticate": 'Webhook-Signature versions="v1 v1a"'},
    Problem.KEY: {"WWW-Authenticate": 'Webhook-Signature versions="v1 v1a"'},
    Problem.CLOCK: {"WWW-Authenticate": 'Webhook-Signature versions="v1 v1a"'},
    Problem.UNSUPPORTED_MEDIA_TYPE: {"Accept": "application/json, application/cloudevents+json", "Accept-Encoding": "identity"},
}
