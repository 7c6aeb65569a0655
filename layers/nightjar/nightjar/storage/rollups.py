"""The rollups table: one row for each event and minute or hour that had logs.

    PK        SK                                attributes
    event_id  h#<start: seconds, 12 digits>     b  the packed bucket
              m#…                               w  map: source -> last sequence number applied, padded
                                                n  version, the condition of every write
                                                k  logs parked beside a bucket that could not be read
                                                x  expiry in seconds: minutes 35 days, hours 3 years after their start

A row past its expiry is treated as gone: DynamoDB may take days to delete it.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nightjar.core.folding import Marks
from nightjar.core.instants import DAY, HOUR, MINUTE, SECOND
from nightjar.core.periods import Bin
from nightjar.core.rollups import Bucket
from nightjar.storage.bucket_items import NONE, bucket_of, by_event, is_gone, key, marks_of, place_of, sort_key
from nightjar.storage.client import Store
from nightjar.storage.faults import StorageBusy, Unreadable
from nightjar.storage.waiting import Wait, wait

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Letter = Literal["h", "m"]

KEPT = {"m": 35 * DAY, "h": 3 * 365 * DAY}

_LENGTH = {"m": MINUTE, "h": HOUR}
_KEYS_A_CALL = 100
_CALLS_AT_ONCE = 8
_TRIES = 8
_HEAD = "PK, SK, b, k, x"


@dataclass(slots=True)
class Row:
    """A stored bucket with what a writer must know of it; version 0 is a row that does not exist yet.

    Attributes:
        packed: The bucket as it was read.
        beside: How many logs were parked beside it before; where it can be read, they are parked in it.
        damaged: It cannot be read, or not be added to: it is kept as it is, and `bucket` holds only what is parked beside it.
    """

    bucket: Bucket = field(default_factory=Bucket)
    marks: Marks = field(default_factory=dict)
    version: int = 0
    packed: bytes = b""
    beside: int = 0
    damaged: bool = False


class Stored(NamedTuple):
    """A stored row with its bucket unread, whatever state that is in."""

    packed: bytes
    marks: Marks
    version: int


def read(store: Store, event_id: str, bins: Iterable[Bin], *, now: int, consistent: bool = True) -> dict[Bin, Bucket]:
    """Read buckets of one event; see `read_many`."""
    found = read_many(store, ((event_id, bin) for bin in bins), now=now, consistent=consistent)
    return {bin: bucket for (_, bin), bucket in found.items()}


def read_many(store: Store, wanted: Iterable[tuple[str, Bin]], *, now: int, consistent: bool = True, wait: Wait = wait) -> dict[tuple[str, Bin], Bucket]:
    """Read buckets of many events.

    Args:
        store: The tables.
        wanted: Pairs of event and bucket; the same twice is read once.
        now: The instant (µs) by which rows are expired.
        consistent: Strongly consistent, at twice the price.
        wait: Waits before the n-th retry of what DynamoDB left out.

    Returns:
        Those that exist; a bucket without logs has no row.

    Raises:
        StorageBusy: DynamoDB kept leaving some out.
        Unreadable: One of them is not what this code writes.
    """
    found, damaged = read_readable(store, wanted, now=now, consistent=consistent, wait=wait)
    if damaged:
        raise damaged[0]
    return found


def read_readable(
    store: Store, wanted: Iterable[tuple[str, Bin]], *, now: int, consistent: bool = True, wait: Wait = wait
) -> tuple[dict[tuple[str, Bin], Bucket], list[Unreadable]]:
    """Read buckets of many events as `read_many` does; return those that can be read, and what is wrong with the others."""
    keys = [key(event_id, bin) for event_id, bin in dict.fromkeys(wanted)]
    items = _read_items(store, keys, {"ConsistentRead": consistent, "ProjectionExpression": _HEAD}, wait)
    found: dict[tuple[str, Bin], Bucket] = {}
    damaged: list[Unreadable] = []
    for place, item in items:
        if not is_gone(item, now):
            try:
                found[place] = bucket_of(item)
            except Unreadable as error:
                damaged.append(error)
    return found, damaged


def read_by_event(store: Store, wanted: Iterable[tuple[str, Bin]], *, now: int, consistent: bool = True) -> dict[str, dict[Bin, Bucket]]:
    """Read buckets of many events, and return them event by event; see `read_many`."""
    return by_event(read_many(store, wanted, now=now, consistent=consistent))


def read_rows(store: Store, wanted: Iterable[tuple[str, Bin]], *, now: int, wait: Wait = wait) -> dict[tuple[str, Bin], Row]:
    """Read rows in order to write them, strongly consistent; what does not exist, or has expired, is an empty row.

    Raises:
        StorageBusy: DynamoDB kept leaving some out.
    """
    places = list(dict.fromkeys(wanted))
    items = dict(_read_items(store, [key(*place) for place in places], {"ConsistentRead": True}, wait))
    return {place: _row(items.get(place), now) for place in places}


def read_row(store: Store, event_id: str, bin: Bin, *, now: int) -> Row:
    """Read one row in order to write it, strongly consistent."""
    found = store.db.get_item(TableName=store.tables.rollups, Key=key(event_id, bin), ConsistentRead=True)
    return _row(found.get("Item"), now)


def read_stored(store: Store, event_id: str, bins: Iterable[Bin], *, now: int, wait: Wait = wait) -> dict[Bin, Stored]:
    """Read the rows of one event that exist and have not expired, strongly consistent, without reading what is in them."""
    items = _read_items(store, [key(event_id, bin) for bin in dict.fromkeys(bins)], {"ConsistentRead": True}, wait)
    return {bin: Stored(item["b"]["B"], marks_of(item), int(item["n"]["N"])) for (_, bin), item in items if not is_gone(item, now)}


def write_row(store: Store, event_id: str, bin: Bin, row: Row) -> bool:
    """Write a row if it is still as it was read.

    Args:
        store: The tables.
        event_id: The event.
        bin: The bucket.
        row: What to write, with the version that was read.

    Returns:
        False if somebody else wrote it first: read it again.
    """
    letter, start = bin
    item: dict[str, AttributeValueTypeDef] = {
        **key(event_id, bin),
        **_content(row),
        "w": {"M": {source: {"S": number} for source, number in row.marks.items()}},
        "n": {"N": str(row.version + 1)},
        "x": {"N": str((start + KEPT[letter]) // SECOND)},
    }
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
    if row.version:
        condition = {"ConditionExpression": "n = :read", "ExpressionAttributeValues": {":read": {"N": str(row.version)}}}
    try:
        store.db.put_item(TableName=store.tables.rollups, Item=item, **condition)
    except store.db.exceptions.ConditionalCheckFailedException:
        return False
    return True


def query(
    store: Store, event_id: str, letter: Letter, start: int, end: int, *, now: int,
    newest_first: bool = False, limit: int | None = None, consistent: bool = True,
) -> list[tuple[int, Bucket]]:  # fmt: skip
    """Read the buckets of one event whose starts lie in [start, end), µs.

    Args:
        store: The tables.
        event_id: The event.
        letter: Hours or minutes.
        start: The least start.
        end: What all starts lie before.
        now: The instant (µs) by which rows are expired.
        newest_first: In falling order of time.
        limit: How many at most; None for all.
        consistent: Strongly consistent, at twice the price.

    Returns:
        Pairs of start and bucket; buckets without logs do not exist.

    Raises:
        Unreadable: One of them is not what this code writes.
    """
    items = _query(store, event_id, letter, start, end, now=now, newest_first=newest_first, limit=limit, consistent=consistent)
    return [(place_of(item)[1][1], bucket_of(item)) for item in islice(items, limit)]


def starts(store: Store, event_id: str, letter: Letter, start: int, end: int, *, now: int, limit: int | None = None, consistent: bool = True) -> list[int]:
    """Return the starts (µs) of the buckets that `query` finds, oldest first, whether or not these can be read."""
    items = _query(store, event_id, letter, start, end, now=now, newest_first=False, limit=limit, consistent=consistent)
    return [place_of(item)[1][1] for item in islice(items, limit)]


def _query(
    store: Store, event_id: str, letter: Letter, start: int, end: int, *, now: int, newest_first: bool, limit: int | None, consistent: bool
) -> "Iterator[dict[str, AttributeValueTypeDef]]":  # fmt: skip
    """Yield the living rows of one event whose starts lie in [start, end), µs."""
    first = max(0, -(-start // _LENGTH[letter]) * _LENGTH[letter])
    if first >= end:
        return
    how: Any = {
        "TableName": store.tables.rollups,
        "KeyConditionExpression": "PK = :event AND SK BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":event": {"S": event_id}, ":first": {"S": sort_key(letter, first)}, ":last": {"S": sort_key(letter, end - 1)}},
        "ProjectionExpression": _HEAD,
        "ScanIndexForward": not newest_first,
        "ConsistentRead": consistent,
    }
    pages = store.db.get_paginator("query").paginate(**how, PaginationConfig={"PageSize": limit} if limit else {})
    yield from (item for page in pages for item in page["Items"] if not is_gone(item, now))


def first_start(store: Store, event_id: str, *, now: int) -> int | None:
    """Return the start (µs) of the event's earliest hour with logs; None before its first log."""
    return next(iter(starts(store, event_id, "h", 0, now + 2 * KEPT["h"], now=now, limit=1, consistent=False)), None)


