"""Deliveries table: what became of each transition for each destination, and every attempt.

Trays: storage/trays.py. What mutes hold: storage/held.py. What came of posts: storage/settling.py. What was given up: storage/given_up.py.

| row | PK | SK | attributes |
|---|---|---|---|
| record | alert_id | `r#<destination_id>#<number, 6 digits>` | s status, k type, c channel, g target, why, at, l last tried (µs text), tries N, y tray, x |
| attempt | alert_id | `a#<µs, 16 digits>#<attempt_id>` | d JSON of delivery.Attempt, x |
| routed | alert_id | `m#<number, 6 digits>` | w JSON list of the trays that got it, x |
| unrouted | alert_id | `unrouted` | p policy, t number: an opening that reached nobody, x |

A record is made `pending` in one transaction with its tray row, and only if there is none: a stream record that comes twice
is told once. `routed` says that all destinations of a transition are done: a replay years later does not tell it to
destinations made since. Records and attempts live 400 days.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

from nightjar.core.delivery import Attempt, DeliveryKind, Record, Row
from nightjar.core.instants import DAY, SECOND
from nightjar.core.rows import members_of
from nightjar.storage import trays
from nightjar.storage.client import Store
from nightjar.storage.faults import reasons_of
from nightjar.storage.trays import query

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Announced = Literal["new", "known", "untold"]

_LIFE = 400 * DAY
_CONFLICTS = 8


def announce(store: Store, record: Record, row: Row, after: Sequence[int] = ()) -> Announced:
    """Put a transition into a destination's tray, once.

    Args:
        store: Where to.
        record: The pending record.
        row: The tray row.
        after: For an ending: the numbers of the transitions that told this destination of the alert.

    Returns:
        "known" if there was a record already, "untold" if all telling transitions have failed or been skipped meanwhile;
        nothing was written then.
    """
    return write_once(store, [new_record(store, replace(record, tray=row.tray)), *trays.put_writes(store, row)], record, after)


def write_once(store: Store, writes: "list[TransactWriteItemTypeDef]", record: Record, after: Sequence[int]) -> Announced:
    """Write what becomes of a message, the first on a condition of its own; an ending only if one of those that told of its alert did not fail."""
    checks = [[_still_told(store, record, number)] for number in after] or [[]]
    for check in checks:
        codes = transact(store, [*writes, *check])
        if not codes:
            return "new"
        if codes[0] == "ConditionalCheckFailed":
            return "known"
    return "untold"


def skip(store: Store, record: Record, attempt: Attempt) -> None:
    """Record that a destination is not told, and why; what is recorded already stays."""
    transact(store, [new_record(store, record), attempt_write(store, attempt)])


def history(store: Store, alert_id: str) -> tuple[list[Record], dict[int, list[str]]]:
    """Read an alert's records, and which of its transitions are routed with the trays that got them; strongly consistent."""
    found, done = [], {}
    for item in query(store, alert_id, "m#", "r$"):
        if item["SK"]["S"].startswith("r#"):
            found.append(_record(alert_id, item))
        else:
            done[int(item["SK"]["S"][2:])] = json.loads(item["w"]["S"])
    return found, done


def mark_routed(store: Store, alert_id: str, number: int, into: Iterable[str], now: int) -> None:
    """Record that all destinations of a transition are done."""
    item = {**_key(alert_id, f"m#{number:06d}"), "w": {"S": json.dumps(sorted(set(into)))}, "x": expiry(now)}
    store.db.put_item(TableName=store.tables.deliveries, Item=item)


def note_unrouted(store: Store, alert_id: str, policy_id: str, number: int, now: int) -> None:
    """Record that an opening reached nobody, so that ticks route it again."""
    item = {**_key(alert_id, "unrouted"), "p": {"S": policy_id}, "t": {"S": str(number)}, "x": expiry(now)}
    store.db.put_item(TableName=store.tables.deliveries, Item=item)


def unrouted(store: Store, alert_id: str) -> tuple[str, int] | None:
    """Read the policy and the number of an opening that reached nobody; None when it did reach somebody."""
    item = store.db.get_item(TableName=store.tables.deliveries, Key=_key(alert_id, "unrouted"), ConsistentRead=True).get("Item")
    return (item["p"]["S"], int(item["t"]["S"])) if item else None


def forget_unrouted(store: Store, alert_id: str) -> None:
    """Record that an alert reached somebody, or is over."""
    store.db.delete_item(TableName=store.tables.deliveries, Key=_key(alert_id, "unrouted"))


def keep_attempt(store: Store, attempt: Attempt) -> None:
    """Record an attempt that belongs to no transition (a test)."""
    store.db.put_item(**attempt_write(store, attempt)["Put"])


