"""DynamoDB Local in place of moto's DynamoDB: calls are passed on as they came."""

from collections.abc import Mapping
from typing import Any

import urllib3

from local.cloud import call
from local.stack import REGION, Table
from local.wire import Response

_CREDENTIAL = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
_MOST = 1000  # records that one GetRecords gives
_HEADERS = ("Content-Type", "x-amzn-RequestId", "x-amz-crc32")


class DynamoDbLocal:
    """A running DynamoDB Local (-sharedDb)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=urllib3.Timeout(connect=2, read=30))
        self._arns: dict[str, str] = {}

    def handle(self, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Pass one call on; its headers say which service is meant."""
        del service
        sent = {"X-Amz-Target": headers["X-Amz-Target"], "Content-Type": "application/x-amz-json-1.0", "Authorization": _CREDENTIAL}
        answer = self._pool.request("POST", self._url, headers=sent, body=body)
        return Response(answer.status, {name: answer.headers[name] for name in _HEADERS if name in answer.headers}, answer.data)

    def stream_arn(self, table: Table) -> str:
        """Return the ARN that DynamoDB Local gave a table's stream."""
        if table.logical_id not in self._arns:
            self._arns[table.logical_id] = call(self, "dynamodb", "DescribeTable", {"TableName": table.name})["Table"]["LatestStreamArn"]
        return self._arns[table.logical_id]

    def records(self, table: Table, after: str, limit: int) -> list[dict[str, Any]]:
        """Read with a fresh iterator each time."""
        arn = self.stream_arn(table)
        (shard,) = call(self, "dynamodbstreams", "DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
        where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after} if after else {"ShardIteratorType": "TRIM_HORIZON"}
        found = call(self, "dynamodbstreams", "GetShardIterator", {"StreamArn": arn, "ShardId": shard["ShardId"], **where})
        wanted = {"ShardIterator": found["ShardIterator"], "Limit": min(limit, _MOST)}
        records: list[dict[str, Any]] = call(self, "dynamodbstreams", "GetRecords", wanted)["Records"]
        return records
