"""What mutes hold, in the deliveries table: one partition, so that a tick sees with one Query that nothing waits.

| row | PK | SK | attributes |
|---|---|---|---|
| held | `held` | `<alert_id>#<number, 6 digits>#<destination_id>` | d JSON of quiet.Held, x |
| stuck | `held` | `!<policy_id>#<number, 6 digits>` | x: a transition that the code failed to route |

A row stands beside a record of status `held`, and each of the three things that may become of it is one transaction on the
condition that the record is still held: it is put into its tray, or recorded as skipped or failed. So a message is released
once, whoever dies where, and when an alert ends at the moment in which its opening is released, one of the two comes first.
"""

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from nightjar.core.delivery import Record, Row, unsent
from nightjar.core.quiet import Held
from nightjar.core.rows import members_of
from nightjar.storage import outbox, trays
from nightjar.storage.client import Store
from nightjar.storage.deliveries import Announced, attempt_write, expiry, new_record, record_key, transact, write_once

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_STUCK = "!"  # before every alert_id


def hold(store: Store, held: Held) -> Announced:
    """Record that a message waits for the end of a mute, once.

    Returns:
        "known" if there was a record already, "untold" if all transitions that told its destination of the alert have failed
        or been skipped meanwhile; nothing was written then.
    """
    item = {**_key(held.record), "d": {"S": json.dumps(asdict(held), separators=(",", ":"))}, "x": expiry(held.record.created_at)}
    put: TransactWriteItemTypeDef = {"Put": {"TableName": store.tables.deliveries, "Item": item}}
    return write_once(store, [new_record(store, held.record), put], held.record, held.after)


def read_all(store: Store) -> list[Held]:
    """Read what is held, in the order of the engine's clock, strongly consistent."""
    return read_waiting(store)[0]


def read_waiting(store: Store) -> tuple[list[Held], list[outbox.Name]]:
    """Read what is held, in the order of the engine's clock, and what is stuck, in the order of numbers; one Query, strongly consistent."""
    items = list(trays.query(store, "held"))
    found = (_held(item["d"]["S"]) for item in items if "d" in item)
    stuck = (item["SK"]["S"].removeprefix(_STUCK).rsplit("#", 1) for item in items if "d" not in item)
    return (
        sorted(found, key=lambda held: (held.clock, held.policy_id, held.record.number)),
        sorted((policy_id, int(number)) for policy_id, number in stuck),
    )


def note_stuck(store: Store, name: outbox.Name, now: int) -> None:
    """Record now (µs) that the code failed to route a transition, so that ticks do it again."""
    store.db.put_item(TableName=store.tables.deliveries, Item={**_stuck_key(name), "x": expiry(now)})


def forget_stuck(store: Store, name: outbox.Name) -> None:
    """Record that a transition is routed after all, or gone."""
    store.db.delete_item(TableName=store.tables.deliveries, Key=_stuck_key(name))


def release(store: Store, held: Held, row: Row) -> Announced:
    """Put a held message into its tray, once.

    Returns:
        "known" if it is held no longer, "untold" if its destination was, after all, not told of the alert.
    """
    writes = [_update(store, replace(held.record, status="pending", reason="", tray=row.tray)), take_write(store, held.record), *trays.put_writes(store, row)]
    return write_once(store, writes, held.record, held.after)


def drop(store: Store, record: Record, now: int) -> None:
    """Record that a held message is not sent; nothing if it is held no longer.

    Args:
        store: Where.
        record: With the status from now on, `skipped` or `failed`, and the reason.
        now: Wall time (µs).
    """
    transact(store, [_update(store, record), take_write(store, record), attempt_write(store, unsent(record, now))])


def _update(store: Store, record: Record) -> "TransactWriteItemTypeDef":
    """Return the write of a record's new status, on condition that it is still held."""
    return {
        "Update": {
            "TableName": store.tables.deliveries,
            "Key": record_key(record.alert_id, record.destination_id, record.number),
            "UpdateExpression": "SET s = :s, why = :why, y = :y",
            "ConditionExpression": "s = :held",
            "ExpressionAttributeValues": {":s": {"S": record.status}, ":why": {"S": record.reason}, ":y": {"S": record.tray}, ":held": {"S": "held"}},
        }
    }


def take_write(store: Store, record: Record) -> "TransactWriteItemTypeDef":
    """Return the write that takes a message out of what is held."""
    return {"Delete": {"TableName": store.tables.deliveries, "Key": _key(record)}}


def _held(text: str) -> Held:
    """Read a row; an earlier format named one number, or none, that told of the alert."""
    found = json.loads(text)
    record, after = Record(**members_of(Record, found["record"])), found.get("after") or ()
    return Held(**{**members_of(Held, found), "record": record, "after": (after,) if isinstance(after, int) else tuple(after)})


def _stuck_key(name: outbox.Name) -> dict[str, Any]:
    """Return the key of a transition that is stuck."""
    policy_id, number = name
    return {"PK": {"S": "held"}, "SK": {"S": f"{_STUCK}{policy_id}#{number:06d}"}}


def _key(record: Record) -> dict[str, Any]:
    """Return a row's key."""
    return {"PK": {"S": "held"}, "SK": {"S": f"{record.alert_id}#{record.number:06d}#{record.destination_id}"}}
