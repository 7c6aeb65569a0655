"""What was given up for a destination, in the deliveries table: one partition a destination, so that it can be listed and sent again.

| row | PK | SK | attributes |
|---|---|---|---|
| given up | `given#<destination_id>` | `<µs, 16 digits>#<alert_id>#<number, 6 digits>` | d JSON of delivery.GivenUp, x |

A row is written in the transaction that records the failure (storage/settling.py), and goes in the one that puts the message
back into a tray, on condition that its record still says `failed`: so nothing is sent again twice. All of one alert goes back
in one transaction, together with the latest transition of the alert, so that no alert that is over is told as open.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from nightjar.core.delivery import Attempt, GivenUp, Record, Row
from nightjar.core.rows import members_of
from nightjar.storage import held, trays
from nightjar.storage.client import Store
from nightjar.storage.deliveries import new_record, record_key, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_LAST = "~"  # behind every sort key


def keep_write(store: Store, given: GivenUp, expires: dict[str, Any]) -> "TransactWriteItemTypeDef":
    """Return the write that lists something as given up until it expires (TTL, as DynamoDB writes numbers)."""
    attempt = given.attempt
    key = _key(attempt.destination_id, attempt.created_at, attempt.alert_id, given.number)
    item = {**key, "d": {"S": json.dumps(asdict(given), separators=(",", ":"))}, "x": expires}
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


def put_back(store: Store, rows: Sequence[Row], lost: Sequence[Record], last: Record | None, record: Record) -> bool:
    """Put what was given up of one alert into its destination's tray again, with the transition that says how it stands.

    Args:
        store: Where.
        rows: What to put there; all in one tray.
        lost: What became of it so far: given up.
        last: What became of the latest transition, if that was not given up; None when it has no record.
        record: The record that the latest transition gets when it has none.

    Returns:
        False when anything is not as it was read: nothing was written then.
    """
    tray, now = record.tray, record.created_at
    writes = [write for each in lost for write in (_waits_again(store, each, tray), _forget_write(store, each))]
    if last is None:
        writes.append(new_record(store, record))
    elif last not in lost:
        writes.append(_is(store, last) if last.status in ("pending", "sent") else _waits_again(store, last, tray))
        if last.status == "held":
            writes.append(held.take_write(store, last))
    writes += [trays.row_write(store, row) for row in rows]
    return not transact(store, [*writes, trays.count_write(store, tray, now, len(rows))])


def forget(store: Store, given: GivenUp) -> None:
    """Take something off the list."""
    attempt = given.attempt
    store.db.delete_item(TableName=store.tables.deliveries, Key=_key(attempt.destination_id, attempt.created_at, attempt.alert_id, given.number))


def _is(store: Store, record: Record) -> "TransactWriteItemTypeDef":
    """Return the check that a record still says what it did."""
    return {
        "ConditionCheck": {
            "TableName": store.tables.deliveries,
            "Key": record_key(record.alert_id, record.destination_id, record.number),
            "ConditionExpression": "s = :was",
            "ExpressionAttributeValues": {":was": {"S": record.status}},
        }
    }


def _waits_again(store: Store, record: Record, tray: str) -> "TransactWriteItemTypeDef":
    """Return the write that has a record wait in a tray, on condition that it still says what it did."""
    return {
        "Update": {
            "TableName": store.tables.deliveries,
            "Key": record_key(record.alert_id, record.destination_id, record.number),
            "UpdateExpression": "SET s = :pending, why = :none, y = :y",
            "ConditionExpression": "s = :was",
            "ExpressionAttributeValues": {":pending": {"S": "pending"}, ":none": {"S": ""}, ":y": {"S": tray}, ":was": {"S": record.status}},
        }
    }


def _forget_write(store: Store, record: Record) -> "TransactWriteItemTypeDef":
    """Return the write that takes what a record says was given up off the list."""
    key = _key(record.destination_id, record.tried_at, record.alert_id, record.number)
    return {"Delete": {"TableName": store.tables.deliveries, "Key": key}}


def _items(store: Store, destination_id: str, cursor: str | None) -> Iterator[dict[str, Any]]:
    """Read a destination's rows up to and with a cursor, newest first."""
    return trays.query(store, f"given#{destination_id}", "0", cursor or _LAST, newest_first=True)


def _given(item: dict[str, Any]) -> GivenUp:
    """Read a row."""
    found = json.loads(item["d"]["S"])
    return GivenUp(found["policy_id"], found["number"], Attempt(**members_of(Attempt, found["attempt"])))


def _key(destination_id: str, at: int, alert_id: str, number: int) -> dict[str, Any]:
    """Return the key of what was given up at an instant (µs)."""
    return {"PK": {"S": f"given#{destination_id}"}, "SK": {"S": f"{at:016d}#{alert_id}#{number:06d}"}}
