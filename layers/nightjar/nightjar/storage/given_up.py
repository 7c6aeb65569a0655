"""What was given up for a destination, in the deliveries table: one partition a destination, so that it can be listed and sent again.

| row | PK | SK | attributes |
|---|---|---|---|
| given up | `given#<destination_id>` | `<µs, 16 digits>#<alert_id>#<number, 6 digits>` | d JSON of delivery.GivenUp, x |

A row is written in the transaction that records the failure (storage/settling.py), and goes in the one that puts the message
back into a tray, on condition that its record still says `failed`: so nothing is sent again twice.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from nightjar.core.delivery import Attempt, GivenUp, RecordStatus, Row
from nightjar.storage import trays
from nightjar.storage.client import Store
from nightjar.storage.deliveries import record_key, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_LAST = "~"  # behind every sort key


def keep_write(store: Store, given: GivenUp, expires: dict[str, Any]) -> "TransactWriteItemTypeDef":
    """Return the write that lists something as given up until it expires (TTL, as DynamoDB writes numbers)."""
    item = {**_key(given), "d": {"S": json.dumps(asdict(given), separators=(",", ":"))}, "x": expires}
    return {"Put": {"TableName": store.tables.deliveries, "Item": item}}


def newest(store: Store, destination_id: str, limit: int, cursor: str | None = None) -> tuple[list[GivenUp], str | None]:
    """Read what was given up for a destination, newest first, strongly consistent.

    Args:
        store: Where from.
        destination_id: Whose.
        limit: How many at most.
        cursor: Where the page before ended; None for the newest.

    Returns:
        The rows, and the cursor of the next page; None when there is no more.
    """
    rest = (item for item in _items(store, destination_id, cursor) if item["SK"]["S"] != cursor)
    found = list(islice(rest, limit + 1))
    following = found[limit - 1]["SK"]["S"] if len(found) > limit else None
    return [_given(item) for item in found[:limit]], following


def put_back(store: Store, row: Row, given: GivenUp) -> bool:
    """Put what was given up into its destination's tray again, once.

    Returns:
        False when its record says something else by now: somebody was faster.
    """
    return not transact(store, [_waits_again(store, row, "failed"), _forget_write(store, given), *trays.put_writes(store, row)])


def put_ending_back(store: Store, row: Row) -> bool:
    """Put an ending into the tray of a destination that was passed over for it, as long as it was not told of the opening.

    Returns:
        False when it was not passed over.
    """
    return not transact(store, [_waits_again(store, row, "skipped"), *trays.put_writes(store, row)])


def forget(store: Store, given: GivenUp) -> None:
    """Take something off the list."""
    store.db.delete_item(TableName=store.tables.deliveries, Key=_key(given))


def _waits_again(store: Store, row: Row, was: RecordStatus) -> "TransactWriteItemTypeDef":
    """Return the write that has a record wait again, on condition that it still says what it did."""
    return {
        "Update": {
            "TableName": store.tables.deliveries,
            "Key": record_key(row.alert_id, row.destination_id, row.number),
            "UpdateExpression": "SET s = :pending, why = :none, y = :y",
            "ConditionExpression": "s = :was",
            "ExpressionAttributeValues": {":pending": {"S": "pending"}, ":none": {"S": ""}, ":y": {"S": row.tray}, ":was": {"S": was}},
        }
    }


def _forget_write(store: Store, given: GivenUp) -> "TransactWriteItemTypeDef":
    """Return the write that takes something off the list."""
    return {"Delete": {"TableName": store.tables.deliveries, "Key": _key(given)}}


def _items(store: Store, destination_id: str, cursor: str | None) -> Iterator[dict[str, Any]]:
    """Read a destination's rows up to and with a cursor, newest first."""
    return trays.query(store, f"given#{destination_id}", "0", cursor or _LAST, newest_first=True)


def _given(item: dict[str, Any]) -> GivenUp:
    """Read a row."""
    found = json.loads(item["d"]["S"])
    return GivenUp(found["policy_id"], found["number"], Attempt(**found["attempt"]))


def _key(given: GivenUp) -> dict[str, Any]:
    """Return a row's key."""
    attempt = given.attempt
    return {"PK": {"S": f"given#{attempt.destination_id}"}, "SK": {"S": f"{attempt.created_at:016d}#{attempt.alert_id}#{given.number:06d}"}}
