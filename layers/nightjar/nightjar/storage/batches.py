"""Raw logs into their table: 25 a call, several calls at once, all of them or StorageBusy."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

from botocore.exceptions import ClientError

from nightjar.storage.client import Store
from nightjar.storage.faults import THROTTLED, code_of, is_fault
from nightjar.storage.patience import Patience, each

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

# DynamoDB's limits of one call.
_WRITES = 25
_READS = 100

# Larger arrays may need several tries, and what an earlier one stored is then not written again: a partition takes
# 1,000 writes a second, so 20,000 logs of one event would otherwise be refused for ever.
LOOK_FIRST = 1_000

# What this process has seen stored of large arrays: the next try often comes to the same process, and reading the keys of
# 50,000 logs takes a second of the three that there are. A stored log stays longer than any retry of it is accepted.
_REMEMBERED = 200_000

Item = dict[str, "AttributeValueTypeDef"]
Place = tuple[str, str]
Some = TypeVar("Some")


def write(store: Store, items: dict[Place, Item], patience: Patience) -> list[Place]:
    """Store raw logs; those that are there already stay as they are (a second put of the same log writes the same).

    Args:
        store: The tables.
        items: Partition and sort key → the whole item; they begin to be written in this order.
        patience: Until when.

    Returns:
        The keys of those that can never be stored (DynamoDB or botocore finds them malformed): faults of our code.

    Raises:
        StorageBusy: Not all are stored; what is stays, so that the next try has less to do.
        ClientError, BotoCoreError: Another fault of storage.
    """
    if len(items) <= LOOK_FIRST:
        refused = each(slices(list(items.values()), _WRITES), lambda batch: _put(store, batch, patience))
    else:
        refused = each(slices(list(items.items()), _READS), lambda some: _put_missing(store, dict(some), patience))
    return [place for batch in refused for place in batch]


def slices(found: Sequence[Some], size: int) -> list[Sequence[Some]]:
    """Cut a sequence into pieces of at most `size`."""
    return [found[start : start + size] for start in range(0, len(found), size)]


@lru_cache(maxsize=4)
def seen_in(store: Store) -> dict[Place, None]:  # noqa: ARG001
    """Return the keys that this process knows to be in a store."""
    return {}


def _put_missing(store: Store, items: dict[Place, Item], patience: Patience) -> list[Place]:
    seen = seen_in(store)
    unknown = [place for place in items if place not in seen]
    if not unknown:
        return []
    patience.check()
    there = _stored(store, unknown)
    missing = [items[place] for place in unknown if place not in there]
    refused = [place for batch in slices(missing, _WRITES) for place in _put(store, batch, patience)]
    if len(seen) > _REMEMBERED:
        seen.clear()
    seen.update(dict.fromkeys(place for place in unknown if place not in refused))
    return refused


def _stored(store: Store, places: Sequence[Place]) -> set[Place]:
    """Return which of at most 100 keys are there, as far as one eventually consistent read knows: a miss is only written again."""
    table = store.tables.logs
    keys: list[Item] = [{"PK": {"S": partition}, "SK": {"S": sort}} for partition, sort in places]
    try:
        answer = store.db.batch_get_item(RequestItems={table: {"Keys": keys, "ProjectionExpression": "PK, SK"}})
    except ClientError as error:
        if code_of(error) in THROTTLED:
            return set()
        raise
    return {(item["PK"]["S"], item["SK"]["S"]) for item in answer["Responses"].get(table, [])}


def _put(store: Store, batch: Sequence[Item], patience: Patience) -> list[Place]:
    """Write at most 25 items, asking again for what was left unprocessed, and return the keys of those that are malformed."""
    pending: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in batch]
    attempt = 0
    while pending:
        patience.check()
        try:
            pending = _attempt(store, pending)
        except Exception as error:
            if is_fault(error):
                raise
            return _one_by_one(store, batch, patience)
        if pending:
            patience.pause(attempt)
            attempt += 1
    return []


def _attempt(store: Store, pending: "list[WriteRequestTypeDef]") -> "list[WriteRequestTypeDef]":
    """Make one call and return what it left unprocessed: all of it where the whole call was throttled."""
    table = store.tables.logs
    try:
        left = store.db.batch_write_item(RequestItems={table: pending}).get("UnprocessedItems", {})
    except ClientError as error:
        if code_of(error) in THROTTLED:
            return pending
        raise
    return cast("list[WriteRequestTypeDef]", left.get(table, []))


def _one_by_one(store: Store, batch: Sequence[Item], patience: Patience) -> list[Place]:
    """Find out which items of a refused call are the malformed ones, and store the others."""
    if len(batch) == 1:
        item = batch[0]
        return [(item["PK"]["S"], item["SK"]["S"])]
    return [place for item in batch for place in _put(store, [item], patience)]
