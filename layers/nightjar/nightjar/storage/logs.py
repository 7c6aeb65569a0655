"""Raw logs: PK `event_id#YYYYMMDDHH#shard`, SK `<µs, 16 digits>#<log_id>`; v the value as text, m meta as JSON, x when it goes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from nightjar.core.decimals import plain
from nightjar.core.events import Shards
from nightjar.core.instants import DAY, HOUR, SECOND, floor
from nightjar.core.sources import hour_of, read_key, sort_bounds, source_keys, time_of
from nightjar.storage.client import Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

_LAST = 10**16 - 1  # µs: the greatest time of 16 digits
_WINDOW = "PK = :source AND SK BETWEEN :start AND :end"


@dataclass(frozen=True, slots=True)
class RawLog:
    """One stored log.

    Attributes:
        at: Its time in µs.
        meta: JSON text; None where there is none.
        sort: Its sort key, which orders logs by time.
    """

    at: int
    log_id: str
    value: Decimal
    meta: str | None
    sort: str


def item(key: tuple[str, str], value: Decimal, meta: str | None, at: int, ttl_days: int) -> "dict[str, AttributeValueTypeDef]":
    """Make the item of a raw log: the same log always makes the same item, so that putting it again changes nothing.

    Args:
        key: What `core.sources.raw_key` says.
        value: Rounded as `core.logs` does.
        meta: Compact JSON or None.
        at: Its time in µs.
        ttl_days: Days it lives after its time.
    """
    found: dict[str, AttributeValueTypeDef] = {
        "PK": {"S": key[0]},
        "SK": {"S": key[1]},
        "v": {"S": plain(value)},
        "x": {"N": str((at + ttl_days * DAY) // SECOND)},
    }
    if meta is not None:
        found["m"] = {"S": meta}
    return found


def count_raw(store: Store, event_id: str, shards: Shards, start: int, end: int, at_most: int) -> int:  # noqa: PLR0917
    """Count the raw logs of a window, strongly consistent, no further than needed.

    Args:
        store: The tables.
        event_id: The event.
        shards: Its history of write shards.
        start: µs, inside.
        end: µs, outside.
        at_most: Where counting may stop: one more than the rollup knows.

    Returns:
        The number of logs, or `at_most` if there are at least so many.

    Rule: ENGINE.md, Evaluating, the look before a silent alert.
    """
    total = 0
    for source in source_keys(event_id, shards, start, end):
        total += _count(store, source, start, end, at_most - total)
        if total >= at_most:
            return at_most
    return total


def _count(store: Store, source: str, start: int, end: int, at_most: int) -> int:
    query = _query(store, source, *sort_bounds(start, end))
    query["Select"] = "COUNT"
    total = 0
    while total < at_most:
        query["Limit"] = at_most - total
        page = store.db.query(**query)
        total += page["Count"]
        if "LastEvaluatedKey" not in page:
            break
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    return total


def list_raw(
    store: Store, event_id: str, shards: Shards, hours: Iterable[int], *, now: int, limit: int, before: str | None = None
) -> tuple[list[RawLog], str | None]:
    """Read raw logs, newest first.

    Args:
        store: The tables.
        event_id: The event.
        shards: Its history of write shards.
        hours: Starts (µs) of the UTC hours to look into, newest first: those that have an hour bucket, or `core.sources.hours`.
        now: The instant in µs; what has expired by then is gone.
        limit: How many at most.
        before: Where the last page ended; None for the first page.

    Returns:
        The logs, and where the next page begins (None if there is none).

    Raises:
        ValueError: `before` is nothing that an earlier page gave.
    """
    found: list[RawLog] = []
    for hour in hours:
        if before and hour > floor(read_key("", before).at, HOUR):
            continue
        sources = source_keys(event_id, shards, hour, hour + HOUR)
        found += _newest(store, sources, hour, now=now, limit=limit + 1 - len(found), before=before)
        if len(found) > limit:
            return found[:limit], found[limit - 1].sort
    return found, None


def _newest(store: Store, sources: Iterable[str], hour: int, *, now: int, limit: int, before: str | None) -> list[RawLog]:
    """Read the newest logs of one hour from all its shards, newest first."""
    logs: list[RawLog] = []
    for source in sources:
        reader = read_source(store, source, start=hour, end=hour + HOUR, now=now, newest_first=True, before=before, page=limit)
        logs += [log for _, log in zip(range(limit), reader, strict=False)]
    logs.sort(key=lambda log: log.sort, reverse=True)
    return logs[:limit]


def read_source(
    store: Store, source: str, *, start: int, end: int, now: int, newest_first: bool = False, before: str | None = None, page: int = 1_000
) -> Iterator[RawLog]:
    """Yield the living raw logs of one source partition in a window [start, end) in µs, strongly consistent.

    A row that ingest did not write, which rollup parked, is passed over.

    Args:
        store: The tables.
        source: A partition key, one of `core.sources.source_keys`.
        start: µs, inside.
        end: µs, outside.
        now: The instant in µs; what has expired by then is gone.
        newest_first: The order; else oldest first.
        before: Only logs whose sort key is smaller.
        page: How many to read in one call.
    """
    low, high = sort_bounds(start, end)
    query = _query(store, source, low, min(high, before) if before else high)
    query["ScanIndexForward"] = not newest_first
    query["Limit"] = page
    while True:
        answer = store.db.query(**query)
        for found in answer["Items"]:
            log = _raw(found, now)
            if log and log.sort != before:
                yield log
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def read_values(store: Store, source: str) -> Iterator[tuple[int, str]]:
    """Yield time (µs) and value of all logs of one source partition, strongly consistent; the value as text, whatever it holds.

    A log whose time cannot be read has no value, and the start of its hour: there rollup parked it.
    """
    query = _query(store, source, *sort_bounds(0, _LAST))
    query["ProjectionExpression"] = "SK, v"
    while True:
        answer = store.db.query(**query)
        for found in answer["Items"]:
            at = time_of(source, found["SK"]["S"])
            yield (hour_of(source), "") if at is None else (at, found.get("v", {}).get("S", ""))
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _query(store: Store, source: str, low: str, high: str) -> "QueryInputTypeDef":
    return {
        "TableName": store.tables.logs,
        "KeyConditionExpression": _WINDOW,
        "ExpressionAttributeValues": {":source": {"S": source}, ":start": {"S": low}, ":end": {"S": high}},
        "ConsistentRead": True,
    }


def _raw(found: Any, now: int) -> RawLog | None:
    """Read a row; None for one that has expired by now, or that is no log."""
    sort = found["SK"]["S"]
    try:
        value, expires = Decimal(found["v"]["S"]), int(found["x"]["N"])
    except (KeyError, ValueError, InvalidOperation):
        return None
    if expires <= now // SECOND or time_of(found["PK"]["S"], sort) is None or not value.is_finite():
        return None
    identity, meta = read_key(found["PK"]["S"], sort), found.get("m")
    return RawLog(identity.at, identity.log_id, value, meta["S"] if meta else None, sort)
