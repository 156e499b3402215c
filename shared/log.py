"""Log lines that carry the trace id of what they speak of, as text or JSON, and never personal data."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Literal

import orjson

from shared.trace import trace_id_var

# These say the same about forty times a second while a broker is away; our own watchdog says it once.
NOISY = ("aiokafka", "shared.broker")
NOISY_INTERVAL_SECONDS = 10.0

# Nobody writes an address into a line on purpose; an exception of a library, or of a database, may hold one all the same. What stands
# behind a sign of an address on the web is a password there, and a line that explains a setting.
_ADDRESS = re.compile(r"(?<![\w.+/%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_LOGIN = re.compile(r"(\w://)[^\s/@]+@")
# The last part of a mailed link lets in whoever has it.
_LINK = re.compile(r"(/(?:desk/sign-in|intake/(?:track|confirm)|newsletter/(?:u|confirm)|pledges/update)/)[\w.~=-]{12,}")
# What PostgreSQL adds to an error quotes the row that it refused.
_DETAIL = re.compile(
    r"\nDETAIL:.*?(?=\nHINT:|\n\[SQL:|\n\(Background on this error"
    r"|\n\n(?:The above exception was the direct cause|During handling of the above exception)|\Z)",
    re.DOTALL,
)


def without_personal_data(line: str) -> str:
    """Return a line without mail addresses, rows of the database, and what makes a mailed link open something."""
    line = _DETAIL.sub("", line)
    if "@" in line:
        line = _LOGIN.sub(r"\1(login)@", line)
        line = _ADDRESS.sub("(address)", line)
    return _LINK.sub(r"\1(token)", line) if "/" in line else line


class _Trace(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.trace = trace_id_var.get()
        return True


class OncePerInterval(logging.Filter):
    """Lets a line of one place in the code through once an interval, with the number that were held back since."""

    def __init__(self, interval_seconds: float = NOISY_INTERVAL_SECONDS) -> None:
        super().__init__()
        self._interval = interval_seconds
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether `record` may be written."""
        place = (record.pathname, record.lineno)
        now = time.monotonic()
        last, held = self._seen.get(place, (-self._interval, 0))
        if now - last < self._interval:
            self._seen[place] = (last, held + 1)
            return False
        self._seen[place] = (now, 0)
        if held:
            record.msg = f"{record.getMessage()} (and {held} more like it)"
            record.args = ()
        return True


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        trace = f" trace={found}" if (found := getattr(record, "trace", "")) else ""
        line = f"{when} {record.levelname:<7} {record.name}: {without_personal_data(record.getMessage())}{trace}"
        return f"{line}\n{without_personal_data(self.formatException(record.exc_info))}" if record.exc_info else line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_personal_data(record.getMessage()),
        }
        if trace := getattr(record, "trace", ""):
            line["trace"] = trace
        if record.exc_info:
            line["exception"] = without_personal_data(self.formatException(record.exc_info))
        return orjson.dumps(line).decode()


def configure(form: Literal["text", "json"], *, level: int = logging.INFO) -> None:
    """Send every logger's lines to standard error in the given form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    handler.addFilter(_Trace())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    once = OncePerInterval()
    handler.addFilter(lambda record: once.filter(record) if record.name.startswith(NOISY) else True)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
