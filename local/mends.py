"""What moto does otherwise than DynamoDB, put right; each mend has its test in tests/local/test_mends.py.

1. TransactWriteItems checks all, then applies all, and undoes by item. moto copies the whole table once an operation
   (the opening transactions of 1,000 alerts took 333 s), and puts the copy in the table's place when it fails, so that the
   stream shows records of what never happened.
2. A transaction sent again under its token is done once (a client that lost the answer sends it again).
3. A write that changes nothing makes no stream record.
4. An update that makes an item makes one INSERT, not two.
5. Delivered stream records are dropped, so that memory stays flat; numbers go on from a counter, not from the length.
6. A batch with one key twice, or with more than 25 items, is refused.
7. A Query looks at its partition; moto compares the key of every item of the table.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException, MultipleTransactionsException, TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table

BATCH = 25
_INDEX_NAME = 6  # its place among the arguments of Table.query after the key


class Stream(StreamShard):
    """A shard that numbers with a counter, leaves out what changed nothing, and forgets what was delivered."""

    def __init__(self, table: Table) -> None:
        super().__init__(table.account_id, table)
        self.table = table
        self.next = self.starting_sequence_number

    def add(self, old: Item | None, new: Item | None) -> None:
        """Record a write, if it changed something (mends 3 and 4)."""
        if old is not None and new is not None and old.to_json() == new.to_json():
            return
        name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        view = (self.table.stream_specification or {})["StreamViewType"]
        record = StreamRecord(self.table, view, name, old, copy.deepcopy(new), self.next)
        if name == "INSERT" and self.items and self._same_insert(self.items[-1].record, record.record):
            self.items.pop()
        self.items.append(record)
        self.next += 1

    @staticmethod
    def _same_insert(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        """Tell whether the record before is the bare key that moto puts first when an update makes an item."""
        return bool(before["eventName"] == "INSERT" and before["dynamodb"]["Keys"] == now["dynamodb"]["Keys"])

    def get(self, start: int, quantity: int) -> list[dict[str, Any]]:
        """Return records by number, as GetRecords asks for them."""
        return [record.to_json() for record in self.items if int(record.record["dynamodb"]["SequenceNumber"]) >= start][:quantity]

    def after(self, number: int, quantity: int) -> list[dict[str, Any]]:
        """Return records after a number, and drop those up to it: they were delivered (mend 5)."""
        while self.items and int(self.items[0].record["dynamodb"]["SequenceNumber"]) <= number:
            del self.items[0]
        return [record.to_json() for record in self.items[:quantity]]


class Partitions(Table):
    """A table whose queries look at one partition (mend 7)."""

    _asked: Any = None

    def query(self, hash_key: Any, *rest: Any, **named: Any) -> Any:
        """Query, of the table or of an index."""
        index = named.get("index_name", rest[_INDEX_NAME] if len(rest) > _INDEX_NAME else None)
        self._asked = None if index else hash_key
        try:
            return super().query(hash_key, *rest, **named)
        finally:
            self._asked = None

    def all_items(self) -> list[Item]:
        """Return the items of the partition that is asked for, or all."""
        return super().all_items() if self._asked is None else list(self.items.get(self._asked, {}).values())


class Backend(DynamoDBBackend):
    """moto's DynamoDB with a transaction that costs what it touches."""

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """Check every operation against the tables as they are, then apply all (mend 1)."""
        operations = [next(iter(each.items())) for each in transact_items]
        keys = [(operation["TableName"], self._key(kind, operation)) for kind, operation in operations]
        if len({(table, str(sorted(key.items()))) for table, key in keys}) < len(keys):
            raise MultipleTransactionsException
        errors = [self._refusal(operation, key) for (_, operation), (_, key) in zip(operations, keys, strict=True)]
        if any(code for code, _, _ in errors):
            raise TransactionCanceledException(errors)
        before = list(self._snapshot(keys))
        lengths = {name: len(shard.items) for name in {name for name, _ in keys} if (shard := self.get_table(name).stream_shard)}
        try:
            for kind, operation in operations:
                self._apply(kind, operation)
        except Exception:
            self._undo(before, lengths)
            raise

    def _key(self, kind: str, operation: Mapping[str, Any]) -> dict[str, Any]:
        if kind != "Put":
            found: dict[str, Any] = operation["Key"]
            return found
        table = self.get_table(operation["TableName"])
        missing = [name for name in (table.hash_key_attr, table.range_key_attr) if name and name not in operation["Item"]]
        if missing:
            raise MockValidationException(f"One or more parameter values were invalid: Missing the key {missing[0]} in the item")
        return {name: operation["Item"][name] for name in (table.hash_key_attr, table.range_key_attr) if name}

    def _refusal(self, operation: Mapping[str, Any], key: dict[str, Any]) -> tuple[str | None, str | None, Any]:
        current = self.get_item(operation["TableName"], key)
        condition = operation.get("ConditionExpression")
        names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
        if condition is None or get_filter_expression(condition, names, values).expr(current):
            return None, None, None
        shown = current.to_json()["Attributes"] if current and operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
        return "ConditionalCheckFailed", str(ConditionalCheckFailed().message), shown

    def _apply(self, kind: str, operation: Mapping[str, Any]) -> None:
        names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
        match kind:
            case "Put":
                self.put_item(operation["TableName"], operation["Item"])
            case "Delete":
                self.delete_item(operation["TableName"], operation["Key"])
            case "Update":
                self.update_item(operation["TableName"], operation["Key"], operation["UpdateExpression"], names or {}, values or {})

    def _snapshot(self, keys: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[Table, Any, Any, Item | None]]:
        for name, key in keys:
            table = self.get_table(name)
            hash_value, range_value = self.get_keys_value(table, key)
            yield table, hash_value, range_value, copy.deepcopy(table.get_item(hash_value, range_value))

    @staticmethod
    def _undo(before: list[tuple[Table, Any, Any, Item | None]], lengths: Mapping[str, int]) -> None:
        for table, hash_value, range_value, item in before:
            if item is None:
                table.items[hash_value].pop(range_value, None)
            else:
                table.items[hash_value][range_value] = item
            if table.stream_shard and table.name in lengths:
                del table.stream_shard.items[lengths[table.name] :]

    def create_table(self, *arguments: Any, **named: Any) -> Table:
        """Make a table, it and its stream with the mends."""
        table: Table = super().create_table(*arguments, **named)
        table.__class__ = Partitions  # type: ignore[type-abstract]  # moto's abstract methods are CloudFormation's
        if table.stream_shard is not None:
            table.stream_shard = Stream(table)
        return table


def check_batch(requests: Mapping[str, list[Mapping[str, Any]]], keys: Mapping[str, tuple[str, ...]]) -> str | None:
    """Refuse a BatchWriteItem that DynamoDB would refuse (mend 6).

    Args:
        requests: RequestItems.
        keys: The key attributes of each table.

    Returns:
        The message of the ValidationException, or None if the batch is fine.
    """
    everything = [(table, each) for table, found in requests.items() for each in found]
    if not 1 <= len(everything) <= BATCH:
        return f"1 validation error detected: Value at 'requestItems' failed to satisfy constraint: 1 to {BATCH} write requests"
    seen = {(table, str([_image(each)[name] for name in keys[table]])) for table, each in everything if table in keys}
    if len(seen) < len(everything):
        return "Provided list of item keys contains duplicates"
    return None


def _image(request: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return found
