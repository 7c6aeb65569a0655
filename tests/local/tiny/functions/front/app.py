"""A tiny function behind the API: does what its path says."""

import json
import os
import time
from typing import Any

import boto3


def handler(event: Any, context: Any) -> dict[str, Any]:
    path = event.get("path", "/echo")
    if path == "/things":
        name = json.loads(event["body"])["name"]
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"PK": {"S": "thing"}, "SK": {"S": name}})
    if path == "/jobs":
        job = {"MessageBody": event["body"], "MessageGroupId": event["body"], "MessageDeduplicationId": context.aws_request_id}
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], **job)
    if path == "/forbidden":
        boto3.client("dynamodb").scan(TableName=os.environ["TABLE"])
    if path == "/slow":
        time.sleep(10)
    if path == "/die":
        os._exit(3)
    if path == "/nonsense":
        return {"no": "status"}
    if path == "/raise":
        raise ValueError("on purpose")
    body = {"event": event, "environment": dict(os.environ), "pid": os.getpid(), "left": context.get_remaining_time_in_millis(), "id": context.aws_request_id}
    return {"statusCode": 200, "multiValueHeaders": {"X-Two": ["a", "b"]}, "body": json.dumps(body)}
