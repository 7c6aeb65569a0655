"""What came of posts, in the deliveries table: attempts, the records' new status, trays, and what was given up, in one transaction."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from nightjar.core.delivery import Settled
from nightjar.storage import given_up, trays
from nightjar.storage.client import Store
from nightjar.storage.deliveries import attempt_write, expiry, record_key, transact
from nightjar.storage.faults import is_fault
from nightjar.storage.patience import Patience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# One settled row is at most four writes, and a transaction holds a hundred.
_ROWS = 25


def settle(store: Store, settled: Sequence[Settled], patience: Patience | None = None) -> None:
    """Record what came of rows: the attempt, the record's new status, and the row taken from its tray unless it still waits.

    Args:
        store: Where.
        settled: What came of them.
        patience: For how long to try again when storage is at fault: what was posted and is not recorded is posted again.

    Raises:
        StorageBusy: The patience is over.

    Rule: `pending` before the send, `sent` after it; ENGINE.md, invariant 3.
    """
    for at in range(0, len(settled), _ROWS):
        writes = [write for one in settled[at : at + _ROWS] for write in _settle_writes(store, one)]
        _insist(store, writes, patience)


def pass_over(store: Store, skipped: Settled, tellings: Iterable[int]) -> None:
    """Record that an ending is not told, as long as all that was to tell its destination of the alert was given up; else nothing.

    Args:
        store: Where.
        skipped: The ending.
        tellings: Numbers of its openings that were given up; one of them may be put back in this moment.
    """
    row = skipped.row
    checks: list[TransactWriteItemTypeDef] = [
        {
            "ConditionCheck": {
                "TableName": store.tables.deliveries,
                "Key": record_key(row.alert_id, row.destination_id, number),
                "ConditionExpression": "s IN (:failed, :skipped)",
                "ExpressionAttributeValues": {":failed": {"S": "failed"}, ":skipped": {"S": "skipped"}},
            }
        }
        for number in tellings
    ]
    transact(store, [*_settle_writes(store, skipped), *checks])


def _insist(store: Store, writes: "list[TransactWriteItemTypeDef]", patience: Patience | None) -> None:
    """Write all or nothing, again and again while storage is at fault and patience lasts."""
    for attempt in count():
        try:
            store.db.transact_write_items(TransactItems=writes)
        except Exception as error:
            if patience is None or not is_fault(error):
                raise
            patience.pause(attempt)
        else:
            return


def _settle_writes(store: Store, settled: Settled) -> "list[TransactWriteItemTypeDef]":
    """Return the writes for one row."""
    row, attempt = settled.row, settled.attempt
    update: dict[str, Any] = {
        "TableName": store.tables.deliveries,
        "Key": record_key(row.alert_id, row.destination_id, row.number),
        "UpdateExpression": "SET s = :s, k = :k, c = :c, g = :g, why = :why, x = :x, l = :at, #at = if_not_exists(#at, :at) ADD tries :one",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {
            ":s": {"S": settled.status},
            ":k": {"S": row.type},
            ":c": {"S": attempt.channel},
            ":g": {"S": attempt.target},
            ":why": {"S": attempt.error_message or ""},
            ":x": expiry(attempt.created_at),
            ":at": {"S": str(attempt.created_at)},
            ":one": {"N": "1"},
        },
    }
    writes: list[TransactWriteItemTypeDef] = [attempt_write(store, attempt)]
    if not row.again:
        writes.append({"Update": update})  # type: ignore[typeddict-item]
    if settled.status != "pending":
        writes.append(trays.take_write(store, row))
    elif settled.changed:
        writes.append(trays.row_write(store, row))
    if settled.given_up:
        writes.append(given_up.keep_write(store, settled.given_up, expiry(attempt.created_at)))
    return writes
