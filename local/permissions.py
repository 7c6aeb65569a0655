"""What a function's role lets it do, held against each call that it makes: what the template forgot fails here too."""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from local.stack import ACCOUNT, REGION, Function, Statement

_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}

Need = tuple[str, str]  # an action and the ARN it is done to


def needs(service: str, operation: str, body: bytes) -> set[Need]:
    """List what a call needs.

    Rule: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html and list_amazonsqs.html
    (the operations inside a transaction are authorised as themselves; a batch of messages as the single one).
    """
    if service == "dynamodb":
        return set(_dynamodb(operation, json.loads(body)))
    if service == "sqs":
        name = json.loads(body).get("QueueUrl", "").rpartition("/")[2]
        return {(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")}
    return {(f"{service}:{operation}", f"arn:aws:{service}:{REGION}:{ACCOUNT}:identity/*")}


def _dynamodb(operation: str, body: Mapping[str, Any]) -> Iterator[Need]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in body["TransactItems"]:
            for kind, each in item.items():
                yield f"dynamodb:{_TRANSACTED[kind]}", _table(each["TableName"])
        return
    for name in body.get("RequestItems", ()):
        yield f"dynamodb:{operation}", _table(name)
    if "TableName" in body:
        index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
        yield f"dynamodb:{operation}", _table(body["TableName"]) + index


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def missing(function: Function, wanted: set[Need]) -> set[Need]:
    """Return what a function's role does not allow of what it wants."""
    return {need for need in wanted if not any(_allows(statement, need) for statement in function.statements)}


def _allows(statement: Statement, need: Need) -> bool:
    action, resource = need
    return any(fnmatchcase(action, each) for each in statement.actions) and any(fnmatchcase(resource, each) for each in statement.resources)
