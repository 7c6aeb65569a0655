"""When a log was first received: a guard in the logs table for a log_id that tells no time and came without one.

PK `g#event_id#log_id`, SK `g`, t the instant in µs as text, x when it goes. A retry finds the first receipt's time again.
This path is rare; its cost (one conditional write a log) is accepted.

Rule: ENGINE.md, Logs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from nightjar.core.instants import DAY, SECOND
from nightjar.core.sources import guard_key
from nightjar.storage.batches import slices
from nightjar.storage.client import Store
from nightjar.storage.faults import code_of
from nightjar.storage.patience import Patience, each

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_READS = 100

Named = tuple[str, str]


def first_receipts(store: Store, logs: Sequence[Named], *, now: int, ttl_days: int, patience: Patience) -> dict[Named, int]:
    """Find, or settle, the times of logs that have none.

    Args:
        store: The tables.
        logs: Pairs of event_id and log_id; repetitions are fine.
        now: The instant (µs) of this receipt.
        ttl_days: How long raw logs live; no guard goes before its log.
        patience: Until when.

    Returns:
        For each pair the instant in µs of its first receipt.

    Raises:
        StorageBusy: Not all are settled; what is stays.
        ClientError, BotoCoreError: Another fault of storage.
    """
    wanted = list(dict.fromkeys(logs))
    known: dict[Named, int] = {}
    if len(wanted) > _READS:  # an earlier try of the same array got so far
        for found in each(slices(wanted, _READS), lambda some: _settled(store, some, now, patience)):
            known.update(found)
    new = [name for name in wanted if name not in known]
    times = each(new, lambda name: _settle(store, name, now, ttl_days, patience))
    return known | dict(zip(new, times, strict=True))


def _settled(store: Store, names: Sequence[Named], now: int, patience: Patience) -> dict[Named, int]:
    patience.check()
    table = store.tables.logs
    by_key = {guard_key(*name): name for name in names}
    answer = store.db.batch_get_item(RequestItems={table: {"Keys": [_key(key) for key in by_key]}})
    guards = answer["Responses"].get(table, [])
    return {by_key[guard["PK"]["S"]]: int(guard["t"]["S"]) for guard in guards if _lives(guard, now)}


def _settle(store: Store, name: Named, now: int, ttl_days: int, patience: Patience) -> int:
    """Write a guard unless one is there, and return the time that counts."""
    patience.check()
    key = _key(guard_key(*name))
    expires = (now + ttl_days * DAY) // SECOND
    try:
        store.db.put_item(
            TableName=store.tables.logs,
            Item={**key, "t": {"S": str(now)}, "x": {"N": str(expires)}},
            ConditionExpression="attribute_not_exists(PK) OR x <= :now",
            ExpressionAttributeValues={":now": {"N": str(now // SECOND)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
        response: dict[str, Any] = dict(error.response)
        return int(response["Item"]["t"]["S"])
    return now


def _key(partition: str) -> "dict[str, AttributeValueTypeDef]":
    return {"PK": {"S": partition}, "SK": {"S": "g"}}


def _lives(item: Any, now: int) -> bool:
    return int(item["x"]["N"]) > now // SECOND
