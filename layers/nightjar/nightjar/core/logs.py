"""What a log is: how one is read from JSON, and under which key it is stored.

Example:
    >>> parse_log({"event": "job.run", "value": 30.4}, index=0, now=0)
    Log(event_id='…', agent='', event='job.run', value=Decimal('30.4'), log_id=None, at=None, meta=None)
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from nightjar.core.decimals import in_range, rounded
from nightjar.core.ids import event_id, is_uuid, uuid7_instant
from nightjar.core.instants import DAY, EXPECTED, parse_instant
from nightjar.core.meta import encode_meta

NAME_LENGTH = 128
PAST = 30 * DAY
FUTURE = DAY

# Cc of Unicode, and halves of surrogate pairs, which no table can store
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Code = Literal["BAD_REQUEST", "FORBIDDEN", "INTERNAL"]


class Log(NamedTuple):
    """One valid log.

    Attributes:
        value: Finite, |value| < 1e30, at most 30 decimal places.
        log_id: Lower case; None: the server makes one.
        at: Its time in µs; None: the time of its first receipt.
        meta: Compact JSON; None where there is none.
    """

    event_id: str
    agent: str
    event: str
    value: Decimal
    log_id: str | None
    at: int | None
    meta: str | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the log at an index of the request was not taken; the message names the field and holds no value."""

    index: int
    code: Code
    message: str


class _Unfit(Exception):
    """A field breaks its rule."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f".{field}: {reason}" if field else f": {reason}")


def parse_log(raw: Any, *, index: int, now: int) -> Log | Rejection:
    """Read one log of a request.

    Args:
        raw: JSON as `http.body.parse` reads it: integers are int, other numbers Decimal (NaN and Infinity included).
        index: Its place in the request, for the message.
        now: The instant of the request in µs.

    Returns:
        The log, or why it is none.

    Rule: API.md, Logs, the table.
    """
    try:
        return _read(raw, now)
    except _Unfit as unfit:
        return Rejection(index, "BAD_REQUEST", f"logs[{index}]{unfit}")


def _read(raw: Any, now: int) -> Log:
    if not isinstance(raw, dict):
        raise _Unfit("", "must be an object")
    event = _name(raw.get("event"), "event")
    if not event:
        raise _Unfit("event", f"must be a text of 1 to {NAME_LENGTH} characters")
    agent = _name(raw.get("agent"), "agent")
    value = _value(raw.get("value"))
    log_id = _log_id(raw.get("log_id"))
    at = _time(raw.get("occurred_at"), log_id, now)
    return Log(_event_id(agent, event), agent, event, value, log_id, at, _meta(raw.get("meta")))


# A batch of 500 logs has a handful of events; uuid5 costs as much as reading the rest of a log.
_event_id = lru_cache(maxsize=4096)(event_id)


def _name(raw: Any, field: str) -> str:
    """Read an agent or an event; "" for none."""
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise _Unfit(field, "must be a text")
    text = raw.strip()
    if len(text) > NAME_LENGTH:
        raise _Unfit(field, f"must be at most {NAME_LENGTH} characters")
    if not text.isprintable() and _UNFIT.search(text):
        raise _Unfit(field, "must not hold control characters or lone surrogates")
    return text


def _value(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise _Unfit("value", "must be a finite number")
    number = Decimal(raw)
    if not number.is_finite():
        raise _Unfit("value", "must be a finite number")
    if not in_range(number):
        raise _Unfit("value", "must be below 1e30 in magnitude")
    number = rounded(number)
    if not in_range(number):  # 999…9.99… with more than 30 places rounds up to the limit
        raise _Unfit("value", "must be below 1e30 in magnitude")
    return number


def _log_id(raw: Any) -> str | None:
    """Read a log_id; None for absent or blank."""
    if raw is None:
        return None
    if isinstance(raw, str):
        if is_uuid(raw):
            return raw.lower()
        if not raw or raw.isspace():
            return None
    raise _Unfit("log_id", "must be a UUID of 8-4-4-4-12 hexadecimal digits")


def _time(raw: Any, log_id: str | None, now: int) -> int | None:
    """Read a log's time in µs: occurred_at, else the time inside a UUIDv7, else None.

    Rule: ENGINE.md, Logs.
    """
    if raw is None or raw == "" or (isinstance(raw, str) and raw.isspace()):
        at = uuid7_instant(log_id) if log_id else None
        return at if at is None else _inside(at, "log_id", "its time ", now)
    if not isinstance(raw, str):
        raise _Unfit("occurred_at", f"must be a text with {EXPECTED}, not a number")
    try:
        at = parse_instant(raw)
    except ValueError as error:
        raise _Unfit("occurred_at", str(error)) from None
    return _inside(at, "occurred_at", "", now)


def _inside(at: int, field: str, what: str, now: int) -> int:
    if at < now - PAST:
        raise _Unfit(field, f"{what}must be at most 30 days ago")
    if at > now + FUTURE:
        raise _Unfit(field, f"{what}must be at most 1 day ahead")
    return at


def _meta(raw: Any) -> str | None:
    if raw is None:
        return None
    try:
        return encode_meta(raw)
    except ValueError as error:
        raise _Unfit("meta", str(error)) from None


def new_log_id(at: int, randomness: int) -> str:
    """Make the UUIDv7 of a log that came without one.

    Args:
        at: The instant of its receipt in µs.
        randomness: 74 random bits.

    Rule: RFC 9562 section 5.7.
    """
    high, low = randomness >> 62 & 0xFFF, randomness & (1 << 62) - 1
    return str(UUID(int=at // 1_000 << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