def first_log(store: Store, event_id: str, *, now: int) -> int | None:
    """Return the start (µs) of the event's earliest minute with logs, of its earliest hour once minutes are gone."""
    hour = first_start(store, event_id, now=now)
    if hour is None or hour + KEPT["m"] <= now:
        return hour
    return next(iter(starts(store, event_id, "m", hour, hour + HOUR, now=now, limit=1, consistent=False)), hour)


def _read_items(
    store: Store, keys: "list[dict[str, AttributeValueTypeDef]]", how: dict[str, Any], wait: Wait
) -> "list[tuple[tuple[str, Bin], dict[str, AttributeValueTypeDef]]]":
    """Read rows by their keys, a hundred a call, several calls at once."""
    calls = [keys[at : at + _KEYS_A_CALL] for at in range(0, len(keys), _KEYS_A_CALL)]
    if len(calls) < 2:  # noqa: PLR2004
        pages = [_read_call(store, call, how, wait) for call in calls]
    else:
        with ThreadPoolExecutor(min(_CALLS_AT_ONCE, len(calls))) as pool:
            pages = list(pool.map(lambda call: _read_call(store, call, how, wait), calls))
    return [(place_of(item), item) for page in pages for item in page]


def _read_call(store: Store, keys: "list[dict[str, AttributeValueTypeDef]]", how: dict[str, Any], wait: Wait) -> "list[dict[str, AttributeValueTypeDef]]":
    """Read at most a hundred rows, asking again for those that DynamoDB left out."""
    table = store.tables.rollups
    found: list[dict[str, AttributeValueTypeDef]] = []
    left: Any = {table: {"Keys": keys, **how}}
    for attempt in range(_TRIES):
        if attempt:
            wait(attempt)
        answer = store.db.batch_get_item(RequestItems=left)
        found.extend(answer["Responses"].get(table, []))
        left = answer.get("UnprocessedKeys")
        if not left:
            return found
    raise StorageBusy(f"{len(left[table]['Keys'])} buckets could not be read")


