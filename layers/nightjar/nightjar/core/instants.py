"""Instants and lengths of time as whole microseconds since 1970-01-01T00:00:00Z (UTC)."""

import re
from datetime import UTC, datetime, timedelta

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EXPECTED = "an instant like 2026-03-03T14:00:00Z"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def parse_instant(text: str) -> int:
    """Read an instant as API.md defines it.

    Args:
        text: Date, ``T`` or space, time to the second, any fraction after ``.`` or ``,`` (cut to
            microseconds, never rounded), then ``Z``, ``±hh:mm``, ``±hhmm`` or nothing (UTC).

    Returns:
        Microseconds since the epoch, negative before 1970.

    Raises:
        ValueError: The text is no such instant; the message says what is expected.

    Example:
        >>> parse_instant("2026-03-03T14:00:00.5+01:00")
        1772542800500000
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"must be {EXPECTED}")
    date, time, fraction, zone = found.groups()
    try:
        naive = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"must be {EXPECTED}") from None
    micros = (naive - _EPOCH) // timedelta(microseconds=1)
    micros += int((fraction or "")[:6].ljust(6, "0"))
    return micros - _offset(zone or "Z")


def _offset(zone: str) -> int:
    """Return a zone's distance from UTC in microseconds; ``+01:00`` is positive."""
    if zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004
        raise ValueError(f"must be {EXPECTED}")
    distance = hours * HOUR + minutes * MINUTE
    return -distance if zone[0] == "-" else distance


def iso(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, with a fraction only where there is one.

    Example:
        >>> iso(1772542800500000)
        '2026-03-03T13:00:00.5Z'
    """
    whole, micros = divmod(instant, SECOND)
    text = (_EPOCH + timedelta(seconds=whole)).isoformat()[:19]  # strftime does not pad years before 1000
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{text}{fraction}Z"


def floor(instant: int, unit: int) -> int:
    """Cut an instant down to a whole unit (``MINUTE``, ``HOUR``) of UTC."""
    return instant - instant % unit
