"""Under which keys a raw log is stored: the source partitions that buckets remember and that a window touches.

The partition holds the hour and the write shard, because its collection must stay in one partition of DynamoDB (the table's
local index pins it there and caps it at 10 GB). Everything here is a function of event, time and log_id for ever: a retry finds
the same key.

Rule: ENGINE.md, Traps, the first.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from nightjar.core.events import Shards
from nightjar.core.instants import HOUR, floor

GUARD = "g#"
MOST_SHARDS = 16  # each is a call to the raw logs of an hour, and a mark in each of its buckets

# Logs are accepted up to a day ahead, by processes that may have read the event some minutes ago (pipeline/known.py).
_NOTICE = 25 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Identity(NamedTuple):
    """What a raw log's key says: whose it is, when (µs) and which."""

    event_id: str
    at: int
    log_id: str


def shard_count(shards: Shards, at: int) -> int:
    """Return the number of write shards of an event at an instant (µs); it changes on the hour only."""
    place = bisect_right(shards, at, key=lambda entry: entry[0]) - 1
    return shards[place][1] if place >= 0 else 1


def change_shards(shards: Shards, count: int, now: int) -> Shards:
    """Set an event's number of write shards.

    Args:
        shards: The event's history so far.
        count: How many from then on.
        now: The instant (µs) of the change.

    Returns:
        The history, in which the number holds from the first UTC hour at least 25 hours ahead. A change that begins then or later is
        replaced; one that begins earlier stays, since logs may lie in it already. The same number again changes nothing.

    Raises:
        ValueError: There cannot be so many.

    Rule: ENGINE.md, Traps: "a setting raises it from the first UTC hour at least 25 hours ahead, kept in the event's history, so that a
    log's shard is a function of event, time and log_id for ever".

    Example:
        >>> change_shards(((0, 1),), 4, 1_772_546_400_000_001)[-1]  # set just after 2026-03-03T14:00Z: from 16:00 the day after
        (1772640000000000, 4)
    """
    if not 1 <= count <= MOST_SHARDS:
        raise ValueError(f"must be from 1 to {MOST_SHARDS}: each shard takes about 1,000 logs a second, and is read by itself")
    since = -(-(now + _NOTICE) // HOUR) * HOUR
    kept = tuple(entry for entry in shards if entry[0] < since)
    return kept if shard_count(kept, since) == count else (*kept, (since, count))


def shard_of(shards: Shards, at: int, log_id: str) -> int:
    """Return the write shard of a log."""
    if len(shards) == 1 and shards[0][1] == 1:
        return 0
    return crc32(log_id.encode()) % shard_count(shards, at)


@lru_cache(maxsize=2048)
def _hour(number: int) -> str:
    return (_EPOCH + timedelta(hours=number)).strftime("%Y%m%d%H")


def raw_key(event_id: str, shards: Shards, at: int, log_id: str) -> tuple[str, str]:
    """Return partition and sort key of a raw log.

    Example:
        >>> raw_key("e", ((0, 1),), 1_772_542_800_500_000, "i")
        ('e#2026030313#0', '1772542800500000#i')
    """
    return f"{event_id}#{_hour(at // HOUR)}#{shard_of(shards, at, log_id)}", f"{at:016d}#{log_id}"


def read_key(partition: str, sort: str) -> Identity:
    """Read back what `raw_key` wrote."""
    at, _, log_id = sort.partition("#")
    return Identity(partition.partition("#")[0], int(at), log_id)


def time_of(partition: str, sort: str) -> int | None:
    """Return the time (µs) that a raw log's key says; None where that is none, or lies outside the hour of its partition.

    Raises:
        LookupError, ValueError: The partition is none of raw logs.

    Example:
        >>> time_of("e#2026030313#0", "1772542800500000#i"), time_of("e#2026030313#0", "1772542800500000x#i")
        (1772542800500000, None)
    """
    hour = hour_of(partition)
    digits = sort.partition("#")[0]
    at = int(digits) if digits.isdecimal() else -1
    return at if hour <= at < hour + HOUR else None


def hour_of(partition: str) -> int:
    """Return the start (µs) of the hour of a partition of raw logs."""
    return _read_hour(partition.split("#")[1])


@lru_cache(maxsize=2048)
def _read_hour(text: str) -> int:
    year, month, day, hour = int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:])
    return (datetime(year, month, day, hour, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def guard_key(event_id: str, log_id: str) -> str:
    """Return the partition key of the guard that keeps the time of a log's first receipt; its sort key is "g"."""
    return f"{GUARD}{event_id}#{log_id}"


def hours(start: int, end: int) -> Iterator[int]:
    """Yield the starts (µs) of the UTC hours that [start, end) touches, newest first."""
    if start < end:
        yield from range(floor(end - 1, HOUR), floor(start, HOUR) - 1, -HOUR)


def source_keys(event_id: str, shards: Shards, start: int, end: int) -> list[str]:
    """Return the partition keys that may hold raw logs of the window [start, end) in µs, newest hour first."""
    return [f"{event_id}#{_hour(hour // HOUR)}#{shard}" for hour in hours(start, end) for shard in range(shard_count(shards, hour))]


def sort_bounds(start: int, end: int) -> tuple[str, str]:
    """Return the inclusive bounds of sort keys for the window [start, end): every key has "#" after its 16 digits."""
    return f"{start:016d}", f"{end:016d}"
