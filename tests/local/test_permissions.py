"""A call is held against the role of the function that makes it."""

import json
from typing import Any

import pytest

from local.permissions import missing, needs
from local.template import load
from tests.local.test_reading import TINY

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/"


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("PutItem", {"TableName": "T"}, {("dynamodb:PutItem", TABLE + "T")}),
        ("Query", {"TableName": "T", "IndexName": "pin"}, {("dynamodb:Query", TABLE + "T/index/pin")}),
        ("BatchGetItem", {"RequestItems": {"A": {}, "B": {}}}, {("dynamodb:BatchGetItem", TABLE + "A"), ("dynamodb:BatchGetItem", TABLE + "B")}),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "A"}}, {"ConditionCheck": {"TableName": "B"}}]},
            {("dynamodb:PutItem", TABLE + "A"), ("dynamodb:ConditionCheckItem", TABLE + "B")},
        ),
    ],
)
def test_what_a_call_of_dynamodb_needs(operation: str, body: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert needs("dynamodb", operation, json.dumps(body).encode()) == expected


def test_a_batch_of_messages_needs_what_one_needs() -> None:
    body = json.dumps({"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo"}).encode()
    assert needs("sqs", "SendMessageBatch", body) == {("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo")}


def test_what_the_role_does_not_name_is_missing() -> None:
    front = load(TINY).functions["Front"]
    things, seen = TABLE + "nightjar-Things", TABLE + "nightjar-Seen"
    assert missing(front, {("dynamodb:PutItem", things)}) == set()
    assert missing(front, {("dynamodb:GetItem", things), ("dynamodb:PutItem", seen)}) == {("dynamodb:GetItem", things), ("dynamodb:PutItem", seen)}
