"""A tiny function behind a stream and a queue: writes down what it was given; some names make it fail."""

import os
import time
from pathlib import Path
from typing import Any

import boto3

db = boto3.client("dynamodb")


def see(kind: str, name: str) -> None:
    """Count something in the table of what was seen."""
    key = {"PK": {"S": kind}, "SK": {"S": name}}
    db.update_item(TableName=os.environ["TABLE"], Key=key, UpdateExpression="ADD seen :one", ExpressionAttributeValues={":one": {"N": "1"}})


def handler(event: Any, _context: object) -> dict[str, Any]:
    again = []
    for record in event["Records"]:
        if record["eventSource"] == "aws:dynamodb":
            name = record["dynamodb"]["Keys"]["SK"]["S"]
            see("batch", f"{len(event['Records'])}")
            if name.startswith("poison"):
                raise ValueError(name)
            see("thing", name)
        else:
            see("job", record["body"])
            while record["body"].startswith("/") and not Path(record["body"]).exists():
                time.sleep(0.02)
            if record["body"] == "later":
                again.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": again}
