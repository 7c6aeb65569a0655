"""What moto does otherwise than DynamoDB, put right: a test a mend (the numbers are those of local/mends.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from local.cloud import CallFailed, Moto, call, create
from local.stack import Stack
from local.template import load
from tests.local.test_reading import TINY


@pytest.fixture(scope="module")
def stack() -> Stack:
    return load(TINY)


@pytest.fixture
def moto(stack: Stack) -> Moto:
    made = Moto()
    create(stack, made, made)
    return made


THINGS = "nightjar-Things"


@contextmanager
def calls_of(owner: type, name: str) -> Iterator[list[None]]:
    """Count the calls of a method: what a machine does not blur, as it does the time they take."""
    made: list[None] = []
    method = getattr(owner, name)

    def counted(*given: Any) -> Any:
        made.append(None)
        return method(*given)

    with mock.patch.object(owner, name, counted):
        yield made


def item(name: str, **attributes: str) -> dict[str, Any]:
    return {"PK": {"S": "a"}, "SK": {"S": name}, **{key: {"S": value} for key, value in attributes.items()}}


def put(moto: Moto, name: str, **attributes: str) -> None:
    call(moto, "dynamodb", "PutItem", {"TableName": THINGS, "Item": item(name, **attributes)})


def get(moto: Moto, name: str) -> dict[str, Any] | None:
    return call(moto, "dynamodb", "GetItem", {"TableName": THINGS, "Key": item(name)}).get("Item")


def transact(moto: Moto, *items: dict[str, Any], **arguments: Any) -> None:
    call(moto, "dynamodb", "TransactWriteItems", {"TransactItems": list(items), **arguments})


def new(name: str, **attributes: str) -> dict[str, Any]:
    return {"Put": {"TableName": THINGS, "Item": item(name, **attributes), "ConditionExpression": "attribute_not_exists(PK)"}}


def records(moto: Moto, stack: Stack, after: str = "") -> list[tuple[str, str, dict[str, Any]]]:
    found = moto.records(stack.tables["Things"], after, 1000)
    return [(each["eventName"], each["dynamodb"]["Keys"]["SK"]["S"], each["dynamodb"].get("NewImage", {})) for each in found]


def test_1_a_transaction_writes_all_or_nothing(moto: Moto, stack: Stack) -> None:
    put(moto, "there")
    with pytest.raises(CallFailed, match="ConditionalCheckFailed"):
        transact(moto, new("first"), new("there"))
    assert get(moto, "first") is None
    transact(moto, new("first"), new("second"))
    assert [name for _, name, _ in records(moto, stack)] == ["there", "first", "second"], "no record of what never happened"


def test_1_a_transaction_says_which_of_its_conditions_failed(moto: Moto) -> None:
    put(moto, "there", colour="red")
    refused = new("there")
    refused["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    with pytest.raises(CallFailed) as caught:
        transact(moto, new("first"), refused)
    text = str(caught.value)
    assert text.index('"None"') < text.index('"ConditionalCheckFailed"') < text.index('"red"')


def test_1_a_transaction_that_breaks_off_is_undone(moto: Moto, stack: Stack) -> None:
    put(moto, "there", colour="red")
    broken = {"Update": {"TableName": THINGS, "Key": item("x"), "UpdateExpression": "SET nothing(("}}
    with pytest.raises(CallFailed):
        transact(moto, {"Put": {"TableName": THINGS, "Item": item("there", colour="blue")}}, new("first"), broken)
    assert get(moto, "there") == item("there", colour="red")
    assert get(moto, "first") is None
    assert len(records(moto, stack)) == 1


def test_1_a_transaction_does_each_kind_of_write(moto: Moto, stack: Stack) -> None:
    put(moto, "gone")
    put(moto, "there")
    transact(
        moto,
        {"ConditionCheck": {"TableName": THINGS, "Key": item("there"), "ConditionExpression": "attribute_exists(PK)"}},
        {"Delete": {"TableName": THINGS, "Key": item("gone")}},
        {"Update": {"TableName": THINGS, "Key": item("up"), "UpdateExpression": "SET c = :c", "ExpressionAttributeValues": {":c": {"S": "1"}}}},
        new("new"),
    )
    assert (get(moto, "gone"), get(moto, "up"), get(moto, "new")) == (None, item("up", c="1"), item("new"))
    assert [name for name, _, _ in records(moto, stack)] == ["INSERT", "INSERT", "REMOVE", "INSERT", "INSERT"]


def test_1_two_writes_of_one_item_are_refused(moto: Moto) -> None:
    with pytest.raises(CallFailed, match="multiple operations on one item"):
        transact(moto, new("one"), new("one"))


def test_1_a_transaction_costs_what_it_touches_and_not_the_table(moto: Moto) -> None:
    for number in range(40):
        batch = [{"PutRequest": {"Item": item(f"{number}-{each}")}} for each in range(25)]
        call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: batch}})
    with calls_of(Item, "__deepcopy__") as copied:
        for number in range(20):
            transact(moto, new(f"t{number}"), new(f"u{number}"))
    assert 0 < len(copied) < 500, "moto alone copies 1,000 items 40 times"


def test_2_a_transaction_that_comes_again_under_its_token_is_done_once(moto: Moto, stack: Stack) -> None:
    count = {"Update": {"TableName": THINGS, "Key": item("n"), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}}
    transact(moto, count, ClientRequestToken="token")
    transact(moto, count, ClientRequestToken="token")
    assert (get(moto, "n") or {})["n"] == {"N": "1"}
    assert len(records(moto, stack)) == 1


def test_3_a_write_that_changes_nothing_makes_no_record(moto: Moto, stack: Stack) -> None:
    put(moto, "same", colour="red")
    put(moto, "same", colour="red")
    update = {"TableName": THINGS, "Key": item("same"), "UpdateExpression": "SET colour = :c", "ExpressionAttributeValues": {":c": {"S": "red"}}}
    call(moto, "dynamodb", "UpdateItem", update)
    call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: [{"PutRequest": {"Item": item("same", colour="red")}}]}})
    assert records(moto, stack) == [("INSERT", "same", item("same", colour="red"))]
    put(moto, "same", colour="blue")
    assert records(moto, stack)[1:] == [("MODIFY", "same", item("same", colour="blue"))]


def test_3_a_record_shows_the_item_as_it_was_then(moto: Moto, stack: Stack) -> None:
    update = {"TableName": THINGS, "Key": item("n"), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for _ in range(3):
        call(moto, "dynamodb", "UpdateItem", update)
    assert [image["n"]["N"] for _, _, image in records(moto, stack)] == ["1", "2", "3"]


def test_4_an_update_that_makes_an_item_makes_one_record(moto: Moto, stack: Stack) -> None:
    update = {"TableName": THINGS, "Key": item("made"), "UpdateExpression": "SET c = :c", "ExpressionAttributeValues": {":c": {"S": "1"}}}
    call(moto, "dynamodb", "UpdateItem", update)
    assert records(moto, stack) == [("INSERT", "made", item("made", c="1"))]


def test_4_an_item_made_again_after_its_deletion_is_news(moto: Moto, stack: Stack) -> None:
    put(moto, "again")
    call(moto, "dynamodb", "DeleteItem", {"TableName": THINGS, "Key": item("again")})
    put(moto, "again")
    assert [name for name, _, _ in records(moto, stack)] == ["INSERT", "REMOVE", "INSERT"]


def test_5_delivered_records_are_dropped_and_numbers_go_on(moto: Moto, stack: Stack) -> None:
    for name in "abc":
        put(moto, name)
    first, second, third = moto.records(stack.tables["Things"], "", 1000)
    assert moto.records(stack.tables["Things"], second["dynamodb"]["SequenceNumber"], 1000) == [third]
    shard = moto.dynamodb.get_table(THINGS).stream_shard
    assert shard is not None
    assert len(shard.items) == 1
    put(moto, "d")
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in moto.records(stack.tables["Things"], "", 1000)]
    assert numbers == [int(third["dynamodb"]["SequenceNumber"]), int(third["dynamodb"]["SequenceNumber"]) + 1]
    assert int(first["dynamodb"]["SequenceNumber"]) == numbers[0] - 2


def test_6_a_batch_with_one_key_twice_or_too_many_items_is_refused(moto: Moto) -> None:
    twice = [{"PutRequest": {"Item": item("one", c="1")}}, {"DeleteRequest": {"Key": item("one")}}]
    with pytest.raises(CallFailed, match="duplicates"):
        call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: twice}})
    many = [{"PutRequest": {"Item": item(str(number))}} for number in range(26)]
    with pytest.raises(CallFailed, match="ValidationException"):
        call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: many}})
    call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: many[:25]}})
    assert get(moto, "24") is not None
    assert get(moto, "one") is None


def query(moto: Moto, partition: str, **arguments: Any) -> list[str]:
    condition = {"KeyConditionExpression": "PK = :p", "ExpressionAttributeValues": {":p": {"S": partition}}}
    found = call(moto, "dynamodb", "Query", {"TableName": THINGS, **condition, **arguments})
    return [each["SK"]["S"] for each in found["Items"]]


def test_7_a_query_finds_its_partition_in_order_and_page_by_page(moto: Moto) -> None:
    for name in "cab":
        put(moto, name)
    call(moto, "dynamodb", "PutItem", {"TableName": THINGS, "Item": {"PK": {"S": "other"}, "SK": {"S": "x"}}})
    assert query(moto, "a") == ["a", "b", "c"]
    assert query(moto, "a", ScanIndexForward=False, Limit=2) == ["c", "b"]
    assert query(moto, "a", ExclusiveStartKey=item("a")) == ["b", "c"]
    assert query(moto, "other") == ["x"]
    assert query(moto, "nobody") == []


def test_7_a_query_costs_its_partition_and_not_the_table(moto: Moto) -> None:
    for number in range(80):
        batch = [{"PutRequest": {"Item": {"PK": {"S": f"p{number}-{each}"}, "SK": {"S": "x"}}}} for each in range(25)]
        call(moto, "dynamodb", "BatchWriteItem", {"RequestItems": {THINGS: batch}})
    with calls_of(DynamoType, "__eq__") as compared:
        for number in range(80):
            assert query(moto, f"p{number}-3") == ["x"]
    assert 0 < len(compared) < 2_000, "moto alone compares 2,000 keys 80 times"