def deliveries(store: Store, alert_id: str, kind: DeliveryKind | Literal["all"] = "alert", limit: int = 100, offset: int = 0) -> list[Attempt]:
    """List an alert's deliveries for the API: what still waits (for a receiver, or for the end of a mute), then the attempts, newest first.

    Args:
        store: Where from.
        alert_id: The alert, or the id that a test was answered with.
        kind: Which of them.
        limit: How many at most.
        offset: How many to pass over first.
    """
    waiting = [_pending(record) for record in history(store, alert_id)[0] if record.status in ("pending", "held")]
    tried = [Attempt(**members_of(Attempt, json.loads(item["d"]["S"]))) for item in query(store, alert_id, "a#", "a$", newest_first=True)]
    found = [attempt for attempt in (*waiting, *tried) if kind in ("all", attempt.kind)]
    return found[offset : offset + limit]


def new_record(store: Store, record: Record) -> "TransactWriteItemTypeDef":
    """Return the write of a record, on condition that there is none."""
    item = {
        **record_key(record.alert_id, record.destination_id, record.number),
        "s": {"S": record.status},
        "k": {"S": record.type},
        "c": {"S": record.channel},
        "g": {"S": record.target},
        "why": {"S": record.reason},
        "at": {"S": str(record.created_at)},
        "tries": {"N": str(record.attempts)},
        "y": {"S": record.tray},
        "x": expiry(record.created_at),
    }
    return {"Put": {"TableName": store.tables.deliveries, "Item": item, "ConditionExpression": "attribute_not_exists(PK)"}}


def _still_told(store: Store, record: Record, after: int) -> "TransactWriteItemTypeDef":
    """Return the check that a transition which told a destination of the alert has not failed meanwhile."""
    return {
        "ConditionCheck": {
            "TableName": store.tables.deliveries,
            "Key": record_key(record.alert_id, record.destination_id, after),
            "ConditionExpression": "s IN (:pending, :sent)",
            "ExpressionAttributeValues": {":pending": {"S": "pending"}, ":sent": {"S": "sent"}},
        }
    }


def attempt_write(store: Store, attempt: Attempt) -> "TransactWriteItemTypeDef":
    """Return the write of an attempt."""
    item = {
        **_key(attempt.alert_id, f"a#{attempt.created_at:016d}#{attempt.attempt_id}"),
        "d": {"S": json.dumps(asdict(attempt), separators=(",", ":"))},
        "x": expiry(attempt.created_at),
    }
    return {"Put": {"TableName": store.tables.deliveries, "Item": item}}


def _record(alert_id: str, item: dict[str, Any]) -> Record:
    """Read a record."""
    destination_id, number = item["SK"]["S"][2:].rsplit("#", 1)
    return Record(
        alert_id=alert_id,
        destination_id=destination_id,
        number=int(number),
        type=item["k"]["S"],
        status=item["s"]["S"],
        channel=item["c"]["S"],
        target=item["g"]["S"],
        attempts=int(item["tries"]["N"]),
        reason=item["why"]["S"],
        created_at=int(item["at"]["S"]),
        tray=item.get("y", {}).get("S", ""),
        tried_at=int(item.get("l", {}).get("S", "0")),
    )


def _pending(record: Record) -> Attempt:
    """Show a record that still waits."""
    return Attempt(
        attempt_id=None,
        alert_id=record.alert_id,
        destination_id=record.destination_id,
        channel=record.channel,
        target=record.target,
        status="pending",
        error_message=record.reason or None,
        created_at=record.created_at,
    )


def transact(store: Store, writes: "list[TransactWriteItemTypeDef]") -> list[str]:
    """Write all or nothing, again where another transaction stood in the way.

    Returns:
        Nothing when written; else for each write "None" or the reason why it could not be.
    """
    for tries_left in reversed(range(_CONFLICTS)):
        try:
            store.db.transact_write_items(TransactItems=writes)
        except store.db.exceptions.TransactionCanceledException as error:
            codes = reasons_of(error)
            if "ConditionalCheckFailed" in codes:
                return codes
            if "TransactionConflict" not in codes or not tries_left:
                raise
        else:
            break
    return []


def record_key(alert_id: str, destination_id: str, number: int) -> dict[str, Any]:
    """Return a record's key."""
    return _key(alert_id, f"r#{destination_id}#{number:06d}")


def _key(partition: str, sort: str) -> dict[str, Any]:
    """Return a row's key."""
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def expiry(now: int) -> dict[str, Any]:
    """Return the TTL (epoch seconds) of what is written now (µs)."""
    return {"N": str((now + _LIFE) // SECOND)}
