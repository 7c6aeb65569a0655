"""When to try again: what a receiver asks for, in its header or its body, and what is waited where it says nothing."""

import re
from datetime import UTC
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from math import ceil

from nightjar.core.delivery import Outcome
from nightjar.core.instants import SECOND

LONGEST_WAIT = 900
SHORTEST_WAIT = 1

_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")


def kind_of(outcome: Outcome) -> str:
    """Say which failures in a row make the wait grow together: `busy` or `down`; `asked` where the receiver says how long, so that none does.

    Example:
        >>> kind_of(Outcome("busy", 429)), kind_of(Outcome("busy", 429, retry_after=Decimal(1))), kind_of(Outcome("down", 500))
        ('busy', 'asked', 'down')
    """
    return "asked" if outcome.status == "busy" and outcome.retry_after is not None else outcome.status


def wait_seconds(outcome: Outcome, failures: int) -> int:
    """Say how long a bell rests after an answer that asks for another try.

    Args:
        outcome: A `busy` or `down` outcome.
        failures: How many of its kind (see `kind_of`) there were in a row, this one included.

    Returns:
        Whole seconds, 1 to 900: what a busy receiver asked for, rounded up; else 1, 2, 4, … (busy) or 2, 4, 8, … (down).

    Example:
        >>> wait_seconds(Outcome("busy", 429, retry_after=Decimal("1.5")), 1), wait_seconds(Outcome("down", 500), 3)
        (2, 8)
    """
    if outcome.status == "busy" and outcome.retry_after is not None:
        return min(max(ceil(min(outcome.retry_after, Decimal(LONGEST_WAIT))), SHORTEST_WAIT), LONGEST_WAIT)
    doublings = failures - 1 if outcome.status == "busy" else failures
    return min(1 << min(max(doublings, 0), 16), LONGEST_WAIT)


def retry_after(header: str | None, now: int) -> Decimal | None:
    """Read a Retry-After header.

    Args:
        header: Its text: seconds, with a fraction or not, or an HTTP date; None when absent.
        now: The instant (µs) of the answer.

    Returns:
        Seconds above zero; None when it is absent or senseless (words, zero, the past).

    Rule: ENGINE.md, Notifying; RFC 9110 section 10.2.3.

    Example:
        >>> retry_after("1.5", 0), retry_after("Thu, 01 Jan 1970 00:00:20 GMT", 0), retry_after("abc", 0)
        (Decimal('1.5'), Decimal('20'), None)
    """
    text = (header or "").strip()
    return seconds(text) or _until(text, now)


def seconds(found: object) -> Decimal | None:
    """Read seconds above zero from what a header or a JSON body holds; None for anything else."""
    if not isinstance(found, (str, int, float, Decimal)) or isinstance(found, bool):
        return None
    if isinstance(found, str) and not _NUMBER.fullmatch(found):  # Decimal takes 1_000 and other scripts' digits, too
        return None
    try:
        value = Decimal(str(found))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def _until(text: str, now: int) -> Decimal | None:
    """Return the seconds until an HTTP date, None when it is none or over."""
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)  # one of the three forms names no zone; all are GMT
        left = Decimal(int(date.timestamp()) * SECOND - now) / SECOND
    except (ValueError, TypeError, OverflowError):
        return None
    return left if left > 0 else None