def _row(item: "dict[str, AttributeValueTypeDef] | None", now: int) -> Row:
    """Read a row; of an expired one only its version counts, as the condition of the write that starts it anew."""
    if item is None:
        return Row()
    version = int(item["n"]["N"])
    if is_gone(item, now):
        return Row(version=version)
    row = Row(Bucket(), marks_of(item), version, item["b"]["B"], int(item.get("k", NONE)["N"]))
    try:
        return replace(row, bucket=bucket_of(item))
    except Exception:  # noqa: BLE001  # whatever was done to it, it must hold up no other bucket
        return as_damaged(row)


def as_damaged(row: Row) -> Row:
    """Return a row whose bucket stays as it was read, and to which logs can only be parked beside.

    Rule: ENGINE.md, Traps: "a record at which the code fails is parked, counted in its bucket and alarmed, and the batch goes on".
    """
    beside = Bucket()
    beside.parked = row.beside
    return replace(row, bucket=beside, damaged=True)


def _content(row: Row) -> "dict[str, AttributeValueTypeDef]":
    """Return what a row holds: its bucket; or the one that could not be read, and how many logs it lacks."""
    if not row.damaged:
        return {"b": {"B": row.bucket.pack()}}
    return {"b": {"B": row.packed}, "k": {"N": str(row.bucket.parked + row.bucket.count)}}
