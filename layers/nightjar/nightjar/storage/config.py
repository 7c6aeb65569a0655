"""Rows of the config table: `event`, `destination`, `mute` and `key`, each a JSON text `d` with a version `n`.

The functions here know rows, not what is in them; the modules of the nouns (events, destinations, mutes) do.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from nightjar.core.instants import SECOND
from nightjar.storage.client import Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Noun = Literal["event", "destination", "mute", "key"]


class Stale(Exception):
    """A row was changed by somebody else between the read and the write: read it again."""


class Taken(Exception):
    """A row with this id is there already."""


def get(store: Store, noun: Noun, row_id: str) -> str | None:
    """Read one row's text, strongly consistent; None if there is no such row."""
    found = store.db.get_item(TableName=store.tables.config, Key=key(noun, row_id), ConsistentRead=True).get("Item")
    return found["d"]["S"] if found else None


def texts(store: Store, noun: Noun) -> Iterator[str]:
    """Read the texts of all rows of a noun in order of their ids, strongly consistent (create-then-list)."""
    pages = store.db.get_paginator("query").paginate(
        TableName=store.tables.config,
        KeyConditionExpression="PK = :noun",
        ExpressionAttributeValues={":noun": {"S": noun}},
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            yield item["d"]["S"]


def insert(store: Store, noun: Noun, row_id: str, text: str, *, gone_after: int | None = None) -> None:
    """Write a new row at version 1; it may be gone some time after an instant (µs).

    Raises:
        Taken: The id is there already; that row stays as it is.
    """
    expires: dict[str, AttributeValueTypeDef] = {} if gone_after is None else {"x": {"N": str(gone_after // SECOND)}}
    try:
        store.db.put_item(
            TableName=store.tables.config,
            Item={**key(noun, row_id), "d": {"S": text}, "n": {"N": "1"}, **expires},
            ConditionExpression="attribute_not_exists(PK)",
        )
    except store.db.exceptions.ConditionalCheckFailedException:
        raise Taken(row_id) from None


def swap(store: Store, noun: Noun, row_id: str, text: str, version: int) -> None:
    """Write a row anew, at `version`, where it still has the version before that one.

    Raises:
        Stale: It has another version, or is gone.
    """
    try:
        store.db.put_item(
            TableName=store.tables.config,
            Item={**key(noun, row_id), "d": {"S": text}, "n": {"N": str(version)}},
            ConditionExpression="n = :before",
            ExpressionAttributeValues={":before": {"N": str(version - 1)}},
        )
    except store.db.exceptions.ConditionalCheckFailedException:
        raise Stale(row_id) from None


def remove(store: Store, noun: Noun, row_id: str) -> None:
    """Delete a row; one that is not there is no error."""
    store.db.delete_item(TableName=store.tables.config, Key=key(noun, row_id))


def key(noun: Noun, row_id: str) -> "dict[str, AttributeValueTypeDef]":
    """Return the key of a row."""
    return {"PK": {"S": noun}, "SK": {"S": row_id}}
