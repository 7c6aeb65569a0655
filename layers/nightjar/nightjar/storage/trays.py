"""Trays of the deliveries table: what waits for each webhook.

| row | PK | SK | attributes |
|---|---|---|---|
| tray | hash of the webhook (delivery.tray_of) | delivery.row_key | p policy, t number, a alert, i destination, k type, put, b busy (µs text), n BOOL again |
| trays | `trays` | the hash | oldest, last (µs text): the first and last put; puts N: how often; failing, fails N (count_failure); rung (note_rung) |

A tray row is written in one transaction with its record (storage.deliveries.announce), which also counts `puts` up. A
handler that found a tray empty deletes its `trays` row only if `puts` is still what it was before it looked, so what was
put in between is never forgotten; a `trays` row that is older than two minutes makes the tick ring again.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from nightjar.core.delivery import Row
from nightjar.storage.client import Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


def put_writes(store: Store, row: Row) -> "list[TransactWriteItemTypeDef]":
    """Return the writes that put a row into its tray, to be made in one transaction with its record."""
    return [row_write(store, row), count_write(store, row.tray, row.put_at)]


def row_write(store: Store, row: Row) -> "TransactWriteItemTypeDef":
    """Return the write of a row, new or as it is from now on."""
    item = {
        **_key(row.tray, row.key),
        "p": {"S": row.policy_id},
        "t": {"S": str(row.number)},
        "a": {"S": row.alert_id},
        "i": {"S": row.destination_id},
        "k": {"S": row.type},
        "put": {"S": str(row.put_at)},
        "b": {"S": str(row.busy_since)},
        "n": {"BOOL": row.again},
    }
    return {"Put": {"TableName": store.tables.deliveries, "Item": item}}


def count_write(store: Store, tray: str, now: int, rows: int = 1) -> "TransactWriteItemTypeDef":
    """Return the write that counts what is put into a tray now (µs)."""
    return {
        "Update": {
            "TableName": store.tables.deliveries,
            "Key": _key("trays", tray),
            "UpdateExpression": "SET oldest = if_not_exists(oldest, :at), #last = :at ADD puts :rows",
            "ExpressionAttributeNames": {"#last": "last"},
            "ExpressionAttributeValues": {":at": {"S": str(now)}, ":rows": {"N": str(rows)}},
        }
    }


def take_write(store: Store, row: Row) -> "TransactWriteItemTypeDef":
    """Return the write that takes a row out of its tray."""
    return {"Delete": {"TableName": store.tables.deliveries, "Key": _key(row.tray, row.key)}}


def read_tray(store: Store, tray: str, most: int) -> list[Row]:
    """Read what lies in a tray, oldest first, strongly consistent, and no more than so many rows."""
    return [_row(tray, item) for item in islice(query(store, tray), most)]


def puts(store: Store, tray: str) -> int | None:
    """Read how much was ever put into a tray since it was last cleared; None when it was cleared."""
    item = store.db.get_item(TableName=store.tables.deliveries, Key=_key("trays", tray), ConsistentRead=True).get("Item")
    return int(item["puts"]["N"]) if item else None


def clear(store: Store, tray: str, seen: int) -> bool:
    """Forget a tray that was found empty after `seen` was read.

    Returns:
        False when something was put in since, or is being put in now: look again.
    """
    try:
        store.db.delete_item(
            TableName=store.tables.deliveries,
            Key=_key("trays", tray),
            ConditionExpression="puts = :seen",
            ExpressionAttributeValues={":seen": {"N": str(seen)}},
        )
    except (store.db.exceptions.ConditionalCheckFailedException, store.db.exceptions.TransactionConflictException):
        return False
    return True


def count_failure(store: Store, tray: str, failing: str) -> int:
    """Count a failure of what lies in a tray.

    Args:
        store: Where.
        tray: Which tray.
        failing: Names the kind of failure and what it happened to: what differs in either begins anew.

    Returns:
        How many failures of that name there were in a row, this one included.
    """
    for change, condition in (("ADD fails :one", "failing = :failing"), ("SET failing = :failing, fails = :one", "attribute_exists(puts)")):
        try:
            answer = store.db.update_item(
                TableName=store.tables.deliveries,
                Key=_key("trays", tray),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues={":failing": {"S": failing}, ":one": {"N": "1"}},
                ReturnValues="ALL_NEW",
            )
            return int(answer["Attributes"]["fails"]["N"])
        except (store.db.exceptions.ConditionalCheckFailedException, store.db.exceptions.TransactionConflictException):
            continue  # something is being put in just now: too low a count is one wait that is too short
    return 1


def unheard(store: Store, before: int, rung_before: int) -> list[str]:
    """List the trays in which something was first put at or before an instant (µs), and for which no tick has rung after another."""
    waiting = (item for item in query(store, "trays") if int(item["oldest"]["S"]) <= before)
    return [item["SK"]["S"] for item in waiting if int(item.get("rung", {"S": "0"})["S"]) <= rung_before]


def note_rung(store: Store, tray: str, now: int) -> None:
    """Record that a tick has rung for a tray now (µs), unless it was emptied meanwhile; where something is being put in, it is rung for once more."""
    with suppress(store.db.exceptions.ConditionalCheckFailedException, store.db.exceptions.TransactionConflictException):
        store.db.update_item(
            TableName=store.tables.deliveries,
            Key=_key("trays", tray),
            UpdateExpression="SET rung = :now",
            ConditionExpression="attribute_exists(puts)",
            ExpressionAttributeValues={":now": {"S": str(now)}},
        )


def waiting_since(store: Store, before: int) -> list[str]:
    """List the trays in which something was first put at or before an instant (µs)."""
    return [item["SK"]["S"] for item in query(store, "trays") if int(item["oldest"]["S"]) <= before]


def _row(tray: str, item: dict[str, Any]) -> Row:
    """Read a tray row."""
    return Row(
        tray=tray,
        key=item["SK"]["S"],
        policy_id=item["p"]["S"],
        number=int(item["t"]["S"]),
        alert_id=item["a"]["S"],
        destination_id=item["i"]["S"],
        type=item["k"]["S"],
        put_at=int(item["put"]["S"]),
        busy_since=int(item.get("b", {}).get("S", "0")),
        again=item.get("n", {}).get("BOOL", False),
    )


def query(store: Store, partition: str, first: str = "", last: str = "", *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
    """Read the rows of a partition of the deliveries table, strongly consistent: all, or those whose SK lies from first to last."""
    bounds = {":first": {"S": first}, ":last": {"S": last}} if first else {}
    pages = store.db.get_paginator("query").paginate(
        TableName=store.tables.deliveries,
        KeyConditionExpression="PK = :partition" + (" AND SK BETWEEN :first AND :last" if first else ""),
        ExpressionAttributeValues={":partition": {"S": partition}, **bounds},
        ScanIndexForward=not newest_first,
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


def _key(partition: str, sort: str) -> dict[str, Any]:
    """Return a row's key."""
    return {"PK": {"S": partition}, "SK": {"S": sort}}
